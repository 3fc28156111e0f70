//! A test in several processes: its own program, started again for each of them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child as Process, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::{println, thread};

use serde::{Deserialize, Serialize};

/// Where a process finds its part, in its environment.
const PART: &str = "PORTLEASE_TEST_PART";

/// What begins the lines that a process answers; the others are those of the test harness.
const MARK: &str = "@ ";

/// What a process is there for.
///
/// The test that is to be run in other processes looks whether it has a part, and has none when it is run by itself:
///
/// ```
/// use portlease_core::conformance::{Part, tell};
///
/// match Part::of_this_process() {
///     Some(part) => tell(&format!("{} has opened {}", part.name, part.registry)),
///     None => {}
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it does.
    pub role: String,
    /// Where the registry is, in the words of its store.
    pub registry: String,
    /// How it is told from the others.
    pub name: String,
}

impl Part {
    /// The part of this process; none in one that was not started by [`Child::start`].
    ///
    /// # Panics
    ///
    /// When somebody else set the variable.
    #[must_use]
    pub fn of_this_process() -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test tells its processes what to do; nothing is decided here"
        )]
        let part = std::env::var(PART).ok()?;
        Some(serde_json::from_str(&part).expect("it is a part"))
    }
}

/// Tells whoever started this process a line.
pub fn tell(answer: &str) {
    println!("{MARK}{answer}");
}

/// A process of a test. It ends with it.
#[derive(Debug)]
pub struct Child {
    process: Process,
    answers: Receiver<String>,
}

impl Child {
    /// Starts this program again, for one of its tests and with a part in it.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start(test: &str, part: &Part) -> Self {
        Self::start_by(&[], test, part)
    }

    /// The same by another program, which is given this one and its arguments.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start_by(starter: &[&str], test: &str, part: &Part) -> Self {
        let program = std::env::current_exe().expect("this program is a file");
        let program = program.to_str().expect("its name is text");
        let arguments = [program, "--exact", test, "--nocapture", "--test-threads=1"];
        let words = [starter, &arguments].concat();
        #[expect(
            clippy::disallowed_types,
            reason = "it starts the processes of tests; nothing is decided here"
        )]
        let mut command = std::process::Command::new(words[0]);
        let part = serde_json::to_string(part).expect("it is data");
        let mut process = command
            .args(&words[1..])
            .env(PART, part)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let stdout = BufReader::new(process.stdout.take().expect("it is a pipe"));
        let (sender, answers) = channel();
        thread::spawn(move || {
            let answer = |line: &String| Some(line.split_once(MARK)?.1.to_owned());
            for line in stdout.lines().map_while(Result::ok) {
                // Nobody may be left to hear it.
                answer(&line).map(|answer| sender.send(answer));
            }
        });
        Self { process, answers }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Gives the process a line to read.
    ///
    /// # Panics
    ///
    /// When it ended.
    pub fn ask(&mut self, line: &str) {
        let stdin = self.process.stdin.as_mut().expect("it is a pipe");
        std::writeln!(stdin, "{line}").expect("the process reads");
    }

    /// The next line that it [tells](tell); none when the process ended, or was ended.
    #[must_use]
    pub fn answer(&self) -> Option<String> {
        self.answers.recv().ok()
    }

    /// The same, when it comes within this time.
    ///
    /// # Errors
    ///
    /// Whether it may still come, or the process ended.
    pub fn answer_within(&self, limit: Duration) -> Result<String, RecvTimeoutError> {
        self.answers.recv_timeout(limit)
    }

    /// Lets nobody ask it any more, at which a process ends that only answers.
    pub fn dismiss(&mut self) {
        drop(self.process.stdin.take());
    }

    /// Ends the process as the system does when it has to: without another word.
    ///
    /// # Panics
    ///
    /// When the system does not allow it.
    pub fn kill(&mut self) {
        self.process.kill().expect("it belongs to this test");
    }

    /// The answers that are left, and whether the process ended well.
    ///
    /// # Panics
    ///
    /// When the system does not say how it ended.
    #[must_use]
    pub fn finish(mut self) -> (Vec<String>, bool) {
        let answers = self.answers.iter().collect();
        let status = self.process.wait().expect("it belongs to this test");
        (answers, status.success())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
