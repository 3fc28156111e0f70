//! The command that is run when a service had to move.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use portlease::core::{LeaseKey, Port};

use crate::ServeOptions;

/// So many moves may wait for their commands. They come one by one, and what comes faster than that is not for a person any more.
const WAITING: usize = 256;

/// How long one of them may take.
const LONGEST: Duration = Duration::from_mins(5);

/// Runs a command for each move, one after the other.
pub(crate) struct Moves {
    waiting: Option<SyncSender<Moved>>,
    options: ServeOptions,
}

/// A service that has another port than before.
pub(crate) struct Moved {
    pub(crate) key: LeaseKey,
    pub(crate) from: Port,
    pub(crate) to: Port,
}

impl Moves {
    pub(crate) fn new(options: &ServeOptions) -> Self {
        let waiting = options.on_move.clone().map(|command| {
            let (sender, moves) = sync_channel::<Moved>(WAITING);
            let options = options.clone();
            thread::spawn(move || {
                for moved in moves {
                    if let Err(problem) = run(&command, &moved) {
                        options.warn(&format!(
                            "The command for moves {problem}: {} moved.",
                            moved.key
                        ));
                    }
                }
            });
            sender
        });
        let options = options.clone();
        Self { waiting, options }
    }

    /// Has the command run.
    pub(crate) fn tell(&self, moved: Moved) {
        let Some(waiting) = &self.waiting else { return };
        if let Err(TrySendError::Full(moved)) = waiting.try_send(moved) {
            let key = moved.key;
            self.options.warn(&format!(
                "More services moved than commands could be run: none is run for {key}."
            ));
        }
    }
}

/// What moved is told in variables: whoever names a project must not become a part of the command.
fn run(command: &OsStr, moved: &Moved) -> Result<(), String> {
    let mut shell = shell(command);
    shell
        .env("PORTLEASE_PROJECT", moved.key.project.as_str())
        .env("PORTLEASE_SERVICE", moved.key.service.as_str())
        .env("PORTLEASE_INSTANCE", moved.key.instance.to_string())
        .env("PORTLEASE_FROM", moved.from.to_string())
        .env("PORTLEASE_TO", moved.to.to_string())
        .env_remove("PORTLEASE_TOKEN")
        .stdin(Stdio::null())
        // What the server itself prints there is for programs.
        .stdout(std::io::stderr());
    let failed = |error| format!("cannot be run ({error})");
    let mut running = shell.spawn().map_err(failed)?;
    let deadline = Instant::now() + LONGEST;
    loop {
        match running.try_wait().map_err(failed)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("ended with {status}")),
            None if Instant::now() < deadline => pause(),
            None => {
                running
                    .kill()
                    .and_then(|()| running.wait())
                    .map_err(failed)?;
                return Err(format!("was ended after {LONGEST:?}"));
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "nobody tells within a deadline that a process ended"
)]
fn pause() {
    thread::sleep(Duration::from_millis(20));
}

#[cfg(unix)]
fn shell(command: &OsStr) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(windows)]
fn shell(command: &OsStr) -> Command {
    use std::os::windows::process::CommandExt as _;

    let mut shell = Command::new("cmd.exe");
    shell.arg("/d").arg("/c").raw_arg(command);
    shell
}
