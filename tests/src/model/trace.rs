//! A way through the states, to be read.

use std::fmt::Write;

use super::kernel::Listener;
use super::protocol::Step;
use super::state::{Grant, Phase, State};

/// One line for each step, and what is true and believed after it.
pub(super) fn of(path: &[(State, Option<Step>)]) -> String {
    let mut text = String::new();
    for (number, window) in (1..).zip(path.windows(2)) {
        if let [(_, Some(step)), (state, _)] = window {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{number:3}. {step:?}");
            let _ = writeln!(text, "     registry: {}", state.registry);
            let _ = writeln!(text, "     machine:  {}", listeners(state));
            let _ = writeln!(text, "     callers:  {}", callers(state));
        }
    }
    text
}

fn listeners(state: &State) -> String {
    let ports = state.kernel.ports();
    let listeners = ports.filter_map(|port| {
        Some(match state.kernel.listener(port)? {
            Listener::Foreign => format!("{port} foreign"),
            Listener::Process(pid) => format!("{port} pid {pid}"),
        })
    });
    or_nothing(&listeners.collect::<Vec<_>>())
}

fn callers(state: &State) -> String {
    let callers = state.callers.iter().enumerate().map(|(index, caller)| {
        let phase = match &caller.phase {
            Phase::Gone => "gone",
            Phase::Refused => "refused",
            Phase::Attached => "attached",
            Phase::Asking(_) => "asking",
            Phase::Granted { .. } => "granted",
            Phase::Listening(_) => "listening",
            Phase::Live(_) => "live",
            Phase::Unleased(..) => "listening without a lease",
        };
        let pid = caller.phase.process();
        let pid = pid.map(|process| format!(" pid {}", process.pid));
        let grant = caller.phase.grant().map(relies_on);
        let orphan = caller.orphan.as_ref();
        let orphan = orphan.map(|orphan| {
            let pid = orphan.process.pid;
            format!(", left behind pid {pid}{}", relies_on(&orphan.grant))
        });
        let parts = [pid, grant, orphan].into_iter().flatten();
        format!("{index} {phase}{}", parts.collect::<String>())
    });
    or_nothing(&callers.collect::<Vec<_>>())
}

fn relies_on(grant: &Grant) -> String {
    let Grant {
        port, generation, ..
    } = grant;
    let owed = if grant.is_owed { "" } else { ", not owed" };
    format!(" ({port}, generation {generation}{owed})")
}

fn or_nothing(parts: &[String]) -> String {
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join("; ")
    }
}
