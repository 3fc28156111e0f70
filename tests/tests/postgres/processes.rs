//! Several processes on one registry: this program starts itself again to have them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child as Process, ChildStdout, Command, Stdio};

use portlease_core::{Generation, Host, Name, PortRange, Scope, Store as _};

use crate::support::{fresh, open, release, reserve_in};

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
    pub(crate) fn start(role: &str, registry: &str, name: &str) -> Self {
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
    let registry = std::env::var(REGISTRY).expect("it is told where");
    let name = std::env::var(NAME).expect("it is told its name");
    match role.as_str() {
        "answer" => crate::remote::answer(&registry),
        "come and go" => come_and_go(&registry, &name),
        other => panic!("there is no role {other:?}"),
    }
}

/// Tells the parent something.
pub(crate) fn tell(answer: &str) {
    println!("{MARK}{answer}");
}

const PROCESSES: usize = 6;
const ROUNDS: u64 = 40;
const KEPT: usize = 2;
/// So few ports that most were somebody else's before.
const FEW: PortRange = PortRange::literal(3001, 3020);
/// How many machines the processes are on, as far as the registry knows.
const HOSTS: usize = 2;

fn host_of(name: &str) -> Host {
    let number: usize = name.parse().expect("it is a number");
    Host::new(Name::literal(&format!("worker-{}", number % HOSTS)))
}

/// Takes ports and gives them back, and tells each time when it has one and when it has it no more.
fn come_and_go(registry: &str, name: &str) {
    let store = open(registry);
    let host = host_of(name);
    let mut kept = Vec::new();
    for round in 0..ROUNDS {
        let project = format!("{name}-{}", round % 5);
        let lease = reserve_in(&store, &host, &project, FEW).expect("there are enough ports");
        tell(&format!("{} {}", lease.port, lease.generation));
        kept.push(lease);
        if kept.len() > KEPT {
            release(&store, &host, &kept.remove(0)).expect("it is its own");
        }
    }
}

#[test]
fn every_change_counts_among_processes_of_several_hosts() {
    let registry = fresh().url;
    let start = |number: usize| Child::start("come and go", &registry, &number.to_string());
    let children: Vec<Child> = (0..PROCESSES).map(start).collect();
    let mut generations: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for (number, child) in children.into_iter().enumerate() {
        let (answers, is_well) = child.finish();
        assert!(is_well, "a process failed; its own words are above");
        let generation = |answer: &String| answer.split(' ').nth(1).unwrap().parse().unwrap();
        let own: Vec<u64> = answers.iter().map(generation).collect();
        assert_eq!(own.len() as u64, ROUNDS);
        assert!(own.is_sorted(), "generations only grow");
        generations.entry(number % HOSTS).or_default().extend(own);
    }
    let store = open(&registry);
    for (number, mut generations) in generations {
        let processes = PROCESSES / HOSTS;
        let grants = processes as u64 * ROUNDS;
        generations.sort_unstable();
        assert_eq!(
            generations,
            (1..=grants).collect::<Vec<_>>(),
            "each was given once"
        );
        let leases = store
            .load(&host_of(&number.to_string()), &Scope::Everything)
            .unwrap();
        leases.check().unwrap();
        assert_eq!(leases.len(), processes * KEPT);
        assert_eq!(leases.last_generation(), Generation::new(grants));
        assert_eq!(leases.counters().grants, grants);
        assert_eq!(
            leases.counters().releases,
            grants - (processes * KEPT) as u64
        );
        let used: u64 = leases.usage().iter().map(|usage| usage.grants).sum();
        assert_eq!(used, grants);
    }
}
