//! Where the registry is.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use portlease_core::{Exchange, MemoryStore, Store};
#[cfg(feature = "postgres")]
use portlease_postgres::{Address, PostgresStore};
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
    /// A database, which many machines share.
    #[cfg(feature = "postgres")]
    Postgres(Box<Address>),
    /// The memory of this process. All who open it so have a registry of their own.
    Memory,
    /// A store that the caller opened.
    Store(Arc<dyn Store>),
}

impl Registry {
    /// Reads a URL: `sqlite:PATH`, `memory:`, or `postgres://USER@HOST/DATABASE`, of which [`Address`]
    /// tells more.
    ///
    /// ```
    /// use portlease::Registry;
    ///
    /// assert!(matches!(Registry::from_url("sqlite:/tmp/registry.db")?, Registry::File(_)));
    /// assert!(Registry::from_url("postgres://portlease@db.example/fleet").is_ok());
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
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Box::new(url.parse()?))),
            _ => Err(Error::InvalidRegistry {
                url: without_password(url),
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
                    url: without_password(&url.to_string_lossy()),
                }),
            },
            Self::File(path) => {
                let file = Arc::new(SqliteStore::open(&path)?);
                Ok(Opened {
                    store: file.clone(),
                    exchange: Some(file.clone()),
                    file: Some(file),
                    #[cfg(feature = "postgres")]
                    database: None,
                })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(address) => {
                let database = Arc::new(PostgresStore::open(&address)?);
                Ok(Opened {
                    store: database.clone(),
                    exchange: Some(database.clone()),
                    file: None,
                    database: Some(database),
                })
            }
            Self::Memory => Ok(Opened::alone(Arc::new(MemoryStore::new()))),
            Self::Store(store) => Ok(Opened::alone(store)),
        }
    }
}

/// A registry that is open.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// The same once more, when it can be exported.
    pub(crate) exchange: Option<Arc<dyn Exchange>>,
    /// The same once more, when it is a file.
    pub(crate) file: Option<Arc<SqliteStore>>,
    /// The same once more, when it is a database.
    #[cfg(feature = "postgres")]
    pub(crate) database: Option<Arc<PostgresStore>>,
}

impl Opened {
    fn alone(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            exchange: None,
            file: None,
            #[cfg(feature = "postgres")]
            database: None,
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => formatter.write_str("Default"),
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            #[cfg(feature = "postgres")]
            Self::Postgres(address) => formatter.debug_tuple("Postgres").field(address).finish(),
            Self::Memory => formatter.write_str("Memory"),
            Self::Store(_) => formatter.write_str("Store"),
        }
    }
}

pub(crate) fn default_file() -> Result<PathBuf, Error> {
    Ok(state_folder()?.join("registry.db"))
}

/// A URL as it may be shown: what stands between the user's name and the `@` is a secret.
///
/// ```
/// let shown = portlease::without_password("postgres://ada:secret@db.example/fleet");
/// assert_eq!(shown, "postgres://ada:***@db.example/fleet");
/// ```
pub fn without_password(url: &str) -> String {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let (user, place) = rest.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:***@{place}"))
    });
    let url = parts.unwrap_or_else(|| url.to_owned());
    match url.split_once("password=") {
        Some((before, secret)) => {
            let after = secret.find('&').map_or("", |end| &secret[end..]);
            format!("{before}password=***{after}")
        }
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let check = |url: &str, shown: &str| assert_eq!(without_password(url), shown);
        check("sqlite:/a@b:c", "sqlite:/a@b:c");
        check("postgres://ada@db/fleet", "postgres://ada@db/fleet");
        check(
            "postgres://ada:s@cret@db:5/fleet?x=y",
            "postgres://ada:***@db:5/fleet?x=y",
        );
        check(
            "postgres://db/fleet?password=secret&user=ada",
            "postgres://db/fleet?password=***&user=ada",
        );
    }
}
