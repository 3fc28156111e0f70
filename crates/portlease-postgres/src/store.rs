//! The store that others use.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portlease_core::{
    Command, Decision, Exchange, Export, Facts, Host, Imported, Leases, Mark, OnConflict, Refusal,
    Scope, Store, StoreError, TransactError, decide,
};

use tokio::time::{self, timeout};

use crate::address::Address;
use crate::connection::Connection;
use crate::driver::Driver;
use crate::limit::{Limit, Tries};
use crate::listening::Listening;
use crate::options::Options;
use crate::pool::{Pool, Taken};
use crate::tls;
use crate::transaction::{Outcome, Signature, Work, decided};
use crate::trouble::Trouble;

/// The registry of a fleet: leases of many hosts in one PostgreSQL.
///
/// Any number of threads may use one store, and any number of processes and machines may have stores of one database.
///
/// ```no_run
/// use portlease_core::{Catalog, Command, Facts, Host, Name, Request, Scope, Service, Store};
/// use portlease_postgres::PostgresStore;
///
/// let store = PostgresStore::open(&"postgres://portlease@db.example/fleet".parse()?)?;
/// let host = Host::new(Name::literal("worker-7"));
/// let web = Service::new(Name::literal("web"), Catalog::builtin().or_default("next"));
/// let command = Command::Reserve(Request::new(Name::literal("shop"), vec![web]));
/// store.transact(&host, &command, &Facts::default())?;
/// assert_eq!(store.load(&host, &Scope::Everything)?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PostgresStore {
    // It goes before the thread that moves its bytes.
    pub(crate) pool: Arc<Pool>,
    pub(crate) listening: Listening,
    pub(crate) driver: Driver,
    time_limit: Duration,
}

impl PostgresStore {
    /// Opens the registry at this address; its tables are made when they are missing.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or cannot be used by this user or this version.
    pub fn open(address: &Address) -> Result<Self, StoreError> {
        Options::new().open(address)
    }

    pub(crate) fn new(address: &Address, options: &Options) -> Result<Self, StoreError> {
        let tls = tls::connector(&address.trust)?;
        let driver = Driver::start()?;
        let pool = driver.wait(async { Pool::new(address.clone(), tls, options.max_connections) });
        let store = Self {
            pool,
            listening: Listening::default(),
            driver,
            time_limit: options.time_limit,
        };
        store.run(async |_, _| Ok(()))?;
        Ok(store)
    }

    /// Where the registry is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.pool.address
    }

    /// Asks once whether the registry answers, and does not try again: for those who are many and can wait.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn knock(&self) -> Result<(), StoreError> {
        self.driver.wait(async {
            let limit = Limit::begin(self.time_limit);
            let attempt = async {
                let taken = self.take(limit, limit.most()).await?;
                taken.connection.client.batch_execute("").await?;
                taken.put_back();
                Ok(())
            };
            limit.within(attempt).await.map_err(|trouble| {
                // The others lead where this one led.
                self.pool.forget_idle();
                trouble.explain(self.address(), limit.elapsed())
            })
        })
    }

    /// Does something on a connection, again and again until it was done, is without hope, or takes too long.
    pub(crate) fn run<T>(
        &self,
        work: impl AsyncFnMut(&mut Connection, Limit) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        self.run_within(self.time_limit, work)
    }

    fn run_within<T>(
        &self,
        time_limit: Duration,
        mut work: impl AsyncFnMut(&mut Connection, Limit) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        self.driver.wait(async {
            let limit = Limit::begin(time_limit);
            let mut tries = Tries::new(limit, self.address());
            loop {
                let attempt = async {
                    let mut taken = self.take(limit, limit.most()).await?;
                    let done = work(&mut taken.connection, limit).await?;
                    taken.put_back();
                    Ok(done)
                };
                match limit.within(attempt).await {
                    Ok(done) => return Ok(done),
                    Err(trouble) => self.again(&mut tries, trouble).await?,
                }
            }
        })
    }

    /// Does something to a host while nobody else changes it. `work` is called more than once when the first time was in vain; the
    /// answer is that of the time that was committed.
    fn alone<T>(
        &self,
        host: &Host,
        scope: &Scope,
        mut work: impl FnMut(Option<Leases>) -> Work<T>,
    ) -> Result<T, StoreError> {
        self.commit(self.time_limit, host, async |connection, limit| {
            connection.alone(limit, host, scope, &mut work).await
        })
    }

    /// Does something that commits, until that is sure. One of the hosts that it is about is locked by it.
    fn commit<T>(
        &self,
        time_limit: Duration,
        host: &Host,
        mut work: impl AsyncFnMut(&mut Connection, Limit) -> Result<Outcome<T>, Trouble>,
    ) -> Result<T, StoreError> {
        self.driver.wait(async {
            let limit = Limit::begin(time_limit);
            let mut tries = Tries::new(limit, self.address());
            loop {
                let attempt = async {
                    let mut taken = self.take(limit, limit.most()).await?;
                    let outcome = work(&mut taken.connection, limit).await?;
                    if !matches!(outcome, Outcome::InDoubt { .. }) {
                        taken.put_back();
                    }
                    Ok(outcome)
                };
                match attempt.await {
                    Ok(Outcome::Committed(answer)) => return Ok(answer),
                    Ok(Outcome::HostAdded) => {}
                    Ok(Outcome::InDoubt { answer, signature }) => {
                        if self.ask(limit, host, &signature).await? {
                            return Ok(answer);
                        }
                    }
                    Err(trouble) => self.again(&mut tries, trouble).await?,
                }
            }
        })
    }

    /// Finds out whether a transaction was committed whose answer did not arrive.
    async fn ask(
        &self,
        limit: Limit,
        host: &Host,
        signature: &Signature,
    ) -> Result<bool, StoreError> {
        self.pool.forget_idle();
        let mut tries = Tries::to_the_end(limit, self.address());
        loop {
            let attempt = async {
                let taken = self.take(limit, limit.end()).await?;
                let asked = taken.connection.was_committed(limit, host, signature);
                let was_committed = asked.await?;
                taken.put_back();
                Ok(was_committed)
            };
            match limit.within(attempt).await {
                Ok(was_committed) => return Ok(was_committed),
                Err(trouble) => tries
                    .again(trouble)
                    .await
                    .map_err(|error| in_doubt(&error))?,
            }
        }
    }

    async fn take(&self, limit: Limit, until: time::Instant) -> Result<Taken<'_>, Trouble> {
        limit.within(self.pool.take(until)).await
    }

    async fn again(&self, tries: &mut Tries<'_>, trouble: Trouble) -> Result<(), StoreError> {
        if matches!(&trouble, Trouble::Postgres(error) if error.as_db_error().is_none()) {
            self.pool.forget_idle();
        }
        tries.again(trouble).await
    }

    fn read(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        let looked =
            self.run(async |connection, limit| connection.look(limit, host, scope).await)?;
        let (_, leases) = looked.unzip();
        Ok(match scope {
            Scope::Everything => leases.unwrap_or_default(),
            Scope::Rows { .. } => leases
                .map(|leases| leases.within(scope))
                .unwrap_or_default(),
        })
    }

    /// How far a host has come, and its number. One that was not known is from now on.
    pub(crate) fn mark(&self, host: &Host, is_watched: bool) -> Result<(i64, Mark), StoreError> {
        loop {
            let looked = self.run(async |connection, _| connection.mark(host, is_watched).await)?;
            match looked {
                Some(mark) => return Ok(mark),
                None => self.run(async |connection, _| connection.add(host).await)?,
            }
        }
    }

    fn decide<'a>(
        &self,
        host: &Host,
        command: &Command,
        mut facts: impl FnMut(&Leases) -> &'a Facts,
    ) -> Result<Result<Decision, Refusal>, StoreError> {
        if command.is_read_only() {
            let leases = self.read(host, &command.scope())?;
            return Ok(decide(&leases, command, facts(&leases)));
        }
        self.alone(host, &command.scope(), |leases| {
            decided(leases, command, &mut facts)
        })
    }
}

/// The error for a change of which nobody knows whether it was made.
fn in_doubt(error: &StoreError) -> StoreError {
    let StoreError {
        kind,
        problem,
        remedy,
    } = error;
    StoreError {
        kind: *kind,
        problem: format!(
            "The connection was lost while a change was being committed, and it could not be asked whether it was. {problem}"
        ),
        remedy: format!(
            "{remedy} Then ask again: a lease that was granted after all is granted again to its owner."
        ),
    }
}

impl Store for PostgresStore {
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError> {
        Ok(self.decide(host, command, |_| facts)??)
    }

    fn transact_observing(
        &self,
        host: &Host,
        command: &Command,
        facts: &mut Facts,
        observe: &mut dyn FnMut(&Leases, &mut Facts),
    ) -> Result<Decision, TransactError> {
        // Inside the transaction, which saves a round trip; only the host itself is kept waiting.
        let mut observed = facts.clone();
        let decided = if command.is_read_only() {
            let leases = self.read(host, &command.scope())?;
            observe(&leases, &mut observed);
            decide(&leases, command, &observed)
        } else {
            self.alone(host, &command.scope(), |leases| {
                let leases = leases.unwrap_or_default();
                observed.clone_from(facts);
                observe(&leases, &mut observed);
                decided(Some(leases), command, |_| &observed)
            })?
        };
        *facts = observed;
        Ok(decided?)
    }

    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        self.read(host, scope)
    }

    fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        self.run(async |connection, _| connection.hosts().await)
    }

    fn wait_for_change(
        &self,
        host: &Host,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, StoreError> {
        let deadline = Instant::now().checked_add(at_most);
        let left = || {
            let left = deadline.map(|it| it.saturating_duration_since(Instant::now()));
            left.map_or(BETWEEN_LOOKS, |left| left.min(BETWEEN_LOOKS))
        };
        let mut bell = None;
        loop {
            let (number, mark) = self.mark(host, seen.is_some())?;
            if Some(mark) != seen || left() == Duration::ZERO {
                return Ok(mark);
            }
            let Some(bell) = &mut bell else {
                // What happens from here on rings, and what happened before is looked for once more.
                let hung = self.listening.bell(&self.pool, number);
                let hung = self.driver.wait(async { timeout(left(), hung).await });
                bell = hung.ok().flatten();
                continue;
            };
            // Whether it rang or not, the next look tells.
            let _ = self
                .driver
                .wait(async { timeout(left(), bell.changed()).await });
        }
    }
}

impl Exchange for PostgresStore {
    fn export(&self) -> Result<Export, StoreError> {
        self.run_within(self.time_limit * EVERYTHING, async |connection, limit| {
            connection.export(limit).await
        })
    }

    fn import(&self, export: &Export, on_conflict: OnConflict) -> Result<Imported, StoreError> {
        export.check()?;
        let Some(host) = export.hosts.keys().next() else {
            return Ok(Imported::default());
        };
        self.commit(
            self.time_limit * EVERYTHING,
            host,
            async |connection, limit| connection.import(limit, export, on_conflict).await,
        )
    }
}

/// What is about everything may take so many times as long.
const EVERYTHING: u32 = 30;

/// Whoever waits for a bell looks as often as this in any case: it is not heard while the connection is broken.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);
