//! What became of the leases of a machine: commands of several processes that die, programs of others that come and go,
//! observations that are old when they are used, and restarts.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::drafts::Draft;
use super::ledger::Ledger;
use super::machine::{Event, Machine};
use crate::{
    Command, Decision, Facts, Granted, Holder, IfRunning, Lease, LeaseStatus, Leases, Occupant,
    Outcome, Port, Refusal, Reply, Request, Reserved, Service, Strategy, Suspect, Sweep, Timestamp,
    Validated, ValidatedLease, refused,
};

/// Why a decision could not be had, in a sentence.
type Problem = String;

/// Whoever decides about a command: [`decide`](crate::decide()) alone, or a store with the very same leases.
pub(crate) type Decider<'a> =
    &'a mut dyn FnMut(&Leases, &Command, &Facts) -> Result<Result<Decision, Refusal>, Problem>;

/// The leases, beside a ledger that learns of them from the replies alone.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) leases: Leases,
    ledger: Ledger,
    /// Who is on a port: a process of ours, or nobody that we know.
    listening: BTreeMap<Port, Option<Holder>>,
    observed: Option<(Sweep, Facts)>,
}

impl History {
    /// What an event brings about on a machine that it has happened to.
    ///
    /// # Panics
    ///
    /// When a decision breaks a promise.
    pub(crate) fn goes_on(
        &mut self,
        machine: &Machine,
        event: Event,
        decide: Decider<'_>,
    ) -> Result<(), Problem> {
        match event {
            Event::Decide(pid, draft) => {
                let draft = of_process(draft, machine.holder(pid));
                let command = draft.command(&self.leases);
                let facts = self.facts(machine);
                self.decide(machine, &command, &facts, decide)?;
            }
            Event::Listens(pid) => self.listen(machine.holder(pid).as_ref()),
            Event::Dies(_) | Event::Restarts => {
                let is_there = |on: &Option<Holder>| match on {
                    Some(holder) => machine.is_running(holder),
                    None => !machine.running.is_empty(),
                };
                self.listening.retain(|_, on| is_there(on));
            }
            Event::Intrudes(port) => drop(self.listening.entry(port).or_insert(None)),
            Event::Leaves(port) => {
                if self.listening.get(&port) == Some(&None) {
                    self.listening.remove(&port);
                }
            }
            Event::Observes => self.observed = Some(self.observe(machine)),
            Event::Sweeps => {
                if let Some((sweep, facts)) = self.observed.take() {
                    self.decide(machine, &Command::Sweep(sweep), &facts, decide)?;
                }
            }
            Event::Starts(_) => {}
        }
        self.check();
        Ok(())
    }

    fn check(&self) {
        assert_eq!(self.leases.check(), Ok(()));
        assert_eq!(
            self.ledger,
            Ledger::of(&self.leases),
            "the replies tell everything"
        );
        self.ledger.check();
    }
}

/// The draft as a running process makes it.
fn of_process(draft: Draft, holder: Option<Holder>) -> Draft {
    match draft {
        Draft::Reserve(request) => Draft::Reserve(Request {
            holder: request.holder.as_ref().and(holder),
            ..request
        }),
        Draft::Renew(target, new) => Draft::Renew(target, new.and(holder)),
        Draft::Confirm(target, listener, port) => {
            Draft::Confirm(target, listener.and(holder), port)
        }
        Draft::Release(target, by, _) => Draft::Release(target, by.and(holder), false),
        Draft::ReleaseAll(key, by, _) => Draft::ReleaseAll(key, by.and(holder), false),
        draft => draft,
    }
}

impl History {
    /// Everything that can be seen of the machine.
    fn facts(&self, machine: &Machine) -> Facts {
        let mut facts = Facts::at(Timestamp::from_millis(machine.now));
        for (port, holder) in &self.listening {
            let occupant = holder.clone().map(|holder| Occupant {
                holder: Some(holder),
                ..Occupant::default()
            });
            facts.occupied.insert(*port, occupant);
        }
        let parties = self.leases.iter().flat_map(Lease::parties);
        let dead = parties.filter(|party| !machine.is_running(party)).cloned();
        facts.dead = dead.collect::<BTreeSet<_>>();
        facts
    }

    fn observe(&self, machine: &Machine) -> (Sweep, Facts) {
        let suspects = self.leases.iter().map(|lease| Suspect {
            key: lease.key.clone(),
            generation: lease.generation,
        });
        let sweep = Sweep {
            suspects: suspects.collect(),
            abandoned_after_millis: Some(8),
        };
        (sweep, self.facts(machine))
    }

    fn listen(&mut self, holder: Option<&Holder>) {
        let of_holder = self
            .leases
            .iter()
            .filter(|lease| lease.holder.as_ref() == holder);
        for port in of_holder.map(|lease| lease.port).collect::<Vec<_>>() {
            self.listening
                .entry(port)
                .or_insert_with(|| holder.cloned());
        }
    }

    fn decide(
        &mut self,
        machine: &Machine,
        command: &Command,
        facts: &Facts,
        decide: Decider<'_>,
    ) -> Result<(), Problem> {
        let before = self.leases.clone();
        match decide(&before, command, facts)? {
            Ok(decision) => {
                self.leases.apply_all(&decision.changes);
                self.ledger.note(&decision.reply, &self.leases);
                self.check_runners(machine, command, &before);
                match (command, &decision.reply) {
                    (Command::Reserve(request), Reply::Reserved(reserved)) => {
                        self.check_ports(request, reserved);
                    }
                    (_, Reply::Validated(validated)) => self.check_statuses(validated),
                    _ => {}
                }
            }
            Err(refusal) => {
                self.leases.apply_all(refused(command).as_slice());
                check_refusal(&refusal, command, &before);
            }
        }
        Ok(())
    }

    /// Nobody who runs loses a lease, unless somebody asked for just that.
    fn check_runners(&self, machine: &Machine, command: &Command, before: &Leases) {
        for lease in before.iter() {
            let is_alive = |party: &&Holder| machine.is_running(party);
            let runners: Vec<&Holder> = lease.parties().filter(is_alive).collect();
            let right = |lease: &Lease| (lease.port, lease.generation);
            let is_kept = self.leases.get(&lease.key).map(right) == Some(right(lease));
            assert!(
                is_kept || runners.is_empty() || self.may_end(command, lease, &runners),
                "{command:?} took {lease:?} from somebody who runs"
            );
        }
    }

    /// Whether the command may end or move the lease of somebody who runs.
    fn may_end(&self, command: &Command, lease: &Lease, runners: &[&Holder]) -> bool {
        let is_of = |holder: &Option<Holder>| runners.iter().all(|it| holder.as_ref() == Some(*it));
        match command {
            // Who knows the generation is the owner.
            Command::Confirm(confirm) => confirm.generation == lease.generation,
            Command::Release(release) => match release.generation {
                Some(generation) => generation == lease.generation,
                None => is_of(&release.holder),
            },
            Command::Reserve(request) => {
                let asks = |service: &Service| service.name == lease.key.service;
                let is_own = request.project == lease.key.project;
                if is_own && request.services.iter().any(asks) {
                    return request.if_running != IfRunning::Another || is_of(&request.holder);
                }
                let listens = self.listening.contains_key(&lease.port) && !request.skip_port_check;
                let insists = |service: &Service| insists_on(service, lease.port);
                let names = |service: &Service| names(service, lease.port);
                request.auto_reassign
                    && match request.strategy {
                        Strategy::Conservative => false,
                        Strategy::Minimal => !listens && request.services.iter().any(insists),
                        Strategy::Aggressive => request.services.iter().any(names),
                    }
            }
            _ => false,
        }
    }

    /// A port that is new to a service is free, or was taken from one that had to make way.
    fn check_ports(&self, request: &Request, reserved: &Reserved) {
        let is_new = |granted: &&Granted| {
            matches!(granted.outcome, Outcome::New | Outcome::Reallocated)
                && !request.skip_port_check
        };
        for granted in reserved.services.iter().filter(is_new) {
            let on = self.listening.get(&granted.port());
            let is_own = on.is_some_and(|on| on.is_some() && *on == request.holder);
            let made_way = reserved
                .moves
                .iter()
                .any(|moved| moved.from == granted.port());
            assert!(
                on.is_none() || is_own || made_way,
                "{granted:?} is taken by {on:?}"
            );
        }
    }

    fn check_statuses(&self, validated: &Validated) {
        for ValidatedLease { lease, status, .. } in &validated.leases {
            let on = self.listening.get(&lease.port);
            let is_idle = matches!(status, LeaseStatus::Idle | LeaseStatus::Stale);
            let is_own = lease
                .parties()
                .any(|party| on == Some(&Some(party.clone())));
            assert_eq!(is_idle, on.is_none(), "{lease:?}");
            assert!(!is_own || *status == LeaseStatus::Live, "{lease:?}");
        }
    }
}

/// A command about a lease is refused only to those who are not its owner.
fn check_refusal(refusal: &Refusal, command: &Command, before: &Leases) {
    let named = match command {
        Command::Renew(renew) => Some((&renew.key, renew.generation)),
        Command::Confirm(confirm) if confirm.port.is_none() => {
            Some((&confirm.key, confirm.generation))
        }
        _ => None,
    };
    if let Some((key, generation)) = named {
        let lease = before.get(key);
        assert_ne!(
            lease.map(|lease| lease.generation),
            Some(generation),
            "{refusal}"
        );
    }
}

/// Whether the service asks for this very port.
pub(crate) fn names(service: &Service, port: Port) -> bool {
    service.preferred.contains(&port) || service.explicit.is_some_and(|named| named.port == port)
}

pub(crate) fn insists_on(service: &Service, port: Port) -> bool {
    let insists = |named: crate::Explicit| named.strict && named.port == port;
    service.explicit.is_some_and(insists)
}
