//! The store that others use: the commands of the core, and what concerns the file as a whole.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use portlease_core::{
    Command, Decision, Exchange, Export, Facts, Host, Imported, Leases, Mark, OnConflict, Scope,
    Store, StoreError, TransactError,
};

use crate::explain::Trouble;
use crate::export;
use crate::inspection::Inspection;
use crate::loaded;
use crate::opening::Opened;
use crate::options::Options;
use crate::place::Place;
use crate::recovery::Recovery;
use crate::registry::Registry;
use crate::transaction::Mode;

/// The registry of one machine: a file that all processes of a user share.
///
/// Any number of threads may use one store, and any number of processes may have stores of one
/// path.
///
/// ```
/// use portlease_core::{Catalog, Command, Facts, Host, Name, Request, Scope, Service, Store};
/// use portlease_sqlite::SqliteStore;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("registry.db");
/// let store = SqliteStore::open(&path)?;
/// let host = Host::new(Name::literal("laptop"));
/// let web = Service::new(Name::literal("web"), Catalog::builtin().or_default("next"));
/// let command = Command::Reserve(Request::new(Name::literal("shop"), vec![web]));
/// store.transact(&host, &command, &Facts::default())?;
///
/// let another = SqliteStore::open(&path)?;
/// assert_eq!(another.load(&host, &Scope::Everything)?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    registry: Registry,
}

impl SqliteStore {
    /// Opens the registry at this path, which is made when it is missing.
    ///
    /// # Errors
    ///
    /// When a registry cannot be there, or cannot be used by this version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Options::new().open(path)
    }

    pub(crate) fn at(place: Place, lock_timeout: Duration) -> Result<Self, StoreError> {
        let registry = Registry::new(place, lock_timeout)?;
        match registry.alone(|_| Ok(())) {
            Ok(()) => Ok(Self { registry }),
            Err(error) => {
                registry.withdraw(&error);
                Err(error)
            }
        }
    }

    /// The path of the registry, without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.registry.path()
    }

    /// Makes sure that the file is whole and can be written, and says what it is.
    ///
    /// A damaged one is replaced on the spot, as by any other command.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn inspect(&self) -> Result<Inspection, StoreError> {
        self.registry
            .alone(|opened| Inspection::of(&opened.connection))
    }

    /// Does the work of a command, alone if it may change something.
    fn work<T>(
        &self,
        command: &Command,
        mut work: impl FnMut(&mut Opened, Mode) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        if command.is_read_only() {
            self.registry
                .beside_others(|opened| work(opened, Mode::Read))
        } else {
            self.registry.alone(|opened| work(opened, Mode::Write))
        }
    }

    /// What this store had to do because the registry was damaged, deleted or replaced.
    #[must_use]
    pub fn recoveries(&self) -> Vec<Recovery> {
        self.registry.recoveries()
    }
}

impl Store for SqliteStore {
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError> {
        let decided = self.work(command, |opened, mode| {
            opened.decide(mode, host, command, |_| facts)
        });
        Ok(decided??)
    }

    fn transact_observing(
        &self,
        host: &Host,
        command: &Command,
        facts: &mut Facts,
        observe: &mut dyn FnMut(&Leases, &mut Facts),
    ) -> Result<Decision, TransactError> {
        let decided = self.work(command, |opened, mode| {
            opened.decide(mode, host, command, |leases| {
                observe(leases, facts);
                facts
            })
        });
        Ok(decided??)
    }

    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        self.registry
            .beside_others(|opened| opened.load(host, scope))
    }
    fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        self.registry
            .beside_others(|opened| loaded::hosts(&opened.connection))
    }

    /// A file tells nobody that it changed, so it is asked again and again. That costs a few microseconds each time.
    #[expect(
        clippy::disallowed_methods,
        reason = "other processes write the file, and SQLite tells only those who ask"
    )]
    fn wait_for_change(
        &self,
        host: &Host,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, StoreError> {
        let deadline = Instant::now().checked_add(at_most);
        loop {
            let mark = self.registry.beside_others(|opened| opened.mark(host))?;
            let left = deadline.map(|it| it.saturating_duration_since(Instant::now()));
            if Some(mark) != seen || left == Some(Duration::ZERO) {
                return Ok(mark);
            }
            thread::sleep(left.map_or(BETWEEN_LOOKS, |left| left.min(BETWEEN_LOOKS)));
        }
    }
}

impl Exchange for SqliteStore {
    fn export(&self) -> Result<Export, StoreError> {
        self.registry
            .beside_others(|opened| export::read(&opened.connection))
    }

    fn import(&self, export: &Export, on_conflict: OnConflict) -> Result<Imported, StoreError> {
        export.check()?;
        self.registry.alone(|opened| {
            opened.forget();
            export::write(&opened.connection, export, on_conflict)
        })
    }
}

/// The time between two looks whether something changed: shorter than anybody notices.
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);
