//! The way of a request: look, lease, bind, confirm, release; and what cuts it short.

use std::mem;

use portlease_core::{
    Command, Confirm, Explicit, Granted, Holder, IfRunning, LeaseState, Outcome, Port, Process,
    Release, Reply, Request,
};

use super::kernel::Listener;
use super::mutant::Mutant;
use super::protocol::{Protocol, Start};
use super::registry::Registry;
use super::scenario::{Role, Server, Wish};
use super::sight::{self, Sight};
use super::state::{Asking, Caller, Grant, Orphan, Phase, Serving, State};

/// What callers do, each step on a state in which it is possible.
impl Protocol {
    /// A process begins and looks at the operating system, and at the processes that the leases
    /// name. One that cannot tell when it started is known by its pid alone.
    pub(super) fn start(&self, state: &mut State, caller: usize, start: Start) {
        let mut process = state.kernel.start(start.pid);
        process.started = process.started.filter(|_| start.knows_its_time);
        let ended = sight::ended(state.registry.leases(), &state.kernel, sight::has_ended);
        let occupied = sight::occupied(state, start.tells_who);
        let earlier = self
            .makes(Mutant::LostUpdate)
            .then(|| state.registry.clone());
        let caller = &mut state.callers[caller];
        caller.lives_left -= 1;
        caller.phase = Phase::Asking(Asking {
            process,
            sight: Sight { occupied, ended },
            unbound: None,
            turns: 0,
            earlier,
        });
    }

    /// It asks the registry for a lease.
    pub(super) fn reserve(&self, state: &mut State, caller: usize) {
        let Phase::Asking(mut asking) = mem::replace(&mut state.callers[caller].phase, Phase::Gone)
        else {
            return;
        };
        let request = self.request(caller, &asking.process);
        let facts = asking.sight.facts(state.kernel.now());
        let before = state.registry.clone();
        let earlier = asking.earlier.as_ref().unwrap_or(&before);
        let decision = state
            .registry
            .transact_on(earlier, &Command::Reserve(request), &facts);
        // A request without an end comes to no new state in the end.
        asking.turns = asking.turns.saturating_add(1);
        match decision.map(|decision| decision.reply) {
            Ok(Reply::Reserved(reserved)) => {
                let granted = &reserved.services[0];
                self.forgive(state, caller, &before, granted);
                if granted.outcome == Outcome::Attached {
                    state.kernel.end(asking.process.pid);
                    state.callers[caller].phase = Phase::Attached;
                } else {
                    state.callers[caller].phase = Phase::granted(asking, granted);
                }
            }
            Ok(_) => unreachable!("a reserve is answered with what was reserved"),
            Err(_) => {
                state.kernel.end(asking.process.pid);
                let caller = &mut state.callers[caller];
                // Nobody can use what it could not bind, so it gives that back.
                caller.release = caller.release.take().or(asking.unbound);
                caller.phase = Phase::Refused;
            }
        }
    }

    /// It ends those whose lease it took over.
    pub(super) fn end_victims(state: &mut State, caller: usize) {
        let Phase::Granted { victims, .. } = &mut state.callers[caller].phase else {
            return;
        };
        for victim in mem::take(victims) {
            for other in 0..state.callers.len() {
                if state.callers[other].phase.process() == Some(&victim) {
                    Self::kill(state, other, false);
                }
                let orphan = state.callers[other].orphan.as_ref();
                if orphan.is_some_and(|orphan| orphan.process == victim) {
                    Self::end_orphan(state, other);
                }
            }
        }
    }

    /// It binds the port that it was granted.
    pub(super) fn bind(&self, state: &mut State, caller: usize) {
        let Phase::Granted {
            mut asking, grant, ..
        } = mem::replace(&mut state.callers[caller].phase, Phase::Gone)
        else {
            return;
        };
        let mut port = grant.port;
        if self.makes(Mutant::ServerWanders) && state.kernel.listener(port).is_some() {
            let next = state.kernel.ports().find(|next| *next > port);
            port = next.unwrap_or(port);
        }
        let is_free = state.kernel.listener(port).is_none();
        state.callers[caller].phase = if is_free || self.makes(Mutant::GrantWithoutBind) {
            let process = asking.process;
            let child = self.listen(state, caller, process.pid, port);
            Phase::Listening(Serving {
                process,
                child,
                is_known: false,
                port,
                grant,
            })
        } else {
            if !self.makes(Mutant::ForgetFailedBind) {
                asking.sight.add_occupied(grant.port);
            }
            asking.unbound = Some(grant);
            Phase::Asking(asking)
        };
    }

    /// It says who listens, as far as it knows.
    pub(super) fn confirm(state: &mut State, caller: usize, knows_listener: bool) {
        let Phase::Listening(mut serving) =
            mem::replace(&mut state.callers[caller].phase, Phase::Gone)
        else {
            return;
        };
        let listener = serving.child.as_ref().unwrap_or(&serving.process);
        let command = Command::Confirm(Confirm {
            key: serving.grant.key.clone(),
            generation: serving.grant.generation,
            listener: knows_listener.then(|| Holder::Process(listener.clone())),
            port: Some(serving.port).filter(|port| *port != serving.grant.port),
        });
        let facts = Sight::default().facts(state.kernel.now());
        if state.registry.transact(&command, &facts).is_ok() {
            serving.is_known = knows_listener;
            serving.grant.port = serving.port;
            // The registry said yes, so it owes the lease even if it did not any more before.
            serving.grant.is_owed = true;
            state.callers[caller].phase = Phase::Live(serving);
        } else {
            // Somebody else may have the port by now, so its server does not stay on it.
            end_both(state, &serving);
        }
    }

    /// It ends in an orderly way: nobody listens any more, and the lease is given back. The
    /// message may take its time.
    pub(super) fn stop(state: &mut State, caller: usize) {
        let Phase::Live(serving) = mem::replace(&mut state.callers[caller].phase, Phase::Gone)
        else {
            return;
        };
        end_both(state, &serving);
        state.callers[caller].release = Some(serving.grant);
    }

    /// The registry hears that a lease is given back.
    pub(super) fn deliver_release(&self, state: &mut State, caller: usize) {
        let Some(grant) = state.callers[caller].release.take() else {
            return;
        };
        let mut release = Release::granted(grant.key, grant.generation);
        if self.makes(Mutant::ReleaseWithoutOwnerCheck) {
            release.generation = None;
            release.force = true;
        }
        let facts = Sight::default().facts(state.kernel.now());
        // An owner that has a successor is refused, which is nothing to a process that has ended.
        let _ = state.registry.transact(&Command::Release(release), &facts);
    }

    /// It is killed, and so is its child unless it is left behind.
    pub(super) fn kill(state: &mut State, caller: usize, with_child: bool) {
        let Caller { phase, orphan, .. } = &mut state.callers[caller];
        let phase = mem::replace(phase, Phase::Gone);
        if let Some(process) = phase.process() {
            state.kernel.end(process.pid);
        }
        let is_live = matches!(phase, Phase::Live(_));
        let (Phase::Listening(serving) | Phase::Live(serving)) = phase else {
            return;
        };
        let Some(child) = serving.child else {
            return;
        };
        if with_child || orphan.is_some() {
            state.kernel.end(child.pid);
            return;
        }
        let is_owed = serving.grant.is_owed && is_live;
        *orphan = Some(Orphan {
            process: child,
            grant: Grant {
                is_owed,
                ..serving.grant
            },
            is_known: serving.is_known,
        });
    }

    /// The server that it left behind ends.
    pub(super) fn end_orphan(state: &mut State, caller: usize) {
        if let Some(orphan) = state.callers[caller].orphan.take() {
            state.kernel.end(orphan.process.pid);
        }
    }

    /// By mistake it binds what it saw free.
    pub(super) fn bind_unasked(&self, state: &mut State, caller: usize) {
        let Phase::Asking(asking) = mem::replace(&mut state.callers[caller].phase, Phase::Gone)
        else {
            return;
        };
        let is_seen_free = |port: &Port| asking.sight.occupied.iter().all(|(seen, _)| seen != port);
        let free = self.scenario.range().iter().find(is_seen_free);
        let listener = Listener::Process(asking.process.pid);
        match free.filter(|port| state.kernel.bind(*port, listener)) {
            Some(port) => {
                state.callers[caller].phase = Phase::Unleased(asking.process, port);
            }
            None => state.kernel.end(asking.process.pid),
        }
    }

    fn request(&self, caller: usize, process: &Process) -> Request {
        let Role { wish, server, .. } = self.scenario.callers[caller];
        let mut request = self.requests[caller].clone();
        if server != Server::Unnamed {
            request.holder = Some(Holder::Process(process.clone()));
        }
        request.if_running = match wish {
            Wish::Attach | Wish::Insist => IfRunning::Attach,
            Wish::Another => IfRunning::Another,
            Wish::Takeover => IfRunning::Takeover,
        };
        if wish == Wish::Insist {
            let port = self.scenario.range().first();
            request.services[0].explicit = Some(Explicit { port, strict: true });
        }
        request
    }

    /// The server of the caller listens; answers the process, when it is not the caller's own.
    fn listen(&self, state: &mut State, caller: usize, pid: u32, port: Port) -> Option<Process> {
        let child = (self.scenario.callers[caller].server == Server::Child).then(|| {
            let pid = state.kernel.fresh_pid();
            state.kernel.start(pid)
        });
        let pid = child.as_ref().map_or(pid, |child| child.pid);
        let _ = state.kernel.bind(port, Listener::Process(pid));
        child
    }

    /// Writes down which of the leases that a reserve moved or replaced the registry does not owe
    /// any more. This is the list of what is allowed; whatever else is lost is a violation.
    fn forgive(&self, state: &mut State, by: usize, before: &Registry, granted: &Granted) {
        let State {
            registry, callers, ..
        } = state;
        let insists = self.scenario.callers[by].wish == Wish::Insist;
        for (index, caller) in callers.iter_mut().enumerate() {
            // A server that was left behind and that nobody knows by name may lose its lease, never
            // its port, to the next process of the service or to one that insists on the port.
            let is_unknown = caller
                .orphan
                .as_ref()
                .is_some_and(|orphan| !orphan.is_known);
            if let Some(orphan) = caller.orphan.as_mut().filter(|_| is_unknown) {
                orphan.grant.is_owed &= orphan.grant.is_in(registry);
            }
            if index == by {
                continue;
            }
            for grant in caller.grants_mut() {
                let lost = before.leases().at(grant.port);
                let lost = lost.filter(|_| grant.is_in(before) && !grant.is_in(registry));
                let Some(lost) = lost else {
                    continue;
                };
                let is_taken_over =
                    granted.outcome == Outcome::TookOver && grant.key == granted.lease.key;
                let makes_way =
                    insists && grant.key != granted.lease.key && lost.state == LeaseState::Reserved;
                grant.is_owed &= !is_taken_over && !makes_way;
            }
        }
    }
}

impl Phase {
    fn granted(asking: Asking, granted: &Granted) -> Self {
        let lease = &granted.lease;
        let victims = granted.taken_from.iter();
        let victims = victims.filter_map(|holder| match holder {
            Holder::Process(process) => Some(process.clone()),
            Holder::Container(_) => None,
        });
        Self::Granted {
            victims: victims.collect(),
            grant: Grant {
                key: lease.key.clone(),
                port: lease.port,
                generation: lease.generation,
                is_owed: true,
            },
            asking: Asking {
                unbound: None,
                ..asking
            },
        }
    }
}

fn end_both(state: &mut State, serving: &Serving) {
    state.kernel.end(serving.process.pid);
    if let Some(child) = &serving.child {
        state.kernel.end(child.pid);
    }
}
