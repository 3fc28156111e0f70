//! Measures reserves through the store beside a hand-written transaction of the same statements.
//!
//! `cargo run --release -p portlease-sqlite --example measure`

use std::error::Error;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use portlease_core::{
    Command, Decision, Facts, Host, Lease, Name, Port, PortRange, Release, Reply, Request, Scope,
    Service, Store, Timestamp,
};
use portlease_sqlite::SqliteStore;
use rusqlite::Connection;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PROCESSES: usize = 64;
const ROUNDS: usize = 20;

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:.400}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, path, number] = arguments.as_slice() {
        return child(role, Path::new(path), number.parse()?);
    }
    if let [only] = arguments.as_slice() {
        return match only.as_str() {
            "first-load" => first_load(7_000),
            "long-lived" => long_lived("reserve, 10 leases", 10, 0),
            "floor" => floor(),
            "cold" => cold(),
            "crowd" => crowd("crowd").and_then(|()| crowd("floor-crowd")),
            other => Err(format!("there is no measurement {other}").into()),
        };
    }
    println!(
        "{:<44} {:>10} {:>10} {:>10}",
        "case", "p50 µs", "p99 µs", "worst µs"
    );
    for leases in [10, 10_000] {
        long_lived(&format!("reserve, {leases} leases"), leases, 0)?;
    }
    long_lived("reserve, 100 busy of 101", 0, 100)?;
    long_lived("reserve, 7,000 busy of 7,001", 0, 7_000)?;
    floor()?;
    cold()?;
    first_load(7_000)?;
    crowd("crowd")?;
    crowd("floor-crowd")?;
    Ok(())
}

fn host() -> Host {
    Host::new(Name::literal("laptop"))
}

fn facts() -> Facts {
    Facts::at(Timestamp::from_millis(1_763_000_000_000))
}

fn request(project: &str, range: PortRange) -> Command {
    let web = Service::in_range(Name::literal("web"), range);
    Command::Reserve(Request::new(Name::literal(project), vec![web]))
}

fn granted(decision: &Decision) -> Lease {
    match &decision.reply {
        Reply::Reserved(reserved) => reserved.services[0].lease.clone(),
        other => panic!("a reserve is answered otherwise: {other:?}"),
    }
}

/// Fills ports from the first of the range on.
fn fill(store: &SqliteStore, leases: u16, first: u16) -> Outcome<()> {
    let mut left = leases;
    let mut number = 0;
    while left > 0 {
        let count = left.min(100);
        let range = PortRange::starting_at(Port::literal(first), leases);
        let services = (0..count)
            .map(|service| Service::in_range(Name::literal(&format!("s{service}")), range))
            .collect();
        let project = Name::literal(&format!("/home/ada/projects/busy-{first}-{number}"));
        store.transact(
            &host(),
            &Command::Reserve(Request::new(project, services)),
            &facts(),
        )?;
        left -= count;
        number += 1;
    }
    Ok(())
}

fn long_lived(name: &str, leases: u16, busy: u16) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("registry.db"))?;
    fill(&store, leases, 40_000)?;
    fill(&store, busy, 30_000)?;
    let range = PortRange::starting_at(Port::literal(30_000), busy.max(100) + 1);
    let mut times = Vec::new();
    for round in 0..5_000 {
        let command = request(&format!("/home/ada/projects/shop-{}", round % 50), range);
        let start = Instant::now();
        let decision = store.transact(&host(), &command, &facts())?;
        times.push(start.elapsed());
        let lease = granted(&decision);
        let release = Command::Release(Release::granted(lease.key, lease.generation));
        store.transact(&host(), &release, &facts())?;
    }
    report(name, &mut times);
    Ok(())
}

/// The statements of a reserve, without anything that makes it right: no lock, no check, no
/// decision.
fn by_hand(connection: &Connection, port: u16, project: &str, generation: u32) -> Outcome<()> {
    let run = |sql: &str| connection.prepare_cached(sql)?.execute(());
    run("BEGIN IMMEDIATE")?;
    connection
        .prepare_cached(
            "DELETE FROM memory WHERE host = 1 AND project = ? AND service = 'web' AND instance = 1",
        )?
        .execute((project,))?;
    connection
        .prepare_cached(
            "INSERT INTO lease VALUES (1, ?, ?, 'web', 1, 'default', ?, 'reserved', NULL, NULL, \
             30000, 30100, 'scan', 0, NULL, NULL, 1763000000000, 1763000000000)",
        )?
        .execute((port, project, generation))?;
    connection
        .prepare_cached(
            "INSERT INTO usage VALUES (1, ?, 1) ON CONFLICT DO UPDATE SET grants = grants + 1",
        )?
        .execute((port,))?;
    connection
        .prepare_cached(
            "UPDATE host SET last_generation = ?, grants = grants + 1, reuses = reuses + 0, \
             conflicts = conflicts + 0, moves = moves + 0, refusals = refusals + 0, \
             releases = releases + 0, swept = swept + 0 WHERE id = 1",
        )?
        .execute((generation,))?;
    run("COMMIT")?;
    Ok(())
}

fn floor() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("registry.db");
    let store = SqliteStore::open(&path)?;
    fill(&store, 10, 40_000)?;
    let connection = Connection::open(&path)?;
    connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    let mut times = Vec::new();
    for round in 0..5_000_u32 {
        let project = format!("/home/ada/projects/shop-{}", round % 50);
        let port = 30_000 + u16::try_from(round % 50)?;
        let start = Instant::now();
        by_hand(&connection, port, &project, round)?;
        times.push(start.elapsed());
        connection.execute("DELETE FROM lease WHERE host = 1 AND port = ?", (port,))?;
        let remember = "INSERT OR REPLACE INTO memory VALUES (1, ?, ?, 'web', 1, 1763000000000)";
        connection.execute(remember, (port, &project))?;
    }
    report("floor: the same statements by hand", &mut times);
    Ok(())
}

fn cold() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("registry.db");
    fill(&SqliteStore::open(&path)?, 100, 30_000)?;
    let range = PortRange::literal(30_000, 30_100);
    let (mut opens, mut all) = (Vec::new(), Vec::new());
    for round in 0..300 {
        let start = Instant::now();
        let store = SqliteStore::open(&path)?;
        opens.push(start.elapsed());
        let decision = store.transact(
            &host(),
            &request(&format!("shop-{}", round % 50), range),
            &facts(),
        )?;
        let lease = granted(&decision);
        drop(store);
        all.push(start.elapsed());
        let release = Command::Release(Release::granted(lease.key, lease.generation));
        SqliteStore::open(&path)?.transact(&host(), &release, &facts())?;
    }
    report("cold: open", &mut opens);
    report("cold: open, reserve (100 of 101 busy), close", &mut all);
    Ok(())
}

fn first_load(leases: u16) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("registry.db");
    fill(&SqliteStore::open(&path)?, leases, 30_000)?;
    let ports = PortRange::starting_at(Port::literal(30_000), leases);
    let scope = Scope::Rows {
        projects: Vec::new(),
        ports: ports.into(),
    };
    let (mut loads, mut reserves) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let store = SqliteStore::open(&path)?;
        let start = Instant::now();
        let loaded = store.load(&host(), &scope)?;
        loads.push(start.elapsed());
        assert_eq!(loaded.len(), usize::from(leases));
        let store = SqliteStore::open(&path)?;
        let start = Instant::now();
        let range = PortRange::starting_at(Port::literal(30_000), leases + 1);
        let decision = store.transact(&host(), &request("shop", range), &facts())?;
        reserves.push(start.elapsed());
        let lease = granted(&decision);
        store.transact(
            &host(),
            &Command::Release(Release::granted(lease.key, lease.generation)),
            &facts(),
        )?;
    }
    report(&format!("first load of {leases} rows"), &mut loads);
    report(&format!("first reserve, {leases} busy"), &mut reserves);
    Ok(())
}

fn crowd(role: &str) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("registry.db");
    let store = SqliteStore::open(&path)?;
    fill(&store, 10, 40_000)?;
    let program = std::env::current_exe()?;
    let spawn = |number: usize| {
        Process::new(&program)
            .args([role, &path.to_string_lossy(), &number.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
    };
    let mut children = (0..PROCESSES).map(spawn).collect::<Result<Vec<_>, _>>()?;
    let mut ready = [0];
    for child in &mut children {
        child
            .stdout
            .as_mut()
            .ok_or("piped")?
            .read_exact(&mut ready)?;
    }
    let start = Instant::now();
    for child in &mut children {
        drop(child.stdin.take());
    }
    let mut times = Vec::new();
    for child in children {
        let output = child.wait_with_output()?;
        for micros in String::from_utf8(output.stdout)?.split_whitespace() {
            times.push(Duration::from_nanos(micros.parse()?));
        }
    }
    assert_eq!(times.len(), PROCESSES * ROUNDS);
    let rate = 1_000_000 * times.len() as u128 / start.elapsed().as_micros();
    report(
        &format!("{role}: {PROCESSES} × {ROUNDS}, {rate}/s"),
        &mut times,
    );
    Ok(())
}

fn child(role: &str, path: &Path, number: u32) -> Outcome<()> {
    let mut times = Vec::new();
    let wait = || -> Outcome<()> {
        print!(" ");
        std::io::Write::flush(&mut std::io::stdout())?;
        std::io::stdin().read_to_end(&mut Vec::new())?;
        Ok(())
    };
    if role == "crowd" {
        let store = SqliteStore::open(path)?;
        let range = PortRange::literal(30_000, 33_000);
        wait()?;
        for round in 0..ROUNDS {
            let command = request(&format!("/home/ada/projects/shop-{number}-{round}"), range);
            let start = Instant::now();
            store.transact(&host(), &command, &facts())?;
            times.push(start.elapsed());
        }
    } else {
        let connection = Connection::open(path)?;
        connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        connection.busy_timeout(Duration::from_secs(10))?;
        wait()?;
        for round in 0..ROUNDS {
            let port = 30_000 + u16::try_from(number)? * 20 + u16::try_from(round)?;
            let start = Instant::now();
            by_hand(&connection, port, &format!("shop-{number}-{round}"), number)?;
            times.push(start.elapsed());
        }
    }
    for time in times {
        print!("{} ", time.as_nanos());
    }
    Ok(())
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6;
    println!(
        "{name:<44} {:>10.1} {:>10.1} {:>10.1}",
        at(50),
        at(99),
        at(100)
    );
}
