//! How a registry is opened.

use std::path::Path;
use std::time::Duration;

use portlease_core::StoreError;

use crate::place::Place;
use crate::store::SqliteStore;

/// How a registry is opened.
///
/// ```
/// use std::time::Duration;
///
/// use portlease_sqlite::Options;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("registry.db");
/// let options = Options::new().lock_timeout(Duration::from_secs(1)).create_folder(false);
/// let store = options.open(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    lock_timeout: Duration,
    create_folder: bool,
}

/// Longer ones have no meaning, and overflow what `SQLite` counts milliseconds in.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(24);

impl Default for Options {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(10),
            create_folder: true,
        }
    }
}

impl Options {
    /// What [`SqliteStore::open`] uses.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a command waits for others that write, before it is given up as
    /// [`Busy`](portlease_core::StoreErrorKind::Busy): 10 seconds, unless said otherwise, and a day
    /// at most.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// Whether a missing folder is made, for nobody but the user: yes, unless said otherwise.
    #[must_use]
    pub fn create_folder(mut self, create: bool) -> Self {
        self.create_folder = create;
        self
    }

    /// Opens the registry at this path, which is made when it is missing.
    ///
    /// # Errors
    ///
    /// When a registry cannot be there, or cannot be used by this version.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        let place = Place::find(path.as_ref(), self.create_folder)?;
        place.check()?;
        SqliteStore::at(place, self.lock_timeout)
    }
}
