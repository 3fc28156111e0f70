//! One start of a command: from the opening of the gate to the end of its last process.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use portlease::core::{Holder, Occupant, Port, PortRange, PortSet, Process};
use portlease::probe::{Probe, identity};
use portlease::{Arrival, Error, Grant, Grants};

use super::events::{Event, Events, Signal};
use super::{report, tree};
use crate::background::keeper::Keeper;
use crate::exit::Code;
use crate::failure::Failure;

/// How often it is looked whether the servers listen, as long as one does not.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// How often it is looked whether they still do, alone.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);
/// How often it is looked whether the command listens elsewhere, and after how many such looks that
/// counts.
const DRIFT_INTERVAL: Duration = Duration::from_millis(250);
const DRIFT_LOOKS: u32 = 2;
/// Where debuggers of Node.js wait, before the server listens and beside it.
const DEBUGGERS: PortRange = PortRange::literal(9229, 9329);

/// How a session ended.
pub(crate) enum Outcome {
    /// The command ended by itself, or by a signal.
    Ended(ExitStatus),
    /// Somebody else took the port before the command listened on it.
    Lost { port: Port, by: Occupant },
}

/// How the session is to be.
pub(crate) struct Manner<'a> {
    pub(crate) quiet: bool,
    pub(crate) timeout: Duration,
    pub(crate) grace: Duration,
    /// Who writes down what happens, for a run in the background.
    pub(crate) keeper: Option<&'a Keeper>,
}

/// A command that runs.
pub(crate) struct Session<'a> {
    events: &'a Events,
    manner: &'a Manner<'a>,
    probe: Probe,
    pid: u32,
    process: Option<Process>,
    started: Instant,
    services: Vec<Served>,
    drift: Drift,
    was_late: bool,
    /// What went wrong last, which is told once.
    problem: Option<String>,
    /// Whether somebody sent a signal, after which the end of the command is what they wanted.
    was_signalled: bool,
    /// When the command is killed, once it was asked to end.
    deadline: Option<Instant>,
}

/// A service of the command, and how far it has come.
struct Served {
    grant: Grant,
    /// The port that the command was told.
    told: Port,
    state: State,
    /// Only the first time is worth a line.
    was_ready: bool,
    has_warned: bool,
}

enum State {
    Awaited(Arrival),
    Listening,
    /// The command ended before anybody could wait for it.
    Ended,
}

#[derive(Default)]
struct Drift {
    port: Option<Port>,
    looks: u32,
    last: Option<Instant>,
}

/// Starts the command with the gates of its ports open, and serves it until it has ended.
pub(crate) fn serve(
    mut command: Command,
    program: &str,
    grants: Grants,
    events: &Events,
    manner: &Manner<'_>,
) -> Result<Outcome, Failure> {
    let mut grants: Vec<Grant> = grants.into_iter().collect();
    let started = Instant::now();
    let child = match open_gates(&mut grants).and_then(|()| command.spawn()) {
        Ok(child) => child,
        Err(error) => {
            release(grants);
            return Err(cannot_start(program, &error));
        }
    };
    let pid = child.id();
    let process = identity::process(pid);
    events.watch(child);
    let served = |grant: Grant| {
        let state = match grant.arrival(Some(pid)) {
            Ok(arrival) => State::Awaited(arrival),
            // That event is under way.
            Err(_) => State::Ended,
        };
        Served {
            told: grant.port(),
            grant,
            state,
            was_ready: false,
            has_warned: false,
        }
    };
    let mut session = Session {
        events,
        manner,
        probe: Probe::new(),
        pid,
        process,
        started,
        services: grants.into_iter().map(served).collect(),
        drift: Drift::default(),
        was_late: false,
        problem: None,
        was_signalled: false,
        deadline: None,
    };
    let outcome = session.run();
    tree::end_all(manner.grace);
    release(session.services.into_iter().map(|served| served.grant));
    outcome
}

fn open_gates(grants: &mut [Grant]) -> std::io::Result<()> {
    let mut holds = grants.iter_mut().filter_map(Grant::hold);
    holds.try_for_each(portlease::probe::Hold::open)
}

fn release(grants: impl IntoIterator<Item = Grant>) {
    for grant in grants {
        // What cannot be released now is swept later.
        let _ = grant.leave();
    }
}

impl Session<'_> {
    fn run(&mut self) -> Result<Outcome, Failure> {
        loop {
            match self.events.receiver.recv_timeout(self.interval()) {
                // The end of an earlier start, whose port was lost.
                Ok(Event::Ended(pid, _)) if pid != self.pid => {}
                Ok(Event::Ended(_, status)) => {
                    let status = status.map_err(|error| cannot_wait(&error))?;
                    if status.success() || self.was_signalled {
                        return Ok(Outcome::Ended(status));
                    }
                    let lost = |(port, by)| Outcome::Lost { port, by };
                    return Ok(self.lost_to().map_or(Outcome::Ended(status), lost));
                }
                Ok(Event::Signal(signal)) => self.pass_on(signal),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(lost) = self.look() {
                        return Ok(lost);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    unreachable!("this process keeps a sender itself")
                }
            }
            if self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
            {
                self.deadline = None;
                tree::end_all(Duration::ZERO);
            }
        }
    }

    fn interval(&self) -> Duration {
        let is_awaited = |served: &Served| matches!(served.state, State::Awaited(_));
        if self.services.iter().any(is_awaited) {
            LOOK_INTERVAL
        } else {
            WATCH_INTERVAL
        }
    }

    /// Looks after every service; answers when the port of one is lost.
    fn look(&mut self) -> Option<Outcome> {
        let mut problem = None;
        for served in &mut self.services {
            match served.look(&self.probe, self.process.as_ref()) {
                Ok(true) => {
                    if let Some(keeper) = self.manner.keeper {
                        keeper.is_ready(&served.grant);
                    }
                    if !self.manner.quiet && !served.was_ready {
                        report::ready(&served.grant, self.started.elapsed());
                    }
                    served.was_ready = true;
                }
                Ok(false) | Err(Error::ServerEnded { .. }) => {}
                Err(Error::PortLost { port, by }) => return Some(Outcome::Lost { port, by }),
                Err(error) => problem = Some(error),
            }
        }
        if let Err(error) = self.look_elsewhere() {
            problem = Some(error);
        }
        self.tell_once(problem);
        self.complain_when_late();
        None
    }

    fn tell_once(&mut self, problem: Option<Error>) {
        let problem = problem.map(|error| error.to_string());
        if let Some(text) = problem.filter(|text| self.problem.as_ref() != Some(text)) {
            report::failed(&text);
            self.problem = Some(text);
        }
    }

    /// Notices a command that went to another port than it was told, and has the registry say so. If
    /// it comes to the port that it was told after all, that is noticed as well.
    fn look_elsewhere(&mut self) -> Result<(), Error> {
        let told: PortSet = self.services.iter().map(|served| served.told).collect();
        let Some(main) = self.services.first_mut() else {
            return Ok(());
        };
        let is_due = self
            .drift
            .last
            .is_none_or(|last| last.elapsed() >= DRIFT_INTERVAL);
        let (State::Awaited(_), Some(process), true) = (&main.state, &self.process, is_due) else {
            return Ok(());
        };
        self.drift.last = Some(Instant::now());
        let mut ports = self.probe.ports_of(process)?;
        ports -= &told;
        ports -= &DEBUGGERS.into();
        // A server that takes the next free port counts upward from the one that it was told.
        let port = ports.next_wrapping(main.told);
        self.drift.looks = if port == self.drift.port {
            self.drift.looks + 1
        } else {
            1
        };
        self.drift.port = port;
        let is_news = |port: &Port| *port != main.grant.port();
        let has_stayed = self.drift.looks >= DRIFT_LOOKS;
        let Some(port) = port.filter(is_news).filter(|_| has_stayed) else {
            return Ok(());
        };
        let listener = Holder::Process(process.clone());
        main.grant.confirm_at(Some(listener), Some(port))?;
        main.open_gate();
        if let Some(keeper) = self.manner.keeper {
            keeper.is_ready(&main.grant);
        }
        report::drifted(&main.grant, main.told);
        Ok(())
    }

    fn complain_when_late(&mut self) {
        let is_late = self.started.elapsed() >= self.manner.timeout;
        if is_late && !self.was_late {
            self.was_late = true;
            for served in self.services.iter().filter(|served| served.is_missing()) {
                report::late(&served.grant, self.manner.timeout);
            }
        }
    }

    /// Which stranger is on a port that the command never came to listen on.
    fn lost_to(&self) -> Option<(Port, Occupant)> {
        // What the command left behind was adopted, and is no stranger.
        let own = Holder::Process(identity::this_process());
        let awaited = self
            .services
            .iter()
            .filter(|served| served.is_missing())
            .map(|served| served.told);
        awaited.into_iter().find_map(|port| {
            let occupants = self.probe.who(port, &self.process).ok()?;
            let listening = occupants.into_iter().filter(|occupant| occupant.listens);
            let mut strangers = listening.map(Occupant::from);
            let stranger = strangers.find(|occupant| !occupant.belongs_to(&own))?;
            Some((port, stranger))
        })
    }

    fn pass_on(&mut self, signal: Signal) {
        self.was_signalled = true;
        #[cfg(unix)]
        if let (Some(number), Some(process)) = (signal.to_pass_on, &self.process)
            && let Some(named) = rustix::process::Signal::from_named_raw(number)
        {
            tree::signal(process, named);
        }
        if signal.is_final {
            self.deadline = Some(Instant::now() + self.manner.grace);
        }
    }
}

impl Served {
    /// Looks once; answers whether the server has just arrived.
    fn look(&mut self, probe: &Probe, process: Option<&Process>) -> Result<bool, Error> {
        match &mut self.state {
            State::Awaited(arrival) => {
                if !self.grant.confirm_if_listening(arrival)? {
                    return Ok(false);
                }
                self.open_gate();
                self.state = State::Listening;
                Ok(true)
            }
            State::Listening => {
                self.watch(probe, process)?;
                Ok(false)
            }
            State::Ended => Ok(false),
        }
    }

    /// Whether nothing was seen of it yet, on the port that it was told or on another.
    fn is_missing(&self) -> bool {
        !self.was_ready && self.grant.port() == self.told
    }

    /// Undoes that a confirmation shuts everybody out. Dev servers start anew in place: Vite closes
    /// its server and binds the port again within milliseconds, so it must find the gate open at
    /// any time. As long as it listens, that lets nobody in where it does.
    fn open_gate(&mut self) {
        if let Some(hold) = self.grant.hold() {
            // A gate that stays shut is told by the server, which cannot bind the port.
            let _ = hold.open();
        }
    }

    /// Notices a server that does not listen any more, and others who listen beside it.
    fn watch(&mut self, probe: &Probe, process: Option<&Process>) -> Result<(), Error> {
        let (port, Some(process)) = (self.grant.port(), process) else {
            return Ok(());
        };
        if self.grant.is_served_by_container() || !probe.confirm(port, Some(process))?.is_empty() {
            self.has_warned = false;
            return Ok(());
        }
        let listening = probe.who(port, Some(process))?;
        let mut listening = listening.into_iter().filter(|occupant| occupant.listens);
        let server = Holder::Process(process.clone());
        match listening
            .by_ref()
            .map(Occupant::from)
            .find(|occupant| !occupant.belongs_to(&server))
        {
            Some(stranger) if !self.has_warned => {
                self.has_warned = true;
                report::beside(&self.grant, &stranger);
            }
            Some(_) => {}
            // It starts anew, perhaps elsewhere.
            None => self.state = State::Awaited(self.grant.arrival(Some(process.pid))?),
        }
        Ok(())
    }
}

pub(super) fn cannot_start(program: &str, error: &std::io::Error) -> Failure {
    let is_there = program.contains(std::path::MAIN_SEPARATOR) && Path::new(program).exists();
    match error.kind() {
        std::io::ErrorKind::NotFound if is_there => Failure::new(
            Code::NotExecutable,
            "NOT_EXECUTABLE",
            format!("{program:?} cannot be started: what its first line names is not there."),
        ),
        std::io::ErrorKind::NotFound => Failure::new(
            Code::NoCommand,
            "NO_COMMAND",
            format!("There is no command {program:?}. Is it installed, and spelled so?"),
        ),
        _ => Failure::new(
            Code::NotExecutable,
            "NOT_EXECUTABLE",
            format!("{program:?} cannot be started: {error}. Is it a program, and may you run it?"),
        ),
    }
}

fn cannot_wait(error: &std::io::Error) -> Failure {
    let message = format!("The system does not say how the command ended: {error}.");
    Failure::new(Code::Broken, "END_UNKNOWN", message)
}
