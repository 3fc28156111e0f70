//! The protocol as a model: where it begins, and which steps are possible in a state.

use portlease_core::{Name, Port, Request, Service};
use stateright::{Model, Property};

use super::kernel::{Kernel, Listener};
use super::mutant::Mutant;
use super::properties;
use super::registry::Registry;
use super::scenario::{Scenario, Server};
use super::state::{Caller, Phase, State, Sweeper, SweeperStep};

/// A scenario, with or without a known mistake in it.
#[derive(Debug)]
pub struct Protocol {
    pub(super) scenario: Scenario,
    pub(super) requests: Vec<Request>,
    mutant: Option<Mutant>,
}

/// One step of somebody, who is named by a number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are sentences")]
pub enum Step {
    CallerStarts(usize, Start),
    CallerReserves(usize),
    CallerEndsVictims(usize),
    CallerBinds(usize),
    CallerBindsUnasked(usize),
    CallerConfirms { caller: usize, knows_listener: bool },
    CallerStops(usize),
    CallerIsKilled { caller: usize, with_child: bool },
    ReleaseArrives(usize),
    OrphanEnds(usize),
    SweeperReads(usize),
    SweeperObserves(usize),
    SweeperLooks(usize),
    SweeperSweeps(usize),
    ForeignTakes(Port),
    ForeignLeaves(Port),
    ClockMoves,
}

/// How a process begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Its pid.
    pub pid: u32,
    /// Whether it can tell when it started.
    pub knows_its_time: bool,
    /// Whether its look tells who listens.
    pub tells_who: bool,
}

impl Protocol {
    /// The scenario with a mistake, or as it should be.
    #[must_use]
    pub fn new(scenario: Scenario, mutant: Option<Mutant>) -> Self {
        let request = |service: u8| {
            let name = Name::literal(&format!("service-{service}"));
            let service = Service::in_range(name, scenario.range());
            Request::new(Name::literal("project"), vec![service])
        };
        let callers = scenario.callers.iter();
        Self {
            requests: callers.map(|role| request(role.service)).collect(),
            scenario,
            mutant,
        }
    }

    /// Whether this mistake is made.
    pub(super) fn makes(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn caller_steps(&self, state: &State, index: usize, steps: &mut Vec<Step>) {
        let scenario = &self.scenario;
        let caller = &state.callers[index];
        let server = scenario.callers[index].server;
        match &caller.phase {
            Phase::Gone | Phase::Refused | Phase::Attached => {
                if caller.lives_left > 0 {
                    self.starts(state, index, steps);
                }
            }
            Phase::Asking(_) if self.makes(Mutant::BindBeforeLease) => {
                steps.push(Step::CallerBindsUnasked(index));
                steps.push(Step::CallerReserves(index));
            }
            Phase::Asking(_) => steps.push(Step::CallerReserves(index)),
            Phase::Granted { victims, .. } if !victims.is_empty() => {
                steps.push(Step::CallerEndsVictims(index));
            }
            Phase::Granted { .. } => steps.push(Step::CallerBinds(index)),
            Phase::Listening(_) => {
                for knows_listener in either(true, server != Server::Caller) {
                    steps.push(Step::CallerConfirms {
                        caller: index,
                        knows_listener,
                    });
                }
            }
            Phase::Live(_) if caller.release.is_none() => steps.push(Step::CallerStops(index)),
            Phase::Live(_) | Phase::Unleased(..) => {}
        }
        if caller.phase.process().is_some() {
            let has_child = match &caller.phase {
                Phase::Listening(serving) | Phase::Live(serving) => serving.child.is_some(),
                _ => false,
            };
            for with_child in either(true, has_child && caller.orphan.is_none()) {
                steps.push(Step::CallerIsKilled {
                    caller: index,
                    with_child,
                });
            }
        }
        if caller.release.is_some() {
            steps.push(Step::ReleaseArrives(index));
        }
        if caller.orphan.is_some() {
            steps.push(Step::OrphanEnds(index));
        }
    }

    fn starts(&self, state: &State, caller: usize, steps: &mut Vec<Step>) {
        let fresh = state.kernel.fresh_pid();
        let pids = state.kernel.free_pids();
        for pid in pids.filter(|pid| self.scenario.reuses_pids || *pid == fresh) {
            for knows_its_time in either(true, self.scenario.unknown_starts) {
                for tells_who in either(true, self.scenario.unknown_listeners) {
                    let start = Start {
                        pid,
                        knows_its_time,
                        tells_who,
                    };
                    steps.push(Step::CallerStarts(caller, start));
                }
            }
        }
    }

    fn sweeper_step(state: &State, index: usize) -> Option<Step> {
        let sweeper = &state.sweepers[index];
        match sweeper.step {
            SweeperStep::Resting | SweeperStep::Removed => {
                let begins = sweeper.rounds_left > 0 && !state.registry.leases().is_empty();
                begins.then_some(Step::SweeperReads(index))
            }
            SweeperStep::Read(..) => Some(Step::SweeperObserves(index)),
            SweeperStep::Observed(_) => Some(Step::SweeperLooks(index)),
            SweeperStep::Looked(_) => Some(Step::SweeperSweeps(index)),
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let Scenario {
            ports,
            ports_outside,
            callers,
            lives,
            sweepers,
            rounds,
            foreign_moves,
            ticks,
            ..
        } = self.scenario;
        let caller = Caller {
            lives_left: lives,
            phase: Phase::Gone,
            release: None,
            orphan: None,
        };
        let sweeper = Sweeper {
            rounds_left: rounds,
            step: SweeperStep::Resting,
        };
        vec![State {
            registry: Registry::empty(),
            kernel: Kernel::new(ports + ports_outside),
            callers: vec![caller; callers.len()],
            sweepers: vec![sweeper; usize::from(sweepers)],
            foreign_moves_left: foreign_moves,
            ticks_left: ticks,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for index in 0..state.callers.len() {
            self.caller_steps(state, index, steps);
        }
        for index in 0..state.sweepers.len() {
            // Of sweepers that have come equally far, it does not matter which goes on.
            let is_equal = index > 0 && state.sweepers[index] == state.sweepers[index - 1];
            if !is_equal {
                steps.extend(Self::sweeper_step(state, index));
            }
        }
        for port in state.kernel.ports() {
            match state.kernel.listener(port) {
                None if state.foreign_moves_left > 0 => steps.push(Step::ForeignTakes(port)),
                Some(Listener::Foreign) => steps.push(Step::ForeignLeaves(port)),
                _ => {}
            }
        }
        if state.ticks_left > 0 {
            steps.push(Step::ClockMoves);
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        match step {
            Step::CallerStarts(caller, start) => self.start(&mut state, caller, start),
            Step::CallerReserves(caller) => self.reserve(&mut state, caller),
            Step::CallerEndsVictims(caller) => Self::end_victims(&mut state, caller),
            Step::CallerBinds(caller) => self.bind(&mut state, caller),
            Step::CallerBindsUnasked(caller) => self.bind_unasked(&mut state, caller),
            Step::CallerConfirms {
                caller,
                knows_listener,
            } => Self::confirm(&mut state, caller, knows_listener),
            Step::CallerStops(caller) => Self::stop(&mut state, caller),
            Step::CallerIsKilled { caller, with_child } => {
                Self::kill(&mut state, caller, with_child);
            }
            Step::ReleaseArrives(caller) => self.deliver_release(&mut state, caller),
            Step::OrphanEnds(caller) => Self::end_orphan(&mut state, caller),
            Step::SweeperReads(sweeper) => self.sweeper_reads(&mut state, sweeper),
            Step::SweeperObserves(sweeper) => self.sweeper_observes(&mut state, sweeper),
            Step::SweeperLooks(sweeper) => self.sweeper_looks(&mut state, sweeper),
            Step::SweeperSweeps(sweeper) => self.sweeper_sweeps(&mut state, sweeper),
            Step::ForeignTakes(port) => {
                state.foreign_moves_left -= 1;
                let _ = state.kernel.bind(port, Listener::Foreign);
            }
            Step::ForeignLeaves(port) => state.kernel.close(port),
            Step::ClockMoves => {
                state.ticks_left -= 1;
                state.kernel.tick();
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

/// The one, and the other as well when it can happen.
fn either(one: bool, other_too: bool) -> impl Iterator<Item = bool> {
    [Some(one), other_too.then_some(!one)].into_iter().flatten()
}
