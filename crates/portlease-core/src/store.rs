//! Where leases are kept: the seam between the decision and files, databases and memory.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Change, Command, Counters, Decision, Facts, InvalidName, Leases, Name, Refusal, Scope,
};

/// A registry of leases that all its users share.
///
/// A store begins a transaction, loads at least the [`scope`](Command::scope) of the command,
/// calls [`decide`](crate::decide()), applies the changes and commits. It **may decide more than
/// once**, after a serialization failure for instance, which is safe because deciding only reads
/// values; what it answers is the decision whose changes it committed.
///
/// The conformance suite (feature `conformance`) tests everything that is promised here.
///
/// ```
/// use portlease_core::{Catalog, Command, Facts, Host, MemoryStore, Name, Request, Scope, Service, Store};
///
/// let store: Box<dyn Store> = Box::new(MemoryStore::new());
/// let host = Host::new(Name::literal("laptop"));
/// let web = Service::new(Name::literal("web"), Catalog::builtin().or_default("astro"));
/// let command = Command::Reserve(Request::new(Name::literal("blog"), vec![web]));
/// store.transact(&host, &command, &Facts::default())?;
/// assert_eq!(store.load(&host, &Scope::Everything)?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store: Send + Sync {
    /// Decides about a command and makes its changes, all or none of them, before it answers.
    /// Transactions of one host happen one after the other, whichever threads, processes or
    /// machines they come from. A change that was acknowledged is there for everybody afterwards.
    ///
    /// The changes are made in their order. [`Change::Grant`] and [`Change::Update`] put a row in
    /// place of all that have its port, its key, or the key of one of its followers.
    ///
    /// A refused request is counted, by [`refused`], and changes nothing else.
    ///
    /// # Errors
    ///
    /// [`TransactError::Refused`] when the decision was a refusal, [`TransactError::Store`] when
    /// the store broke; then nothing was changed, as far as the store can know.
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError>;

    /// The same for whoever can observe more once it is known which leases there are, such as who of their holders has ended:
    /// `observe` adds to the facts what it sees, given at least the leases of the command's scope. Like the decision, it **may
    /// be called more than once**.
    ///
    /// A store whose transactions can wait for that does it inside of one. The others do it before, which is as safe: evidence is
    /// about holders and not about leases.
    ///
    /// # Errors
    ///
    /// As [`transact`](Self::transact).
    fn transact_observing(
        &self,
        host: &Host,
        command: &Command,
        facts: &mut Facts,
        observe: &mut dyn FnMut(&Leases, &mut Facts),
    ) -> Result<Decision, TransactError> {
        observe(&self.load(host, &command.scope())?, facts);
        self.transact(host, command, facts)
    }

    /// The leases of a host as they are at one moment: at least those of the scope. The last
    /// generation and the last sweep are those of the host whatever the scope is; counters and usage
    /// only have to be there for [`Scope::Everything`].
    ///
    /// # Errors
    ///
    /// When the store broke.
    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError>;

    /// The hosts of which the registry knows something, by name.
    ///
    /// # Errors
    ///
    /// When the store broke.
    fn hosts(&self) -> Result<Vec<Host>, StoreError>;

    /// Waits until something of the host may be different from what it was at `seen`, and at most for this long; answers what to
    /// say the next time. Without `seen`, the answer is there at once.
    ///
    /// It may answer although nothing changed. It never misses a change: whoever loads after the answer and passes it on the next
    /// time sees all there is to see.
    ///
    /// # Errors
    ///
    /// When the store broke.
    fn wait_for_change(
        &self,
        host: &Host,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, StoreError>;
}

/// How far a host had come when somebody looked, in terms that only its store understands.
///
/// ```
/// use core::time::Duration;
/// use portlease_core::{Host, MemoryStore, Name, Store};
///
/// let store = MemoryStore::new();
/// let host = Host::new(Name::literal("laptop"));
/// let seen = store.wait_for_change(&host, None, Duration::ZERO)?;
/// assert_eq!(store.wait_for_change(&host, Some(seen), Duration::ZERO)?, seen);
/// # Ok::<(), portlease_core::StoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    origin: u64,
    changes: u64,
}

impl Mark {
    /// So many changes after a beginning, of which there can be several: a registry that was replaced begins anew.
    #[must_use]
    pub fn new(origin: u64, changes: u64) -> Self {
        Self { origin, changes }
    }
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError> {
        (**self).transact(host, command, facts)
    }

    fn transact_observing(
        &self,
        host: &Host,
        command: &Command,
        facts: &mut Facts,
        observe: &mut dyn FnMut(&Leases, &mut Facts),
    ) -> Result<Decision, TransactError> {
        (**self).transact_observing(host, command, facts, observe)
    }

    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        (**self).load(host, scope)
    }

    fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        (**self).hosts()
    }

    fn wait_for_change(
        &self,
        host: &Host,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, StoreError> {
        (**self).wait_for_change(host, seen, at_most)
    }
}

/// The change that a store makes when a command was refused: requests for ports are counted.
///
/// ```
/// use portlease_core::{Command, Counters, Leases, Name, Release, refused};
///
/// let command = Command::Release(Release::by_project(Name::literal("shop")));
/// assert_eq!(refused(&command), None);
/// ```
#[must_use]
pub fn refused(command: &Command) -> Option<Change> {
    let is_request = matches!(command, Command::Reserve(_));
    is_request.then(|| {
        Change::Count(Counters {
            refusals: 1,
            ..Counters::default()
        })
    })
}

/// The machine, and inside it the network, whose ports are leased.
///
/// ```
/// use portlease_core::{Host, Name};
///
/// assert_eq!(Host::new(Name::literal("laptop")).to_string(), "laptop");
/// assert_eq!("laptop".parse(), Ok(Host::new(Name::literal("laptop"))));
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Host(Name);

impl Host {
    /// The host of this name.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self(name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0
    }
}

impl FromStr for Host {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// Why a transaction has no decision to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactError {
    /// The command cannot be granted. The store is well.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store broke. The command might be granted another time.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A failure of the store itself, never of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{problem} {remedy}")]
pub struct StoreError {
    /// What kind of failure it is.
    pub kind: StoreErrorKind,
    /// What happened, in a sentence that names the place.
    pub problem: String,
    /// What to do about it, in a sentence.
    pub remedy: String,
}

/// The kinds of failures of a store, by their stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It could not be reached in time.
    Unavailable,
    /// Others kept it busy for too long.
    Busy,
    /// What it holds cannot be read.
    Corrupt,
    /// A newer version made it.
    NewerVersion,
    /// It may be read but not written.
    ReadOnly,
    /// There is no room left.
    Full,
    /// The place is not one where it can work.
    Unsuitable,
    /// Anything else.
    Failed,
}

impl StoreErrorKind {
    /// The stable code, as JSON has it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unavailable => "UNAVAILABLE",
            Self::Busy => "BUSY",
            Self::Corrupt => "CORRUPT",
            Self::NewerVersion => "NEWER_VERSION",
            Self::ReadOnly => "READ_ONLY",
            Self::Full => "FULL",
            Self::Unsuitable => "UNSUITABLE",
            Self::Failed => "FAILED",
        }
    }
}
