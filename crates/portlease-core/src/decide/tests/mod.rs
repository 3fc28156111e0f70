//! Scenarios: a world, a command, and what becomes of it, as text.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::decide;
use crate::{
    Catalog, Change, Command, Explicit, Facts, Generation, Granted, Holder, Lease, LeaseKey,
    LeaseState, Leases, Memory, Name, Occupant, Outcome, Port, PortRange, Process, Refusal, Reply,
    Request, Reserved, Service, Tier, Timestamp,
};

mod explain;
mod instances;
mod lifecycle;
mod ranges;
mod reuse;
mod sets;
mod strategies;

/// What is leased, remembered and observed before the command.
#[derive(Clone, Default)]
struct World {
    leases: Leases,
    facts: Facts,
}

const NOW: u64 = 1_000_000;

impl World {
    fn new() -> Self {
        Self {
            leases: Leases::default(),
            facts: Facts::at(Timestamp::from_millis(NOW)),
        }
    }

    /// A lease taken on behalf of others, written `project/service` or `project/service#instance`.
    fn lease(self, key: &str, port: u16) -> Self {
        self.lease_with(key, port, |_| {})
    }

    /// A lease of a process that was seen listening.
    fn live(self, key: &str, port: u16, pid: u32) -> Self {
        self.lease_with(key, port, |lease| {
            lease.holder = Some(process(pid));
            lease.state = LeaseState::Live;
        })
    }

    /// A lease of a process that was not seen listening yet.
    fn held(self, key: &str, port: u16, pid: u32) -> Self {
        self.lease_with(key, port, |lease| lease.holder = Some(process(pid)))
    }

    fn lease_with(mut self, text: &str, number: u16, adjust: impl FnOnce(&mut Lease)) -> Self {
        let mut lease = Lease {
            key: key(text),
            port: port(number),
            framework: Name::literal("next"),
            generation: self.leases.last_generation().next(),
            state: LeaseState::Reserved,
            holder: None,
            listener: None,
            range: PortRange::literal(3000, 3100),
            tier: Tier::Scan,
            priority: 0,
            requires: Vec::new(),
            followers: Vec::new(),
            granted_at: Timestamp::from_millis(1),
            renewed_at: Timestamp::from_millis(1),
        };
        adjust(&mut lease);
        self.leases.apply(&Change::Grant(lease));
        self
    }

    fn memory(mut self, text: &str, number: u16, released_at: u64) -> Self {
        let released_at = Timestamp::from_millis(released_at);
        self.leases.apply(&Change::Remember(Memory {
            key: key(text),
            port: port(number),
            released_at,
        }));
        self
    }

    fn occupied(mut self, numbers: impl IntoIterator<Item = u16>) -> Self {
        for number in numbers {
            self.facts.occupied.insert(port(number), None);
        }
        self
    }

    fn occupied_by(mut self, number: u16, pid: u32) -> Self {
        let occupant = Occupant {
            holder: Some(process(pid)),
            name: Some(Name::literal("node")),
            ..Occupant::default()
        };
        self.facts.occupied.insert(port(number), Some(occupant));
        self
    }

    fn dead(mut self, pid: u32) -> Self {
        self.facts.dead.insert(process(pid));
        self
    }

    /// Runs a command that must be granted, and the world after it.
    fn after(mut self, command: &Command) -> Self {
        let decision =
            decide(&self.leases, command, &self.facts).expect("a step before the test is granted");
        self.leases.apply_all(&decision.changes);
        self.leases.check().expect("changes keep the leases valid");
        self
    }

    fn reserve(&self, request: &Request) -> Result<Reserved, Refusal> {
        match decide(
            &self.leases,
            &Command::Reserve(request.clone()),
            &self.facts,
        )?
        .reply
        {
            Reply::Reserved(reserved) => Ok(reserved),
            reply => panic!("a reserve is not answered with {reply:?}"),
        }
    }
}

/// One line for each service and each move, or the refusal's code and sentence.
#[track_caller]
fn check(world: &World, request: &Request, expected: &[&str]) {
    let lines = match world.reserve(request) {
        Ok(reserved) => {
            let services = reserved.services.iter().map(granted);
            let moves = reserved.moves.iter().map(|moved| match moved.to {
                Some(to) => alloc::format!("{} moves from {} to {to}", moved.key, moved.from),
                None => alloc::format!("{} is evicted from {}", moved.key, moved.from),
            });
            services.chain(moves).collect()
        }
        Err(refusal) => alloc::vec![alloc::format!("{}: {refusal}", refusal.code())],
    };
    assert_eq!(lines, expected);
    if world.reserve(request).is_ok() {
        // Whatever was granted leaves the leases valid.
        world.clone().after(&Command::Reserve(request.clone()));
    }
}

/// `web 3000 default new`.
fn granted(granted: &Granted) -> String {
    let outcome = match granted.outcome {
        Outcome::New => "new",
        Outcome::Reused => "reused",
        Outcome::Reallocated => "reallocated",
        Outcome::Attached => "attached",
        Outcome::TookOver => "took over",
        Outcome::Inherited => "inherited",
    };
    alloc::format!(
        "{} {} {} {outcome}",
        granted.service,
        granted.port(),
        granted.lease.tier
    )
}

/// Checks the trace of a granted request, line by line.
#[track_caller]
fn check_trace(world: &World, request: &Request, expected: &[&str]) {
    let decision = decide(
        &world.leases,
        &Command::Reserve(request.clone()),
        &world.facts,
    );
    let trace = match &decision {
        Ok(decision) => decision.trace.to_string(),
        Err(refusal) => refusal
            .trace()
            .expect("the refusal is about ports")
            .to_string(),
    };
    assert_eq!(trace.lines().collect::<Vec<_>>(), expected);
}

fn port(number: u16) -> Port {
    Port::literal(number)
}

fn key(text: &str) -> LeaseKey {
    let (project, rest) = text.split_once('/').expect("project/service");
    let (service, instance) = rest.split_once('#').unwrap_or((rest, "1"));
    let instance = instance.parse().expect("the instance is a number");
    LeaseKey {
        project: Name::literal(project),
        service: Name::literal(service),
        instance,
    }
}

fn process(pid: u32) -> Holder {
    Holder::Process(Process {
        pid,
        started: Some(1),
        boot: None,
        namespace: None,
    })
}

/// A request of the project `shop`.
fn shop(services: impl IntoIterator<Item = Service>) -> Request {
    Request::new(Name::literal("shop"), services.into_iter().collect())
}

/// A Next.js service: 3000–3100, first 3000.
fn next(name: &str) -> Service {
    Service::new(Name::literal(name), Catalog::builtin().or_default("next"))
}

/// A Next.js service in a range of its own.
fn within(name: &str, first: u16, last: u16) -> Service {
    let mut service = next(name);
    service.range = PortRange::literal(first, last);
    service.default = None;
    service
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it reads as the value of the field"
)]
fn strict(number: u16) -> Option<Explicit> {
    Some(Explicit {
        port: port(number),
        strict: true,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it reads as the value of the field"
)]
fn wanted(number: u16) -> Option<Explicit> {
    Some(Explicit {
        port: port(number),
        strict: false,
    })
}

/// A value with a few fields set otherwise.
fn with<T>(mut value: T, adjust: impl FnOnce(&mut T)) -> T {
    adjust(&mut value);
    value
}

/// The generation of a lease of the world.
fn generation(world: &World, text: &str) -> Generation {
    world
        .leases
        .get(&key(text))
        .expect("the lease is there")
        .generation
}
