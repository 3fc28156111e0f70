//! The operating system as far as the protocol meets it: processes, exclusive ports, a clock.

use portlease_core::{Port, Process, Seen, Sighting, Timestamp};

use super::scenario::FIRST_PORT;

/// What the operating system knows. It never errs, and a port has one owner at most.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// Who listens, by the position of the port.
    listeners: Vec<Option<Listener>>,
    /// By pid, from pid 1 on.
    processes: Vec<Slot>,
    now: u64,
}

/// Whoever listens on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listener {
    /// A program that knows nothing of Portlease.
    Foreign,
    /// The process with this pid.
    Process(u32),
}

/// What became of a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Slot {
    is_alive: bool,
    /// How many processes have had the pid, which tells the last of them from all before.
    births: u64,
}

impl Kernel {
    /// A machine with so many ports, on which nothing runs.
    #[must_use]
    pub fn new(ports: u16) -> Self {
        Self {
            listeners: vec![None; usize::from(ports)],
            processes: Vec::new(),
            now: 0,
        }
    }

    /// All ports of the machine.
    pub fn ports(&self) -> impl Iterator<Item = Port> + use<> {
        let ports = u16::try_from(self.listeners.len()).expect("a model has few ports");
        (FIRST_PORT..FIRST_PORT + ports).map(Port::literal)
    }

    /// Who listens on the port.
    #[must_use]
    pub fn listener(&self, port: Port) -> Option<Listener> {
        self.listeners[position(port)]
    }

    /// Binds the port, unless somebody has it: this is the promise of the operating system on
    /// which everything else rests.
    #[must_use]
    pub fn bind(&mut self, port: Port, listener: Listener) -> bool {
        let place = &mut self.listeners[position(port)];
        let is_free = place.is_none();
        if is_free {
            *place = Some(listener);
        }
        is_free
    }

    /// Closes the port.
    pub fn close(&mut self, port: Port) {
        self.listeners[position(port)] = None;
    }

    /// The pids that the next process can get: one that nobody had, and those of the ended.
    pub fn free_pids(&self) -> impl Iterator<Item = u32> {
        let ended = self.processes.iter().zip(1..);
        let ended = ended.filter(|(slot, _)| !slot.is_alive);
        ended.map(|(_, pid)| pid).chain([self.fresh_pid()])
    }

    /// The pid that nobody had.
    #[must_use]
    pub fn fresh_pid(&self) -> u32 {
        u32::try_from(self.processes.len()).expect("a model has few processes") + 1
    }

    /// A process begins; answers its true identity.
    pub fn start(&mut self, pid: u32) -> Process {
        let index = slot(pid);
        if index == self.processes.len() {
            self.processes.push(Slot {
                is_alive: false,
                births: 0,
            });
        }
        let slot = &mut self.processes[index];
        *slot = Slot {
            is_alive: true,
            births: slot.births + 1,
        };
        self.identity(pid)
    }

    /// A process ends in whatever way: its ports are free from now on.
    pub fn end(&mut self, pid: u32) {
        self.processes[slot(pid)].is_alive = false;
        for place in &mut self.listeners {
            if *place == Some(Listener::Process(pid)) {
                *place = None;
            }
        }
    }

    /// The true identity of the last process with this pid.
    #[must_use]
    pub fn identity(&self, pid: u32) -> Process {
        Process {
            pid,
            started: Some(self.processes[slot(pid)].births),
            boot: None,
            namespace: None,
        }
    }

    /// What somebody sees who looks for the pid.
    #[must_use]
    pub fn sighting(&self, pid: u32) -> Sighting {
        let slot = self.processes[slot(pid)];
        let seen = if slot.is_alive {
            Seen::StartedAt(slot.births)
        } else {
            Seen::Nobody
        };
        Sighting {
            boot: None,
            namespace: None,
            seen,
        }
    }

    /// Whether some pid was given to a second process, and that one is running.
    #[must_use]
    pub fn has_reused_pid(&self) -> bool {
        self.processes
            .iter()
            .any(|slot| slot.is_alive && slot.births > 1)
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// Time passes.
    pub fn tick(&mut self) {
        self.now += 1;
    }
}

fn position(port: Port) -> usize {
    usize::from(port.get() - FIRST_PORT)
}

fn slot(pid: u32) -> usize {
    usize::try_from(pid - 1).expect("a model has few processes")
}
