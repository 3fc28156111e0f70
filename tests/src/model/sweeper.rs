//! The way of a sweep: read the leases, observe their processes, look at the ports, remove.

use std::mem;

use portlease_core::{Command, Evidence as Why, Lease, Process, Reply, Suspect, Sweep};

use super::kernel::Kernel;
use super::mutant::Mutant;
use super::protocol::Protocol;
use super::sight::{self, Sight};
use super::state::{Evidence, Phase, State, SweeperStep};

/// What sweepers do, each step on a state in which it is possible.
impl Protocol {
    /// It reads the leases.
    pub(super) fn sweeper_reads(&self, state: &mut State, sweeper: usize) {
        let mut sight = Sight::default();
        if self.makes(Mutant::LookBeforeProcesses) {
            sight.occupied = sight::occupied(state, false);
        }
        let registry = state.registry.clone();
        state.sweepers[sweeper].step = SweeperStep::Read(registry, sight);
    }

    /// It observes which of the processes that the leases name have ended.
    pub(super) fn sweeper_observes(&self, state: &mut State, sweeper: usize) {
        let step = &mut state.sweepers[sweeper].step;
        let SweeperStep::Read(read, mut sight) = mem::replace(step, SweeperStep::Resting) else {
            return;
        };
        let has_ended = if self.makes(Mutant::SweepOnUnknownStartTime) {
            has_ended_or_is_unknown
        } else {
            sight::has_ended
        };
        sight.ended = sight::ended(read.leases(), &state.kernel, has_ended);
        let sweeps_abandoned = self.abandoned_after_millis().is_some();
        let is_suspect = |lease: &&Lease| {
            let mut parties = lease.parties().peekable();
            match parties.peek() {
                Some(_) => parties.all(|party| sight.ended.contains(party)),
                None => sweeps_abandoned,
            }
        };
        let suspects = read.leases().iter().filter(is_suspect);
        let suspects: Vec<_> = suspects
            .map(|lease| (lease.key.clone(), lease.generation))
            .collect();
        if !suspects.is_empty() {
            state.sweepers[sweeper].step = SweeperStep::Observed(Evidence {
                suspects,
                sight,
                at: state.kernel.now(),
            });
        }
    }

    /// It looks at the ports. Only now: a server that came before its starter ended is seen then.
    pub(super) fn sweeper_looks(&self, state: &mut State, sweeper: usize) {
        let occupied = sight::occupied(state, false);
        let now = state.kernel.now();
        let step = &mut state.sweepers[sweeper].step;
        if let SweeperStep::Observed(mut evidence) = mem::replace(step, SweeperStep::Resting) {
            if !self.makes(Mutant::LookBeforeProcesses) && !self.makes(Mutant::ForgetOrphans) {
                evidence.sight.occupied = occupied;
            }
            evidence.at = now;
            *step = SweeperStep::Looked(evidence);
        }
    }

    /// It removes what the evidence speaks against.
    pub(super) fn sweeper_sweeps(&self, state: &mut State, sweeper: usize) {
        let step = &mut state.sweepers[sweeper].step;
        let SweeperStep::Looked(evidence) = mem::replace(step, SweeperStep::Resting) else {
            return;
        };
        let leases = state.registry.leases();
        let suspect = |(key, observed)| {
            let present = leases.get(&key).map(|lease| lease.generation);
            let generation = if self.makes(Mutant::NoCompareAndSwap) {
                present.unwrap_or(observed)
            } else {
                observed
            };
            Suspect { key, generation }
        };
        let command = Command::Sweep(Sweep {
            suspects: evidence.suspects.into_iter().map(suspect).collect(),
            abandoned_after_millis: self.abandoned_after_millis(),
        });
        let time = if self.makes(Mutant::SweepByLaterClock) {
            state.kernel.now()
        } else {
            evidence.at
        };
        let facts = evidence.sight.facts(time);
        let decision = state.registry.transact(&command, &facts);
        let Ok(Reply::Swept(swept)) = decision.map(|decision| decision.reply) else {
            unreachable!("a sweep is answered with what was swept");
        };
        // Who took a port on behalf of others and never came back to it does not rely on it, until
        // a server was seen.
        for removed in &swept.removed {
            let callers = state.callers.iter_mut();
            for caller in callers.filter(|caller| !matches!(caller.phase, Phase::Live(_))) {
                for grant in caller.grants_mut() {
                    let is_it = grant.key == removed.lease.key
                        && grant.generation == removed.lease.generation;
                    grant.is_owed &= !is_it || removed.evidence != Why::Abandoned;
                }
            }
        }
        let sweeper = &mut state.sweepers[sweeper];
        sweeper.rounds_left -= 1;
        if !swept.removed.is_empty() {
            sweeper.step = SweeperStep::Removed;
        }
    }

    fn abandoned_after_millis(&self) -> Option<u64> {
        (self.scenario.ticks > 0).then_some(1)
    }
}

/// What a careless observer says of a process.
fn has_ended_or_is_unknown(process: &Process, kernel: &Kernel) -> bool {
    process.started.is_none() || sight::has_ended(process, kernel)
}
