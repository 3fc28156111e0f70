//! Registries to be damaged, and what must be true of a registry whatever happened to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use portlease_core::{
    Command, Exchange as _, Export, Facts, Host, Lease, Name, OnConflict, PortRange, Reply,
    Request, Scope, Service, Store as _, StoreError, StoreErrorKind, Timestamp, TransactError,
};
use portlease_sqlite::{Cause, Options, SqliteStore};
use tempfile::TempDir;

/// What the registries hold.
pub const EXPORT: &str = include_str!("../seeds/json_import/export.json");

/// A folder that is gone after this input: in memory where the system has such a place, because thousands are made.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("there is room for a folder")
}

/// The files of a registry.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The registry itself.
    pub database: Vec<u8>,
    /// What was written last and is not in the database yet; empty for none.
    pub log: Vec<u8>,
    lock: Vec<u8>,
}

impl Files {
    fn read(path: &Path) -> Self {
        let read = |suffix| fs::read(beside(path, suffix)).unwrap_or_default();
        Self {
            database: read(""),
            log: read("-wal"),
            lock: read(".lock"),
        }
    }

    /// Writes them, and answers the path of the registry.
    pub fn write(&self, folder: &TempDir) -> PathBuf {
        let path = folder.path().join("registry.db");
        for (suffix, bytes) in [
            ("", &self.database),
            ("-wal", &self.log),
            (".lock", &self.lock),
        ] {
            if suffix != "-wal" || !bytes.is_empty() {
                fs::write(beside(&path, suffix), bytes).expect("there is room for a registry");
            }
        }
        path
    }

    /// Forgets that there was a registry at the place, as when somebody moved a file there.
    pub fn forget_lock(&mut self) {
        self.lock.clear();
    }

    /// A registry with leases, closed.
    pub fn closed() -> &'static Self {
        static FILES: OnceLock<Files> = OnceLock::new();
        FILES.get_or_init(|| {
            let folder = folder();
            let path = filled(&folder).path().to_owned();
            Self::read(&path)
        })
    }

    /// A registry with leases, as it is left when everybody is killed.
    pub fn left_open() -> &'static Self {
        static FILES: OnceLock<Files> = OnceLock::new();
        FILES.get_or_init(|| {
            let folder = folder();
            let store = filled(&folder);
            Self::read(store.path())
        })
    }

    fn without_leases() -> &'static Self {
        static FILES: OnceLock<Files> = OnceLock::new();
        FILES.get_or_init(|| {
            let folder = folder();
            let path = open(&folder.path().join("registry.db"))
                .expect("a registry opens")
                .path()
                .to_owned();
            Self::read(&path)
        })
    }
}

/// A registry without leases.
pub fn empty(folder: &TempDir) -> SqliteStore {
    open(&Files::without_leases().write(folder)).expect("a registry opens")
}

/// A registry with leases.
pub fn full(folder: &TempDir) -> SqliteStore {
    open(&Files::closed().write(folder)).expect("a registry opens")
}

fn filled(folder: &TempDir) -> SqliteStore {
    let store = open(&folder.path().join("registry.db")).expect("a registry opens");
    let export: Export = serde_json::from_str(EXPORT).expect("the seed is an export");
    store
        .import(&export, OnConflict::Keep)
        .expect("it can be imported");
    // Enough for tables of several pages.
    for number in 0..60 {
        reserve(&store, &format!("/home/ada/projects/project-{number}")).expect("a port is free");
    }
    store
}

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    Options::new()
        .lock_timeout(std::time::Duration::from_secs(1))
        .open(path)
}

/// What is known of a database before it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// `SQLite` wrote them: what is wrong with the rows shows as soon as they are read.
    AreSound,
    /// Somebody else did: a wrong account of the room in a page shows only after something was written into it.
    MayLie,
}

/// Opens whatever lies there and works with it. Nothing of it may be lost: it is opened, or set aside and kept, or left as it
/// is with an error that says what to do. What was answered afterwards stays.
pub fn check_file(path: &Path, pages: Pages) {
    let before = fs::read(path).expect("a file is there");
    let store = match open(path) {
        Ok(store) => store,
        Err(error) => {
            check_error(&error);
            let after = fs::read(path).expect("the file is there");
            assert!(after == before, "it was changed: {error}");
            return;
        }
    };
    for kept in kept(&store) {
        let after = fs::read(kept).expect("the damaged file is kept");
        assert!(body(&after) == body(&before), "it was changed");
    }
    if work(&store).is_none() {
        return;
    }
    let lease = reserve(&store, "/home/ada/shop");
    let rebuilt = store.recoveries().len();
    let kept = kept(&store);
    let export = store
        .export()
        .expect("what was read before can be read again");
    // The page into which it was written lied, and what was in it was lost when that showed.
    let shows_late = pages == Pages::MayLie && store.recoveries().len() > rebuilt;
    drop(store);
    for kept in kept {
        assert!(kept.is_file(), "{} is kept", kept.display());
    }
    let store = open(path).expect("what was opened before opens again");
    let again = store.export().expect("it can be exported");
    check(&again);
    if pages == Pages::MayLie && !store.recoveries().is_empty() {
        return;
    }
    assert_eq!(store.recoveries(), [], "what was repaired is whole");
    assert_eq!(written(&again), written(&export));
    if let (Ok(lease), false) = (lease, shows_late) {
        let granted = again.hosts[&host()].at(lease.port);
        assert_eq!(granted, Some(&lease), "what was granted is there");
    }
}

/// A database without its head, in which `SQLite` notes how it keeps the log before anything is found out.
fn body(database: &[u8]) -> &[u8] {
    const HEAD: usize = 100;
    database.get(HEAD..).unwrap_or_default()
}

/// Reads everything; nothing when that was refused with a clear error.
fn work(store: &SqliteStore) -> Option<()> {
    let hosts = clear(store.hosts())?;
    for host in hosts {
        clear(store.load(&host, &Scope::Everything))?;
    }
    check(&clear(store.export())?);
    match reserve(store, "/home/ada/other") {
        Ok(_) | Err(TransactError::Refused(_)) => Some(()),
        Err(TransactError::Store(error)) => clear(Err(error)),
    }
}

fn clear<T>(outcome: Result<T, StoreError>) -> Option<T> {
    outcome.inspect_err(check_error).ok()
}

/// A registry that is damaged is repaired, and a disk that is well does not fail: what is left is that it is not ours.
fn check_error(error: &StoreError) {
    assert!(
        matches!(
            error.kind,
            StoreErrorKind::Unsuitable | StoreErrorKind::NewerVersion
        ),
        "{error:?}"
    );
    assert!(
        error.problem.ends_with('.') && error.remedy.ends_with('.'),
        "{error}"
    );
}

/// What every registry promises: its leases are those of a host, no port twice, and they can travel.
pub fn check(export: &Export) {
    for leases in export.hosts.values() {
        assert_eq!(leases.check(), Ok(()));
        assert!(
            leases
                .memories()
                .all(|memory| leases.at(memory.port).is_none())
        );
        let mut ports: Vec<_> = leases.iter().map(|lease| lease.port).collect();
        ports.dedup();
        assert_eq!(ports.len(), leases.len(), "no port twice");
        assert!(
            leases
                .iter()
                .all(|lease| lease.generation <= leases.last_generation())
        );
    }
    let json = written(export);
    let read: Export = serde_json::from_str(&json).expect("what was written can be read");
    assert_eq!(&read, export);
}

/// Whatever is in a registry, the next grant is made, and nothing is found damaged.
pub fn check_use(store: &SqliteStore) {
    if let Err(TransactError::Store(error)) = reserve(store, "/home/ada/shop") {
        panic!("{error}");
    }
    check(&store.export().expect("it can be exported"));
    assert_eq!(store.recoveries(), []);
}

/// As text, which shows where two exports differ.
fn written(export: &Export) -> String {
    serde_json::to_string(export).expect("every export has a JSON")
}

fn kept(store: &SqliteStore) -> Vec<PathBuf> {
    let causes = store
        .recoveries()
        .into_iter()
        .map(|recovery| recovery.cause);
    let kept = causes.filter_map(|cause| match cause {
        Cause::Damaged { kept, .. } => Some(kept),
        _ => None,
    });
    kept.collect()
}

fn host() -> Host {
    Host::new(Name::literal("laptop"))
}

fn reserve(store: &SqliteStore, project: &str) -> Result<Lease, TransactError> {
    let web = Service::in_range(Name::literal("web"), PortRange::literal(20_000, 29_999));
    let command = Command::Reserve(Request::new(Name::literal(project), vec![web]));
    let decision = store.transact(&host(), &command, &Facts::at(Timestamp::from_millis(1_000)))?;
    match decision.reply {
        Reply::Reserved(reserved) => Ok(reserved.services[0].lease.clone()),
        other => panic!("a reserve is answered with {other:?}"),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
