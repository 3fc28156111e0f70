//! The processes of a command, and their end.

use std::thread;
use std::time::{Duration, Instant};

use portlease::core::Process;
use portlease::probe::identity;

const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Has the processes of the command stay below this one when those that started them end, so that
/// a program that puts itself into the background is found again. Only Linux can.
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        // Without it, what is missing is the end of such programs.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
}

/// Asks all processes that this one started to end, and after the grace makes them. Answers whether
/// that was necessary.
#[expect(
    clippy::disallowed_methods,
    reason = "processes that are not our children do not tell when they end"
)]
pub(crate) fn end_all(grace: Duration) -> bool {
    let own = identity::this_process();
    let processes = identity::descendants(&own);
    processes.iter().for_each(ask_to_end);
    let start = Instant::now();
    while processes.iter().any(|process| !has_ended(process)) {
        if start.elapsed() >= grace {
            // Those that they started meanwhile as well.
            identity::descendants(&own).iter().for_each(kill);
            processes.iter().for_each(kill);
            return true;
        }
        thread::sleep(LOOK_INTERVAL);
    }
    false
}

/// Asks a process of somebody else to end, and after the grace makes it and all that it started.
/// Answers whether it has ended.
#[expect(
    clippy::disallowed_methods,
    reason = "processes that are not our children do not tell when they end"
)]
pub(crate) fn end(process: &Process, grace: Duration) -> bool {
    let family = identity::descendants(process);
    ask_to_end(process);
    let start = Instant::now();
    while !has_ended(process) {
        if start.elapsed() >= grace {
            kill(process);
            family.iter().for_each(kill);
            thread::sleep(LOOK_INTERVAL);
            return has_ended(process);
        }
        thread::sleep(LOOK_INTERVAL);
    }
    true
}

fn has_ended(process: &Process) -> bool {
    process.has_ended(&identity::sight(process))
}

fn ask_to_end(process: &Process) {
    #[cfg(unix)]
    signal(process, rustix::process::Signal::TERM);
    // There is no way to ask that every program understands.
    #[cfg(windows)]
    kill(process);
}

#[cfg(unix)]
fn kill(process: &Process) {
    signal(process, rustix::process::Signal::KILL);
}

#[cfg(windows)]
fn kill(process: &Process) {
    if !has_ended(process) {
        let pid = process.pid.to_string();
        let _ = std::process::Command::new("taskkill")
            .args(["/F", "/PID", &pid])
            .output();
    }
}

/// A number that was used again meanwhile gets no signal.
#[cfg(unix)]
pub(crate) fn signal(process: &Process, signal: rustix::process::Signal) {
    let pid = i32::try_from(process.pid).ok();
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw)
        && !has_ended(process)
    {
        // It may have ended since.
        let _ = rustix::process::kill_process(pid, signal);
    }
}
