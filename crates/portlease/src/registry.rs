//! Where the registry is.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use portlease_core::{MemoryStore, Store};
use portlease_sqlite::SqliteStore;

use crate::{Error, state_folder};

/// The variable that names the registry.
const VARIABLE: &str = "PORTLEASE_REGISTRY";

/// The place of a registry.
#[derive(Clone, Default)]
pub enum Registry {
    /// What `PORTLEASE_REGISTRY` names, else the file `registry.db` in the folder where the
    /// platform keeps the state of programs.
    #[default]
    Default,
    /// A file.
    File(PathBuf),
    /// The memory of this process. All who open it so have a registry of their own.
    Memory,
    /// A store that the caller opened.
    Store(Arc<dyn Store>),
}

impl Registry {
    /// Reads a URL: `sqlite:PATH` or `memory:`.
    ///
    /// ```
    /// use portlease::Registry;
    ///
    /// assert!(matches!(Registry::from_url("sqlite:/tmp/registry.db")?, Registry::File(_)));
    /// assert!(Registry::from_url("mysql:host").is_err());
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn from_url(url: &str) -> Result<Self, Error> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => {
                // `sqlite:///a/b` is how other programs write the absolute path /a/b.
                let path = path.strip_prefix("//").unwrap_or(path);
                Ok(Self::File(path.into()))
            }
            Some(("memory", "")) => Ok(Self::Memory),
            _ => Err(Error::InvalidRegistry {
                url: url.to_owned(),
            }),
        }
    }

    /// The file in the folder where the platform keeps the state of programs, whatever `PORTLEASE_REGISTRY` says.
    pub fn of_user() -> Result<Self, Error> {
        default_file().map(Self::File)
    }

    pub(crate) fn open(self) -> Result<Opened, Error> {
        match self {
            Self::Default => match env::var(VARIABLE) {
                Ok(url) if !url.is_empty() => Self::from_url(&url)?.open(),
                Ok(_) | Err(env::VarError::NotPresent) => Self::File(default_file()?).open(),
                Err(env::VarError::NotUnicode(url)) => Err(Error::InvalidRegistry {
                    url: url.to_string_lossy().into_owned(),
                }),
            },
            Self::File(path) => {
                let file = Arc::new(SqliteStore::open(&path)?);
                Ok(Opened {
                    store: file.clone(),
                    file: Some(file),
                })
            }
            Self::Memory => Ok(Opened::no_file(Arc::new(MemoryStore::new()))),
            Self::Store(store) => Ok(Opened::no_file(store)),
        }
    }
}

/// A registry that is open.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// The same once more, when it is a file.
    pub(crate) file: Option<Arc<SqliteStore>>,
}

impl Opened {
    fn no_file(store: Arc<dyn Store>) -> Self {
        Self { store, file: None }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => formatter.write_str("Default"),
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Memory => formatter.write_str("Memory"),
            Self::Store(_) => formatter.write_str("Store"),
        }
    }
}

pub(crate) fn default_file() -> Result<PathBuf, Error> {
    Ok(state_folder()?.join("registry.db"))
}
