//! Commands and facts that look as if many people had made them, and are the same in every run.

use alloc::vec;
use alloc::vec::Vec;

use super::dice::Dice;
use super::leasing::{at, process, service};
use crate::{
    Capability, Command, Confirm, Container, Explicit, Facts, Generation, Holder, IfRunning, Lease,
    LeaseKey, Leases, Name, NamedRange, Occupant, Pool, Pools, Port, PortRange, Process, Release,
    Renew, Request, Service, StatsQuery, Strategy, Suspect, Sweep, Validate,
};

/// Commands that are likely to meet each other: few projects, few services, few ports.
pub(super) struct Commands {
    dice: Dice,
    now: u64,
}

const PROJECTS: &[&str] = &["shop", "blog", "/home/ada/it's 100% \"größe\"", "desk"];
const SERVICES: &[&str] = &["web", "api", "db", "admin", "docs"];
const FIRST_PORT: u16 = 3000;
const PORTS: u16 = 24;

impl Commands {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            now: 1_700_000_000_000,
        }
    }

    /// What happens next to these leases.
    pub(super) fn next(&mut self, leases: &Leases) -> (Command, Facts) {
        let command = match self.dice.below(100) {
            0..45 => Command::Reserve(self.request(leases)),
            45..50 => Command::Explain(self.request(leases)),
            50..58 => Command::Renew(self.renew(leases)),
            58..70 => Command::Confirm(self.confirm(leases)),
            70..86 => Command::Release(self.release(leases)),
            86..95 => Command::Sweep(self.sweep(leases)),
            95..97 => Command::Validate(Validate {
                project: self.dice.percent(50).then(|| self.project()),
            }),
            _ => Command::Stats(StatsQuery {
                ranges: vec![NamedRange {
                    name: Name::literal("all"),
                    range: PortRange::ALL,
                }],
                top: u32::from(self.dice.below(5)),
            }),
        };
        (command, self.facts(leases))
    }

    /// What is observed: time passes, and sometimes jumps back; processes end and others listen.
    fn facts(&mut self, leases: &Leases) -> Facts {
        if self.dice.percent(3) {
            self.now -= 50_000;
        }
        self.now += u64::from(self.dice.below(10_000));
        let mut facts = at(self.now);
        for port in (0..PORTS).filter_map(|offset| Port::new(FIRST_PORT + offset)) {
            if self.dice.percent(6) {
                let occupant = Occupant {
                    holder: self.holder(),
                    ancestors: self.holder().into_iter().collect(),
                    name: Some(Name::literal("node")),
                    ..Occupant::default()
                };
                let is_known = self.dice.percent(70);
                facts.occupied.insert(port, is_known.then_some(occupant));
            }
        }
        for lease in leases.iter().filter(|_| self.dice.percent(10)) {
            let occupant = Occupant {
                holder: lease.parties().last().cloned(),
                ..Occupant::default()
            };
            facts.occupied.insert(lease.port, Some(occupant));
        }
        for party in holders() {
            if self.dice.percent(20) {
                facts.dead.insert(party);
            }
        }
        if self.dice.percent(10) {
            facts.system_reserved.insert(self.port());
        }
        facts.unprivileged_start = self.dice.percent(5).then(|| self.port());
        facts
    }

    fn request(&mut self, leases: &Leases) -> Request {
        let count = 1 + usize::from(self.dice.below(3));
        let first = usize::from(self.dice.below(5));
        let names = SERVICES.iter().cycle().skip(first).take(count);
        let services = names.map(|name| self.service(name)).collect();
        let mut request = Request::new(self.project(), services);
        request.holder = self.holder();
        let running = [IfRunning::Attach, IfRunning::Another, IfRunning::Takeover];
        request.if_running = self.dice.pick(&running);
        request.force_new = self.dice.percent(10);
        request.skip_port_check = self.dice.percent(10);
        let strategies = [
            Strategy::Conservative,
            Strategy::Minimal,
            Strategy::Aggressive,
        ];
        request.strategy = self.dice.pick(&strategies);
        request.auto_reassign = self.dice.percent(85);
        if self.dice.percent(10) {
            request.exclude.insert(self.port());
            request.exclude.extend(leases.ports().first());
        }
        if self.dice.percent(10) {
            let pool = |name, first, last| Pool {
                name: Name::literal(name),
                range: PortRange::literal(first, last),
            };
            let pools = vec![pool("red", 3000, 3005), pool("blue", 3010, 3012)];
            request.pools = Pools::new(pools).unwrap_or_default();
            request.pool = self.dice.percent(50).then(|| Name::literal("red"));
        }
        request
    }

    fn service(&mut self, name: &str) -> Service {
        let ranges = [(3000, 3007), (3004, 3011), (3000, 3023), (3002, 3002)];
        let (first, last) = self.dice.pick(&ranges);
        let mut service = service(name, first, last);
        service.framework = Name::literal(self.dice.pick(&["vite", "vite", "vite", "next"]));
        if self.dice.percent(20) {
            service.explicit = Some(Explicit {
                port: self.port(),
                strict: self.dice.percent(60),
            });
        }
        while self.dice.percent(20) {
            service.preferred.push(self.port());
        }
        service.default = self.dice.percent(50).then(|| service.range.last());
        service.start = self.dice.percent(10).then(|| self.port());
        if self.dice.percent(20) {
            service.spillover.push(PortRange::literal(3012, 3014));
        }
        let emergency = PortRange::literal(3020, 3023);
        service.emergency = self.dice.percent(20).then_some(emergency);
        service.priority = self.dice.pick(&[0, 0, 0, -5, 7]);
        while self.dice.percent(25) {
            let speaks = [Capability::Http, Capability::Https, Capability::Tcp];
            service.requires.push(self.dice.pick(&speaks));
        }
        let others = |commands: &mut Self| Name::literal(commands.dice.pick(SERVICES));
        if self.dice.percent(25) {
            service.inherit_from = Some(others(self));
        }
        if self.dice.percent(10) {
            service.conflicts.push(others(self));
        }
        service
    }

    fn renew(&mut self, leases: &Leases) -> Renew {
        let (key, generation) = self.granted(leases);
        Renew {
            key,
            generation,
            holder: self.holder(),
        }
    }

    fn confirm(&mut self, leases: &Leases) -> Confirm {
        let (key, generation) = self.granted(leases);
        Confirm {
            key,
            generation,
            listener: self.holder(),
            port: self.dice.percent(30).then(|| self.port()),
        }
    }

    fn release(&mut self, leases: &Leases) -> Release {
        let (key, generation) = self.granted(leases);
        match self.dice.below(3) {
            0 => Release::granted(key, generation),
            1 => Release {
                service: Some(key.service),
                holder: self.holder(),
                force: self.dice.percent(50),
                ..Release::by_project(key.project)
            },
            _ => Release {
                instance: self.dice.percent(50).then_some(key.instance),
                holder: self.holder(),
                force: self.dice.percent(30),
                ..Release::by_project(key.project)
            },
        }
    }

    fn sweep(&mut self, leases: &Leases) -> Sweep {
        let mut suspects = Vec::new();
        for _ in 0..self.dice.below(8) {
            let (key, generation) = self.granted(leases);
            suspects.push(Suspect { key, generation });
        }
        let abandoned = self.dice.percent(50);
        Sweep {
            suspects,
            abandoned_after_millis: abandoned.then(|| u64::from(self.dice.below(60_000))),
        }
    }

    /// A lease by one of its keys and its generation, which now and then is an old one.
    fn granted(&mut self, leases: &Leases) -> (LeaseKey, Generation) {
        let rows: Vec<&Lease> = leases.iter().collect();
        if rows.is_empty() || self.dice.percent(5) {
            let service = Name::literal(self.dice.pick(SERVICES));
            return (LeaseKey::new(self.project(), service), Generation::new(1));
        }
        let lease = self.dice.pick(&rows);
        let follower = lease.followers.first().filter(|_| self.dice.percent(30));
        let key = match follower {
            Some(follower) => lease.key.sibling(follower.service.clone()),
            None => lease.key.clone(),
        };
        let is_outdated = self.dice.percent(15);
        let generation = lease.generation.get() - u64::from(is_outdated);
        (key, Generation::new(generation))
    }

    fn project(&mut self) -> Name {
        Name::literal(self.dice.pick(PROJECTS))
    }

    fn port(&mut self) -> Port {
        Port::literal(FIRST_PORT + self.dice.below(PORTS))
    }

    fn holder(&mut self) -> Option<Holder> {
        let is_known = self.dice.percent(70);
        is_known.then(|| self.dice.pick(&holders()))
    }
}

fn holders() -> [Holder; 5] {
    let bare = Process {
        pid: 40,
        started: None,
        boot: None,
        namespace: None,
    };
    let container = Container {
        engine: Name::literal("docker"),
        id: Name::literal("4f66ad9a0b2e"),
    };
    [
        process(10),
        process(20),
        process(30),
        Holder::Process(bare),
        Holder::Container(container),
    ]
}
