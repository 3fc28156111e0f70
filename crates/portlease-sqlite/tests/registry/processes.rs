//! Several processes on one registry: this program starts itself again to have them.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, ChildStdout, Command, Stdio};

use portlease_core::{Generation, Lease, PortRange};
use portlease_sqlite::SqliteStore;

use crate::support::{Folder, everything, integrity, release, reserve_in};

/// What a process is told to do, in its environment.
const ROLE: &str = "PORTLEASE_TEST_ROLE";
const REGISTRY: &str = "PORTLEASE_TEST_REGISTRY";
const NAME: &str = "PORTLEASE_TEST_NAME";

/// What begins the lines that a process answers; the others are those of the test harness.
const MARK: &str = "@ ";

/// A process that works on a registry. It ends with the test.
pub(crate) struct Child {
    process: Process,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    pub(crate) fn start(role: &str, registry: &Path, name: &str) -> Self {
        let program = std::env::current_exe().expect("this program is a file");
        let mut process = Command::new(program)
            .args([
                "--exact",
                "processes::the_work_of_a_child",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(ROLE, role)
            .env(REGISTRY, registry)
            .env(NAME, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let stdout = process.stdout.take().expect("it is a pipe");
        Self {
            process,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// Gives the process a line to read.
    pub(crate) fn ask(&mut self, line: &str) {
        let stdin = self.process.stdin.as_mut().expect("it is a pipe");
        writeln!(stdin, "{line}").expect("the process reads");
    }

    /// The next answer; none when the process ended, or was ended.
    pub(crate) fn answer(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some(answer) = line.split(MARK).nth(1) {
                return Some(answer.to_owned());
            }
        }
    }

    /// Ends the process as the system does when it has to: without another word.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it belongs to this test");
    }

    /// The answers that are left, and whether the process ended well.
    pub(crate) fn finish(mut self) -> (Vec<String>, bool) {
        let answers = std::iter::from_fn(|| self.answer()).collect();
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

/// Not a test of its own, but what the processes of the other tests do.
#[test]
fn the_work_of_a_child() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let registry = PathBuf::from(std::env::var(REGISTRY).expect("it is told where"));
    let name = std::env::var(NAME).expect("it is told its name");
    match role.as_str() {
        "answer" => crate::remote::answer(&registry),
        "come and go" => come_and_go(&registry, &name),
        "look" => crate::recovery::look(&registry),
        "work on" => crate::kills::work_on(&registry, &name),
        "begin anew" => crate::kills::begin_anew(&registry, &name),
        other => panic!("there is no role {other:?}"),
    }
}

/// Tells the parent something.
pub(crate) fn tell(answer: &str) {
    println!("{MARK}{answer}");
}

const PROCESSES: usize = 6;
const ROUNDS: u64 = 80;
const KEPT: usize = 2;
/// So few ports that most were somebody else's before.
const FEW: PortRange = PortRange::literal(3001, 3020);

/// Takes ports and gives them back. Whoever has a port has a file that nobody else can make.
fn come_and_go(registry: &Path, name: &str) {
    let store = SqliteStore::open(registry).expect("the registry opens");
    let witness = |lease: &Lease| registry.with_file_name(format!("witness-{}", lease.port));
    let mut kept = Vec::new();
    for round in 0..ROUNDS {
        let project = format!("{name}-{}", round % 5);
        let lease = reserve_in(&store, &project, FEW).expect("there are enough ports");
        let claimed = File::create_new(witness(&lease));
        assert!(
            claimed.is_ok(),
            "port {} was granted to two at the same time",
            lease.port
        );
        tell(&lease.generation.to_string());
        kept.push(lease);
        if kept.len() > KEPT {
            let oldest = kept.remove(0);
            fs::remove_file(witness(&oldest)).expect("it is there since the grant");
            release(&store, &oldest).expect("it is its own");
        }
    }
}

#[test]
fn no_port_is_granted_twice_among_processes_and_every_change_counts() {
    let folder = Folder::new();
    let registry = folder.registry();
    let start = |number| Child::start("come and go", &registry, &format!("child-{number}"));
    let children: Vec<Child> = (0..PROCESSES).map(start).collect();
    let mut generations = Vec::new();
    for child in children {
        let (answers, is_well) = child.finish();
        assert!(is_well, "a process failed; its own words are above");
        let own: Vec<u64> = answers
            .iter()
            .map(|answer| answer.parse().unwrap())
            .collect();
        assert_eq!(own.len() as u64, ROUNDS);
        assert!(own.is_sorted(), "generations only grow");
        generations.extend(own);
    }
    let grants = PROCESSES as u64 * ROUNDS;
    generations.sort_unstable();
    assert_eq!(
        generations,
        (1..=grants).collect::<Vec<_>>(),
        "each was given once"
    );

    let store = SqliteStore::open(&registry).unwrap();
    let leases = everything(&store).unwrap();
    leases.check().unwrap();
    assert_eq!(leases.len(), PROCESSES * KEPT);
    for lease in leases.iter() {
        assert!(
            registry
                .with_file_name(format!("witness-{}", lease.port))
                .exists()
        );
    }
    assert_eq!(leases.last_generation(), Generation::new(grants));
    assert_eq!(leases.counters().grants, grants);
    assert_eq!(
        leases.counters().releases,
        grants - (PROCESSES * KEPT) as u64
    );
    assert_eq!(
        leases.usage().iter().map(|usage| usage.grants).sum::<u64>(),
        grants
    );
    assert_eq!(store.recoveries(), []);
    drop(store);
    assert_eq!(integrity(&registry), "ok");
}
