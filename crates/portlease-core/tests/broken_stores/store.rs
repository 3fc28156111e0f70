//! A store in memory that is right but for one fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use portlease_core::conformance::Registry;
use portlease_core::{
    Change, Command, Decision, Facts, Generation, Host, Lease, LeaseKey, Leases, Mark, Name,
    Refusal, Scope, Store, StoreError, StoreErrorKind, TransactError, decide, refused,
};

use crate::fault::Fault;
use crate::meeting::Meeting;

/// A registry whose stores have one fault.
pub(crate) struct BrokenRegistry {
    fault: Fault,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    hosts: Mutex<BTreeMap<Host, Leases>>,
    is_made: AtomicBool,
    openings: AtomicUsize,
    meeting: Meeting,
}

impl BrokenRegistry {
    pub(crate) fn with(fault: Fault) -> Self {
        Self {
            fault,
            shared: Arc::default(),
        }
    }
}

impl Registry for BrokenRegistry {
    fn open(&self) -> Box<dyn Store> {
        let shared = Arc::clone(&self.shared);
        shared.openings.fetch_add(1, Ordering::SeqCst);
        if matches!(self.fault, Fault::MakesItTwice) && !shared.is_made.load(Ordering::SeqCst) {
            shared.meeting.waits_for_another_reader();
            shared.hosts().clear();
            shared.is_made.store(true, Ordering::SeqCst);
        }
        Box::new(BrokenStore {
            fault: self.fault,
            shared,
            seen: Mutex::default(),
        })
    }
}

impl Shared {
    fn hosts(&self) -> MutexGuard<'_, BTreeMap<Host, Leases>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct BrokenStore {
    fault: Fault,
    shared: Arc<Shared>,
    /// What this opening saw when it first looked, and what it did itself since.
    seen: Mutex<BTreeMap<Host, Leases>>,
}

impl Store for BrokenStore {
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError> {
        match self.fault {
            Fault::Panics => panic!("the store panics"),
            Fault::Breaks => return Err(broken().into()),
            _ => {}
        }
        let host = self.host(host);
        let mut hosts = self.shared.hosts();
        let mut leases = self.leases(&hosts, &host);
        if matches!(self.fault, Fault::LosesUpdates) {
            drop(hosts);
            self.shared.meeting.waits_for_another_reader();
            hosts = self.shared.hosts();
            let is_lost = hosts.get(&host).is_some_and(|current| *current != leases);
            self.shared.meeting.has_lost(is_lost);
        }
        let command = self.understood(command, &leases);
        let answer = match self.fault {
            Fault::DecidesOn(scope) => {
                decide(&leases.within(&scope(&command.scope())), &command, facts)
            }
            _ => decide(&leases, &command, facts),
        };
        let changes = self.changes(&command, &answer);
        if matches!(self.fault, Fault::ReadsStale) {
            leases.apply_all(&changes);
            self.seen().insert(host.clone(), leases);
            leases = hosts.remove(&host).unwrap_or_default();
        }
        for change in &changes {
            self.apply(&mut leases, change);
        }
        hosts.insert(host, self.as_it_is_kept(leases));
        self.shared.meeting.has_written();
        let mut decision = answer?;
        if matches!(self.fault, Fault::CutsTraces) {
            decision.trace.steps.truncate(1);
        }
        Ok(decision)
    }

    fn transact_observing(
        &self,
        host: &Host,
        command: &Command,
        facts: &mut Facts,
        observe: &mut dyn FnMut(&Leases, &mut Facts),
    ) -> Result<Decision, TransactError> {
        let shown = match self.fault {
            Fault::ShowsNothing => Leases::default(),
            _ => self.load(host, &command.scope())?,
        };
        let before = facts.clone();
        observe(&shown, facts);
        match self.fault {
            Fault::IgnoresObservations => self.transact(host, command, &before),
            _ => self.transact(host, command, facts),
        }
    }

    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        let host = self.host(host);
        let mut leases = self.leases(&self.shared.hosts(), &host);
        match self.fault {
            Fault::Loads(other) => return Ok(leases.within(&other(scope))),
            Fault::LoadsAtMost(count) => {
                let rest: Vec<LeaseKey> = leases
                    .iter()
                    .skip(count)
                    .map(|lease| lease.key.clone())
                    .collect();
                leases.apply_all(&rest.into_iter().map(Change::End).collect::<Vec<_>>());
            }
            Fault::TearsLoads => {
                self.shared.meeting.waits_for_a_writer();
                let later = self.leases(&self.shared.hosts(), &host);
                let forgotten: Vec<Change> = leases
                    .memories()
                    .map(|memory| Change::Forget(memory.key.clone()))
                    .collect();
                leases.apply_all(&forgotten);
                let remembered: Vec<Change> =
                    later.memories().cloned().map(Change::Remember).collect();
                leases.apply_all(&remembered);
            }
            _ => {}
        }
        Ok(leases.within(scope))
    }

    fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        match self.fault {
            Fault::Panics => panic!("the store panics"),
            Fault::Breaks => Err(broken()),
            Fault::ForgetsHosts => Ok(Vec::new()),
            _ => Ok(self.shared.hosts().keys().cloned().collect()),
        }
    }

    fn wait_for_change(
        &self,
        _host: &Host,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, StoreError> {
        match (self.fault, seen) {
            (Fault::Panics, _) => panic!("the store panics"),
            (Fault::Breaks, _) => Err(broken()),
            (Fault::KeepsChangesSecret, Some(seen)) => {
                thread::park_timeout(at_most);
                Ok(seen)
            }
            (Fault::WaitsTooLong, Some(seen)) => {
                thread::park_timeout(at_most + Duration::from_secs(5));
                Ok(seen)
            }
            // Whoever asks may be answered although nothing changed.
            _ => Ok(Mark::new(0, 0)),
        }
    }
}

impl BrokenStore {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<Host, Leases>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host that it takes this one for.
    fn host(&self, host: &Host) -> Host {
        match self.fault {
            Fault::FoldsHosts => Host::new(Name::literal(host.name().to_lowercase().trim())),
            _ => host.clone(),
        }
    }

    fn leases(&self, hosts: &BTreeMap<Host, Leases>, host: &Host) -> Leases {
        let leases = hosts.get(host).cloned();
        match self.fault {
            Fault::ReadsStale => self
                .seen()
                .entry(host.clone())
                .or_insert_with(|| leases.unwrap_or_default())
                .clone(),
            Fault::BeginsWithAGrant => leases.unwrap_or_else(|| generation(1)),
            _ => leases.unwrap_or_default(),
        }
    }

    /// The command that it takes this one for.
    fn understood(&self, command: &Command, leases: &Leases) -> Command {
        let current = |key: &LeaseKey| leases.get(key).map(|lease| lease.generation);
        let mut command = command.clone();
        match (self.fault, &mut command) {
            (Fault::IgnoresGenerations, Command::Renew(renew)) => {
                renew.generation = current(&renew.key).unwrap_or(renew.generation);
            }
            (Fault::IgnoresGenerations, Command::Confirm(confirm)) => {
                confirm.generation = current(&confirm.key).unwrap_or(confirm.generation);
            }
            (Fault::IgnoresGenerations, Command::Release(release)) => {
                release.force |= release.generation.is_some();
            }
            (Fault::SweepsByName, Command::Sweep(sweep)) => {
                for suspect in &mut sweep.suspects {
                    suspect.generation = current(&suspect.key).unwrap_or(suspect.generation);
                }
            }
            (Fault::FoldsProjects, Command::Reserve(request)) => {
                request.project = Name::literal(&request.project.to_lowercase());
            }
            _ => {}
        }
        command
    }

    /// What it changes after this answer.
    fn changes(&self, command: &Command, answer: &Result<Decision, Refusal>) -> Vec<Change> {
        let mut changes = match answer {
            Ok(decision) => decision.changes.clone(),
            Err(_) if matches!(self.fault, Fault::CountsNoRefusals) => Vec::new(),
            Err(_) => refused(command).into_iter().collect(),
        };
        match (self.fault, command) {
            (Fault::AppliesHalf, _) => changes.truncate(changes.len().div_ceil(2)),
            (Fault::AppliesTwice, _) => changes.extend_from_within(..),
            (Fault::ChangesOneProject, Command::Reserve(request)) => {
                let is_own = |lease: &Lease| lease.key.project == request.project;
                changes.retain(|change| match change {
                    Change::Grant(lease) | Change::Update(lease) => is_own(lease),
                    _ => true,
                });
            }
            (Fault::CountsQuestions, Command::Explain(request)) => {
                changes.extend(refused(&Command::Reserve(request.clone())));
            }
            _ => {}
        }
        changes
    }

    fn apply(&self, leases: &mut Leases, change: &Change) {
        let mut change = change.clone();
        match (self.fault, &mut change) {
            // Two rows of one service: whoever reads them meets the older one first.
            (Fault::LeavesTheOldRow, Change::Update(lease)) if leases.at(lease.port).is_none() => {
                return;
            }
            (Fault::ForgetsSweeps, Change::Swept { .. }) => return,
            (Fault::StoresLease(edit), Change::Grant(lease) | Change::Update(lease)) => edit(lease),
            (Fault::StoresMemory(edit), Change::Remember(memory)) => edit(memory),
            (Fault::Counts(edit), Change::Count(counters)) => edit(counters),
            _ => {}
        }
        leases.apply(&change);
    }

    fn as_it_is_kept(&self, leases: Leases) -> Leases {
        match self.fault {
            Fault::CountsGenerationsByLeases => {
                let last = leases.iter().map(|lease| lease.generation).max();
                edited(leases, "lastGeneration", last.unwrap_or_default())
            }
            Fault::ForgetsUsage => edited(leases, "usage", [(); 0]),
            _ => leases,
        }
    }
}

impl Drop for BrokenStore {
    fn drop(&mut self) {
        let others = self.shared.openings.fetch_sub(1, Ordering::SeqCst) - 1;
        if matches!(self.fault, Fault::ForgetsWhenClosed) && others == 0 {
            self.shared.hosts().clear();
        }
    }
}

fn broken() -> StoreError {
    StoreError {
        kind: StoreErrorKind::Full,
        problem: "No room is left.".into(),
        remedy: "Make some.".into(),
    }
}

fn generation(last: u64) -> Leases {
    edited(Leases::default(), "lastGeneration", Generation::new(last))
}

fn edited(leases: Leases, field: &str, value: impl serde::Serialize) -> Leases {
    let mut snapshot = serde_json::to_value(leases).expect("leases are JSON");
    snapshot[field] = serde_json::to_value(value).expect("a field is JSON");
    serde_json::from_value(snapshot).expect("the edited leases are valid")
}
