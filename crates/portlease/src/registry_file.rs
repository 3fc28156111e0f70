//! What can be done with a registry as a whole, and because it is a file.

use std::path::PathBuf;

use portlease_core::{Exchange, Export, Imported, OnConflict};
use portlease_sqlite::{Recovery, SqliteStore};

use crate::{Allocator, Error};

/// A registry that is a file, is whole, and can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryFile {
    /// Where it is, without symbolic links.
    pub path: PathBuf,
    /// The version of its tables.
    pub version: usize,
    /// How many bytes it takes once its log is part of it.
    pub size: u64,
    /// What had to be done since it was opened, because it was damaged, deleted or replaced.
    pub recoveries: Vec<Recovery>,
}

impl Allocator {
    /// Everything that the registry knows, of all hosts, to look at, to keep or to take elsewhere.
    ///
    /// ```
    /// # use portlease::{Allocator, Options, Registry};
    /// # let folder = tempfile::tempdir()?;
    /// # let registry = Registry::File(folder.path().join("registry.db"));
    /// # let allocator = Allocator::open(Options { registry, ..Options::default() })?;
    /// let json = serde_json::to_string(&allocator.export()?)?;
    /// # assert_eq!(json, r#"{"format":1,"hosts":{}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn export(&self) -> Result<Export, Error> {
        Ok(self.exchange()?.export()?)
    }

    /// Adds what was exported, all of it or nothing, and answers what became of each lease.
    pub fn import(&self, export: &Export, on_conflict: OnConflict) -> Result<Imported, Error> {
        Ok(self.exchange()?.import(export, on_conflict)?)
    }

    /// Makes sure that the registry is whole and can be written, and says what it is.
    pub fn registry_file(&self) -> Result<RegistryFile, Error> {
        let file = self.file()?;
        let inspection = file.inspect()?;
        Ok(RegistryFile {
            path: file.path().to_path_buf(),
            version: inspection.version,
            size: inspection.size,
            recoveries: file.recoveries(),
        })
    }

    /// Where the database is that the registry is in, without a password; none when it is in none.
    pub fn database(&self) -> Option<String> {
        #[cfg(feature = "postgres")]
        return self
            .inner
            .database
            .as_ref()
            .map(|database| database.address().to_string());
        #[cfg(not(feature = "postgres"))]
        None
    }

    fn exchange(&self) -> Result<&dyn Exchange, Error> {
        self.inner.exchange.as_deref().ok_or(Error::NoExchange)
    }

    fn file(&self) -> Result<&SqliteStore, Error> {
        self.inner.file.as_deref().ok_or(Error::NoRegistryFile)
    }
}
