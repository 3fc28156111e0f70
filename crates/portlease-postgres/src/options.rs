//! How a registry is opened.

use std::time::Duration;

use portlease_core::StoreError;

use crate::address::Address;
use crate::store::PostgresStore;

/// How a registry is opened.
///
/// ```no_run
/// use std::time::Duration;
///
/// use portlease_postgres::Options;
///
/// let options = Options::new().time_limit(Duration::from_secs(3)).max_connections(4);
/// let store = options.open(&"postgres://portlease@db.example/fleet".parse()?)?;
/// # Ok::<(), portlease_core::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) time_limit: Duration,
    pub(crate) max_connections: usize,
}

/// Longer ones have no meaning, and overflow what PostgreSQL counts milliseconds in.
const LONGEST_LIMIT: Duration = Duration::from_hours(24);

impl Default for Options {
    fn default() -> Self {
        Self {
            time_limit: Duration::from_secs(10),
            max_connections: 16,
        }
    }
}

impl Options {
    /// What [`PostgresStore::open`] uses.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a command may take, with everything that is tried again: 10 seconds, unless said otherwise, and a day at most.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.min(LONGEST_LIMIT);
        self
    }

    /// How many connections there are at most, which is how many commands are under way at once: 16, unless said otherwise. They
    /// are made when they are needed, and closed when they were not needed for a minute.
    #[must_use]
    pub fn max_connections(mut self, limit: usize) -> Self {
        self.max_connections = limit.clamp(1, 1_000);
        self
    }

    /// Opens the registry at this address; its tables are made when they are missing.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or cannot be used by this user or this version.
    pub fn open(&self, address: &Address) -> Result<PostgresStore, StoreError> {
        PostgresStore::new(address, self)
    }
}
