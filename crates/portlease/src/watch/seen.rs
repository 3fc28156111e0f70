//! What was seen at the last look, and what a new look says has happened since.

use std::collections::BTreeMap;
use std::mem;

use portlease_core::{Container, LeaseKey, LeaseStatus, PortSet, Timestamp, ValidatedLease};

use super::event::{Event, HealthState, LeaseHealth, WatchedContainer, WatchedLease};

/// What is known of the machine, as a [`Watch`](crate::Watch) saw it last.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    leases: BTreeMap<LeaseKey, WatchedLease>,
    containers: BTreeMap<Container, WatchedContainer>,
    /// The leased ports on which somebody listens.
    listening: PortSet,
    occupied: PortSet,
    is_blind: bool,
}

/// One look at everything that can be seen without asking servers.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) leases: Vec<ValidatedLease>,
    /// The leased ports on which somebody listens.
    pub(super) listening: PortSet,
    pub(super) containers: Vec<WatchedContainer>,
    /// The watched ports on which somebody is.
    pub(super) occupied: PortSet,
    pub(super) at: Timestamp,
}

impl Seen {
    /// The leases, by project and service.
    pub fn leases(&self) -> impl Iterator<Item = &WatchedLease> {
        self.leases.values()
    }

    /// The containers.
    pub fn containers(&self) -> impl Iterator<Item = &WatchedContainer> {
        self.containers.values()
    }

    /// The watched ports on which somebody is.
    pub fn occupied(&self) -> &PortSet {
        &self.occupied
    }

    pub(super) fn leased(&self) -> PortSet {
        self.leases().map(|it| it.validated.lease.port).collect()
    }

    /// Whether any of this is not as it was seen.
    pub(super) fn is_otherwise(
        &self,
        listening: &PortSet,
        occupied: &PortSet,
        containers: &[WatchedContainer],
    ) -> bool {
        self.listening != *listening
            || self.occupied != *occupied
            || self.containers.len() != containers.len()
            || containers
                .iter()
                .any(|it| self.containers.get(&it.container.identity) != Some(it))
    }

    /// The leases whose servers can be asked how they are.
    pub(super) fn listeners(&self) -> impl Iterator<Item = &ValidatedLease> {
        self.leases()
            .filter(|watched| watched.state_without_asking(&self.listening).is_none())
            .map(|watched| &watched.validated)
    }

    /// Takes over a look, and answers what has happened since the last one.
    pub(super) fn take(&mut self, look: Look) -> Vec<Event> {
        let mut events = Vec::new();
        if mem::take(&mut self.is_blind) {
            events.push(Event::Recovered);
        }
        self.listening = look.listening;
        self.take_leases(look.leases, look.at, &mut events);
        self.take_containers(look.containers, &mut events);
        self.take_occupied(look.occupied, &mut events);
        events
    }

    /// Takes over that nothing can be seen. It is told once.
    pub(super) fn take_blindness(&mut self, code: &str, message: String) -> Option<Event> {
        let is_news = !mem::replace(&mut self.is_blind, true);
        is_news.then(|| Event::Blinded {
            code: code.to_owned(),
            message,
        })
    }

    /// Takes over how a server is, unless its lease changed hands since it was asked.
    pub(super) fn take_health(
        &mut self,
        asked: &ValidatedLease,
        health: LeaseHealth,
    ) -> Option<Event> {
        let watched = self.leases.get_mut(&asked.lease.key)?;
        let lease = &watched.validated.lease;
        let is_meant = lease.generation == asked.lease.generation
            && lease.port == asked.lease.port
            && watched.state_without_asking(&self.listening).is_none();
        is_meant.then(|| watched.become_so(health)).flatten()
    }

    fn take_leases(&mut self, leases: Vec<ValidatedLease>, at: Timestamp, events: &mut Vec<Event>) {
        let mut former = mem::take(&mut self.leases);
        let mut news = Vec::new();
        let mut healths = Vec::new();
        for validated in leases {
            let key = validated.lease.key.clone();
            let before = former.remove(&key);
            let is_same_server = before.as_ref().is_some_and(|before| {
                before.validated.lease.port == validated.lease.port
                    && before.validated.lease.generation == validated.lease.generation
            });
            let mut watched = WatchedLease {
                health: before
                    .as_ref()
                    .filter(|_| is_same_server)
                    .and_then(|before| before.health.clone()),
                validated,
            };
            let state = watched.state_without_asking(&self.listening);
            healths.extend(state.and_then(|state| watched.become_so(LeaseHealth::of(state, at))));
            news.extend(happened(before.as_ref(), &watched));
            self.leases.insert(key, watched);
        }
        let ended = former.into_values().map(|watched| Event::LeaseEnded {
            lease: watched.validated.lease,
        });
        // Ends come first: a port passes from one lease to another.
        events.extend(ended);
        events.extend(news);
        events.extend(healths);
    }

    fn take_containers(&mut self, containers: Vec<WatchedContainer>, events: &mut Vec<Event>) {
        let mut former = mem::take(&mut self.containers);
        for container in containers {
            let identity = container.container.identity.clone();
            match former.remove(&identity) {
                None => events.push(Event::ContainerAppeared(container.clone())),
                Some(before) if before != container => {
                    events.push(Event::ContainerChanged(container.clone()));
                }
                Some(_) => {}
            }
            self.containers.insert(identity, container);
        }
        events.extend(former.into_values().map(Event::ContainerGone));
    }

    fn take_occupied(&mut self, occupied: PortSet, events: &mut Vec<Event>) {
        let mut appeared = occupied.clone();
        appeared -= &self.occupied;
        let mut gone = mem::replace(&mut self.occupied, occupied);
        gone -= &self.occupied;
        if !appeared.is_empty() || !gone.is_empty() {
            events.push(Event::OccupancyChanged { appeared, gone });
        }
    }
}

fn happened(before: Option<&WatchedLease>, now: &WatchedLease) -> Option<Event> {
    let Some(before) = before else {
        return Some(Event::LeaseGranted(now.clone()));
    };
    let (former, current) = (&before.validated.lease, &now.validated.lease);
    if former.port != current.port {
        return Some(Event::LeaseMoved {
            from: former.port,
            watched: now.clone(),
        });
    }
    if former.generation != current.generation {
        return Some(Event::LeaseGranted(now.clone()));
    }
    (before.validated != now.validated).then(|| Event::LeaseChanged(now.clone()))
}

impl WatchedLease {
    /// How the server is, as far as that can be told without asking it.
    fn state_without_asking(&self, listening: &PortSet) -> Option<HealthState> {
        match self.validated.status {
            LeaseStatus::Hijacked => Some(HealthState::Hijacked),
            LeaseStatus::Live if listening.contains(self.validated.lease.port) => None,
            LeaseStatus::Live | LeaseStatus::Idle | LeaseStatus::Stale => Some(HealthState::Idle),
        }
    }

    /// Takes over how the server is, and answers it when that is another state than before.
    fn become_so(&mut self, health: LeaseHealth) -> Option<Event> {
        let previous = self.health.as_ref().map(|before| before.state);
        let is_news = previous != Some(health.state);
        // What is only confirmed without asking keeps the time since when it is so.
        if is_news || health.state.is_asked_for() {
            self.health = Some(health.clone());
        }
        is_news.then(|| Event::HealthChanged {
            key: self.validated.lease.key.clone(),
            port: self.validated.lease.port,
            health,
            previous,
        })
    }
}

impl LeaseHealth {
    fn of(state: HealthState, checked_at: Timestamp) -> Self {
        Self {
            state,
            latency_micros: None,
            http_status: None,
            problem: None,
            checked_at,
        }
    }
}

impl HealthState {
    fn is_asked_for(self) -> bool {
        matches!(self, Self::Healthy | Self::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use portlease_core::{
        Command, Facts, Generation, Host, Lease, MemoryStore, Name, PortRange, Reply, Request,
        Service, Store as _,
    };

    use super::*;

    fn lease() -> Lease {
        let service = Service::in_range(Name::literal("web"), PortRange::literal(3000, 3100));
        let request = Request::new(Name::literal("shop"), vec![service]);
        let host = Host::new(Name::literal("laptop"));
        let decision =
            MemoryStore::new().transact(&host, &Command::Reserve(request), &Facts::default());
        match decision.unwrap().reply {
            Reply::Reserved(mut reserved) => reserved.services.remove(0).lease,
            reply => panic!("{reply:?}"),
        }
    }

    fn validated(lease: &Lease, status: LeaseStatus) -> ValidatedLease {
        ValidatedLease {
            lease: lease.clone(),
            status,
            occupant: None,
        }
    }

    fn look(leases: Vec<ValidatedLease>) -> Look {
        let live = |it: &&ValidatedLease| it.status == LeaseStatus::Live;
        Look {
            listening: leases.iter().filter(live).map(|it| it.lease.port).collect(),
            leases,
            ..Look::default()
        }
    }

    /// What happened, in a word each.
    fn words(events: &[Event]) -> Vec<String> {
        let word = |event: &Event| {
            let json = serde_json::to_value(event).unwrap();
            let state = json["health"]["state"].as_str().unwrap_or_default();
            let state = if json["type"] == "healthChanged" {
                state
            } else {
                ""
            };
            format!("{}{state}", json["type"].as_str().unwrap())
        };
        events.iter().map(word).collect()
    }

    /// One lease is seen in one state after the other.
    fn check(states: &[LeaseStatus], expected: &[&[&str]]) {
        let (mut seen, lease) = (Seen::default(), lease());
        let told = states
            .iter()
            .map(|status| words(&seen.take(look(vec![validated(&lease, *status)]))));
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_stranger_in_the_place_of_a_server() {
        check(
            &[LeaseStatus::Live, LeaseStatus::Hijacked, LeaseStatus::Idle],
            &[
                &["leaseGranted"],
                &["leaseChanged", "healthChangedhijacked"],
                &["leaseChanged", "healthChangedidle"],
            ],
        );
    }

    #[test]
    fn what_stays_as_it_is_is_no_news() {
        check(
            &[LeaseStatus::Idle, LeaseStatus::Idle],
            &[&["leaseGranted", "healthChangedidle"], &[]],
        );
    }

    #[test]
    fn a_port_that_passes_on_ends_before_it_is_granted() {
        let mut seen = Seen::default();
        let lease = lease();
        let mut next = lease.clone();
        next.key.project = Name::literal("blog");
        seen.take(look(vec![validated(&lease, LeaseStatus::Live)]));
        let events = seen.take(look(vec![validated(&next, LeaseStatus::Live)]));
        assert_eq!(words(&events), ["leaseEnded", "leaseGranted"]);
    }

    #[test]
    fn the_health_of_the_last_holder_says_nothing_about_the_next() {
        let mut seen = Seen::default();
        let asked = validated(&lease(), LeaseStatus::Live);
        let healthy = LeaseHealth::of(HealthState::Healthy, Timestamp::default());
        seen.take(look(vec![asked.clone()]));
        let mut next = asked.clone();
        next.lease.generation = Generation::new(asked.lease.generation.get() + 1);
        let events = seen.take(look(vec![next.clone()]));
        assert_eq!(words(&events), ["leaseGranted"]);
        assert_eq!(seen.take_health(&asked, healthy.clone()), None);
        let event = seen.take_health(&next, healthy.clone()).into_iter();
        assert_eq!(words(&event.collect::<Vec<_>>()), ["healthChangedhealthy"]);
        assert_eq!(seen.take_health(&next, healthy), None);
    }
}
