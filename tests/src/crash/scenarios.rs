//! Crashes with a name.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use portlease::core::{
    Command as Registration, Facts, Holder, Host, Name, Port, Process, Reply, Store, Timestamp,
};
use portlease::{Allocator, Reservation};
use portlease_probe::identity;
use portlease_sqlite::SqliteStore;

use crate::{Result, full_disk, open};

type Scenario = fn(&Path) -> Result<()>;

/// Plays all scenarios; answers how many. The first broken promise is an error.
pub(crate) fn run() -> Result<u32> {
    let scenarios: [(&str, Scenario); 6] = [
        ("the disk is full", full_disk::scenario),
        ("a server outlives the process that started it", orphan),
        ("a pid is used again", reused_pid),
        ("the clock jumps back", clock_jumps_back),
        ("the registry is deleted under running processes", deleted),
        ("the registry is replaced under running processes", replaced),
    ];
    let mut count = 0;
    for (name, scenario) in scenarios {
        let folder = tempfile::tempdir()?;
        scenario(&folder.path().join("registry.db")).map_err(|error| format!("{name}: {error}"))?;
        println!("scenario: {name}: ok");
        count += 1;
    }
    Ok(count)
}

fn orphan(registry: &Path) -> Result<()> {
    let mut parent = Command::new(std::env::current_exe()?)
        .arg("parent")
        .arg(registry)
        .args(["shop", "10000", "31999"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(parent.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let words: Vec<u32> = line
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    let [server, port] = words[..] else {
        return Err(format!("the parent says {line:?}").into());
    };
    parent.kill()?;
    parent.wait()?;
    let outcome = orphan_is_left_alone(&open(registry.to_path_buf())?, port);
    Command::new("kill")
        .args(["-9", &server.to_string()])
        .status()?;
    outcome
}

fn orphan_is_left_alone(allocator: &Allocator, port: u32) -> Result<()> {
    ensure(
        allocator.sweep()?.removed.is_empty(),
        "the lease of a running server was swept",
    )?;
    let grant = allocator.reserve(
        &Reservation::of("blog")
            .framework("default")
            .range(port.into(), 31_999)
            .build()?,
    )?;
    ensure(
        u32::from(grant.port().get()) != port,
        "the port of a running server was granted",
    )?;
    grant.release()?;
    Ok(())
}

fn reused_pid(registry: &Path) -> Result<()> {
    let allocator = open(registry.to_path_buf())?;
    let mut someone = sleeper()?;
    let real = identity::process(someone.id()).ok_or("it runs")?;
    let earlier = Process {
        started: real.started.map(|started| started - 1),
        ..real.clone()
    };
    let unknown = Process {
        started: None,
        ..real.clone()
    };
    for (project, process) in [("real", real), ("earlier", earlier), ("unknown", unknown)] {
        let request = Reservation::of(project)
            .framework("default")
            .range(10_000, 31_999);
        drop(allocator.reserve(&request.held_by(Holder::Process(process)).build()?)?);
    }
    let swept: Vec<String> = allocator
        .sweep()?
        .removed
        .iter()
        .map(|swept| swept.lease.key.project.to_string())
        .collect();
    someone.kill()?;
    someone.wait()?;
    ensure(swept == ["earlier"], &format!("swept were {swept:?}"))
}

fn clock_jumps_back(registry: &Path) -> Result<()> {
    let store = SqliteStore::open(registry)?;
    let host = Host::new(Name::literal("laptop"));
    let request = Reservation::of("shop")
        .framework("next")
        .on_behalf_of_others()
        .build()?;
    let reserve = Registration::Reserve(request);
    let port_at = |millis| -> Result<Port> {
        let facts = Facts::at(Timestamp::from_millis(millis));
        match store.transact(&host, &reserve, &facts)?.reply {
            Reply::Reserved(reserved) => Ok(reserved.services[0].port()),
            reply => Err(format!("{reply:?}").into()),
        }
    };
    let later = port_at(2_000_000_000_000)?;
    ensure(port_at(0)? == later, "the port changed with the clock")?;
    let sweep = Registration::Sweep(portlease::core::Sweep {
        suspects: store
            .load(&host, &portlease::core::Scope::Everything)?
            .iter()
            .map(|lease| portlease::core::Suspect {
                key: lease.key.clone(),
                generation: lease.generation,
            })
            .collect(),
        abandoned_after_millis: Some(1),
    });
    store.transact(&host, &sweep, &Facts::at(Timestamp::from_millis(0)))?;
    ensure(
        port_at(0)? == later,
        "a lease was abandoned before it was made",
    )
}

fn deleted(registry: &Path) -> Result<()> {
    under_running_processes(registry, |path| {
        for file in std::fs::read_dir(path.parent().ok_or("a folder")?)? {
            std::fs::remove_file(file?.path())?;
        }
        Ok(())
    })
}

fn replaced(registry: &Path) -> Result<()> {
    under_running_processes(registry, |path| {
        let other = path.with_file_name("other.db");
        drop(open(other.clone())?);
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
        }
        Ok(std::fs::rename(other, path)?)
    })
}

/// Two that run while their registry is lost: nothing is granted twice, and from then on they
/// share the registry that took its place, with what was leased before.
fn under_running_processes(
    registry: &Path,
    lose: impl FnOnce(&PathBuf) -> Result<()>,
) -> Result<()> {
    let (one, other) = (open(registry.to_path_buf())?, open(registry.to_path_buf())?);
    let request = |project| {
        Reservation::of(project)
            .framework("default")
            .range(10_000, 31_999)
            .build()
    };
    let first = one.reserve(&request("first")?)?;
    lose(&registry.to_path_buf())?;
    let second = other.reserve(&request("second")?)?;
    let third = one.reserve(&request("third")?)?;
    let mut ports = vec![first.port(), second.port(), third.port()];
    ports.sort_unstable();
    ports.dedup();
    ensure(ports.len() == 3, "a port was granted twice")?;
    let seen = |allocator: &Allocator| -> Result<usize> { Ok(allocator.list(None)?.len()) };
    let (by_one, by_other) = (seen(&one)?, seen(&other)?);
    let verdict =
        format!("one sees {by_one} leases, the other {by_other}: they share no registry any more");
    ensure(by_one == 3 && by_other == 3, &verdict)
}

fn sleeper() -> Result<Child> {
    Ok(Command::new("sleep")
        .arg("60")
        .stdin(Stdio::null())
        .spawn()?)
}

pub(crate) fn ensure(is_kept: bool, broken: &str) -> Result<()> {
    if is_kept { Ok(()) } else { Err(broken.into()) }
}
