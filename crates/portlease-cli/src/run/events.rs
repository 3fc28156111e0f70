//! What happens while a command runs: it ends, or somebody sends a signal.

use std::process::{Child, ExitStatus};
#[cfg(unix)]
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{io, thread};

/// What happened.
pub(crate) enum Event {
    /// The command with this number ended.
    Ended(u32, io::Result<ExitStatus>),
    /// This process was sent a signal.
    Signal(Signal),
}

/// A signal that would end this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signal {
    /// Its number, unless the command got it as well, from the terminal.
    #[cfg(unix)]
    pub(crate) to_pass_on: Option<i32>,
    /// Whether its sender expects everything to end. A program that reads from the terminal may do
    /// something else on Ctrl-C.
    pub(crate) is_final: bool,
}

/// The events of all commands that this process runs, one after the other.
pub(crate) struct Events {
    sender: Sender<Event>,
    pub(crate) receiver: Receiver<Event>,
}

impl Events {
    /// Begins to listen. From here on signals do not end this process.
    pub(crate) fn listen() -> io::Result<Self> {
        let (sender, receiver) = channel();
        listen_to_signals(sender.clone())?;
        Ok(Self { sender, receiver })
    }

    /// Waits for the end of the command on a thread of its own.
    pub(crate) fn watch(&self, mut child: Child) {
        let sender = self.sender.clone();
        thread::spawn(move || {
            // Nobody may be left to hear it.
            let _ = sender.send(Event::Ended(child.id(), child.wait()));
        });
    }
}

#[cfg(unix)]
fn listen_to_signals(sender: Sender<Event>) -> io::Result<()> {
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::origin::WithOrigin;
    use signal_hook::low_level::siginfo::Cause;

    // Whoever started this process may ignore the ends of children, which is inherited. Then the
    // system would not say how the command ended.
    signal_hook::flag::register(SIGCHLD, Arc::default())?;
    let numbers = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
    let mut signals = SignalsInfo::<WithOrigin>::new(numbers)?;
    thread::spawn(move || {
        for origin in &mut signals {
            let signal = Signal {
                to_pass_on: Some(origin.signal).filter(|_| origin.cause != Cause::Kernel),
                is_final: matches!(origin.signal, SIGHUP | SIGTERM),
            };
            if sender.send(Event::Signal(signal)).is_err() {
                break;
            }
        }
    });
    Ok(())
}

/// The console tells every process of its own, the command too.
#[cfg(windows)]
fn listen_to_signals(sender: Sender<Event>) -> io::Result<()> {
    ctrlc::set_handler(move || {
        let signal = Signal { is_final: false };
        let _ = sender.send(Event::Signal(signal));
    })
    .map_err(io::Error::other)
}
