//! A command on a terminal of its own.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{LONG, until};

pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<String>,
    seen: String,
}

impl Terminal {
    /// Starts the command on a terminal with so many columns and rows.
    pub(crate) fn of(command: &Command, columns: u16, rows: u16) -> Self {
        let (keyboard, child) = start(command, columns, rows);
        let mut output = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal without programs answers an error.
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            screen,
            seen: String::new(),
        }
    }

    /// Waits until this was written since the last time.
    pub(crate) fn see(&mut self, words: &str) -> String {
        let deadline = Instant::now() + LONG;
        while !self.seen.contains(words) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(text) => self.seen.push_str(&text),
                Err(error) => panic!("{words:?} is not seen ({error}): {:?}", self.seen),
            }
        }
        std::mem::take(&mut self.seen)
    }

    pub(crate) fn press_ctrl_c(&mut self) {
        self.keyboard.write_all(b"\x03").unwrap();
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for its end, and for everything that it wrote.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = until("it ends", || self.child.try_wait().unwrap());
        let mut seen = std::mem::take(&mut self.seen);
        seen.extend(self.screen.iter());
        (status, seen)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A window that is closed as soon as the command has done something.
pub(crate) fn close_after(command: &Command, is_done: impl FnMut() -> Option<()>) {
    let (window, mut child) = start(command, 80, 24);
    until("the command is there", is_done);
    drop(window);
    until("it ends", || child.try_wait().unwrap());
}

/// Starts the command on a new terminal; answers the side of the window.
fn start(command: &Command, columns: u16, rows: u16) -> (File, Child) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
    let master = master.expect("the system has pseudo-terminals");
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&master, size).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let no_ctty = OFlags::NOCTTY.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(no_ctty);
    let slave = options.open(name.to_str().unwrap()).unwrap();
    let child = on_terminal(command, &slave)
        .spawn()
        .expect("there is `setsid` of util-linux");
    (File::from(master), child)
}

/// The same command in a session of its own, so that the terminal's Ctrl-C is for it alone.
fn on_terminal(command: &Command, terminal: &File) -> Command {
    let mut session = Command::new("setsid");
    session.arg("--ctty").arg(command.get_program());
    session.args(command.get_args());
    session.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => session.env(name, value),
            None => session.env_remove(name),
        };
    }
    session
        .env("TERM", "xterm")
        .env_remove("CLICOLOR_FORCE")
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal.try_clone().unwrap());
    session
}
