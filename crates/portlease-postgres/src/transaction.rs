//! One transaction in two flights: lock the host and load what the command needs; make the changes and commit.

use futures_util::future::join;
use portlease_core::{
    Change, Command, Decision, Facts, Host, Leases, Mark, Name, Refusal, Scope, decide, refused,
};
use tokio_postgres::types::ToSql;

use crate::changes::Difference;
use crate::connection::Connection;
use crate::flight::{Flight, Value};
use crate::limit::Limit;
use crate::listening;
use crate::rows::{self, HostRow};
use crate::schema;
use crate::trouble::Trouble;

/// A transaction that somebody else waits for is given up by the server when its owner says nothing for so long, in milliseconds.
const SILENCE: u128 = 4_000;

/// The class of the advisory locks, by which they are not those of others in the same database.
const QUEUES: i32 = 0x706f_7274;

/// From so many pieces on, a scope is loaded as a whole.
const MAX_PIECES: usize = 256;

/// A commit that waits for a standby is not to be cut short: it would be answered as if the standby had it.
pub(crate) const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

/// What a transaction did.
pub(crate) enum Outcome<T> {
    /// It is there for everybody.
    Committed(T),
    /// The host was not known; it is now, and the same has to be done again.
    HostAdded,
    /// The commit was sent, and no answer came.
    InDoubt { answer: T, signature: Signature },
}

/// By what a transaction can be told from all others.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    writer: String,
    number: i64,
}

/// What is to be written.
pub(crate) struct Work<T> {
    pub(crate) difference: Option<Difference>,
    pub(crate) answer: T,
}

impl Connection {
    /// Does something to a host while nobody else changes it. `work` gets at least the rows of the scope, and none when the
    /// registry does not know the host.
    pub(crate) async fn alone<T>(
        &mut self,
        limit: Limit,
        host: &Host,
        scope: &Scope,
        work: impl FnOnce(Option<Leases>) -> Work<T>,
    ) -> Result<Outcome<T>, Trouble> {
        let Some((row, leases)) = self.lock(limit, host, scope).await? else {
            let Work { difference, answer } = work(None);
            return limit
                .within_most(self.add_host(host, difference.is_some(), answer))
                .await;
        };
        let Work { difference, answer } = work(Some(leases));
        let Some(difference) = difference else {
            limit.within_most(self.roll_back()).await?;
            return Ok(Outcome::Committed(answer));
        };
        self.transactions += 1;
        let committing = self.commit(&row, &difference);
        let committed = limit.within_most(committing).await;
        self.outcome(committed, answer)
    }

    /// What became of a transaction whose commit was sent.
    pub(crate) fn outcome<T>(
        &self,
        committed: Result<(), Trouble>,
        answer: T,
    ) -> Result<Outcome<T>, Trouble> {
        match committed {
            Ok(()) => Ok(Outcome::Committed(answer)),
            Err(trouble) if trouble.denies_commit() => Err(trouble),
            Err(_) => Ok(Outcome::InDoubt {
                answer,
                signature: Signature {
                    writer: self.writer.clone(),
                    number: self.transactions,
                },
            }),
        }
    }

    /// Signs a transaction, as a part of it.
    pub(crate) fn sign<'a>(&'a self, flight: &mut Flight<'a>) {
        let values: Vec<Value<'a>> = vec![Box::new(&self.writer), Box::new(self.transactions)];
        flight.execute(&self.client, &self.statements.sign, values);
    }

    /// Hosts are added by a transaction of their own: only the row of a host that is there can be locked, by which it is found out
    /// what became of a commit.
    async fn add_host<T>(
        &self,
        host: &Host,
        is_needed: bool,
        answer: T,
    ) -> Result<Outcome<T>, Trouble> {
        let client = &self.client;
        let mut flight = Flight::default();
        flight.command(client, "ROLLBACK");
        if is_needed {
            let name = host.name().as_str();
            flight.execute(client, &self.statements.add_host, vec![Box::new(name)]);
        }
        flight.send().await?;
        Ok(if is_needed {
            Outcome::HostAdded
        } else {
            Outcome::Committed(answer)
        })
    }

    pub(crate) async fn roll_back(&self) -> Result<(), Trouble> {
        self.client.batch_execute("ROLLBACK").await?;
        Ok(())
    }

    /// Begins a transaction in which nobody else changes the host, and loads at least the rows of a scope; none when the registry
    /// does not know the host.
    pub(crate) async fn lock(
        &self,
        limit: Limit,
        host: &Host,
        scope: &Scope,
    ) -> Result<Option<(HostRow, Leases)>, Trouble> {
        let begin = begin(limit, host);
        let loading = load(self, Some(&begin), Lock::Host, host, scope, None);
        limit.within_most(loading).await
    }

    pub(crate) async fn commit(
        &self,
        row: &HostRow,
        difference: &Difference,
    ) -> Result<(), Trouble> {
        let (client, statements) = (&self.client, &self.statements);
        let mut flight = Flight::default();
        self.sign(&mut flight);
        difference.write(&mut flight, client, statements, row.id);
        flight.command(client, COMMIT);
        let committed = flight.send();
        if row.is_watched {
            // By itself, because those that notify commit one after the other, whatever their hosts; and after the commit, in the
            // same flight. Whoever waits looks by himself now and then, in case that the flight broke off between the two.
            let mut after = Flight::default();
            let channel = listening::channel(row.id);
            after.query(client, &statements.notify, vec![Box::new(channel)]);
            let (committed, _) = join(committed, after.send()).await;
            committed?;
        } else {
            committed.await?;
        }
        Ok(())
    }

    /// How far a host has come, and its number; none when the registry does not know it. When that `is_watched`, all changes
    /// that are not among it are told on its channel for the next minute.
    pub(crate) async fn mark(
        &self,
        host: &Host,
        is_watched: bool,
    ) -> Result<Option<(i64, Mark)>, Trouble> {
        let (client, statements) = (&self.client, &self.statements);
        let name = host.name().as_str();
        let mut flight = Flight::default();
        if is_watched {
            flight.execute(client, &statements.watch, vec![Box::new(name)]);
        }
        flight.query(client, &statements.mark, vec![Box::new(name)]);
        let found = flight.send().await?.pop().unwrap_or_default();
        let Some(row) = found.first() else {
            return Ok(None);
        };
        let origin: &str = rows::get(row, 2)?;
        let origin = origin
            .get(..8)
            .and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let changes: i64 = rows::get(row, 1)?;
        let mark = Mark::new(origin.unwrap_or(0), changes.cast_unsigned());
        Ok(Some((rows::get(row, 0)?, mark)))
    }

    pub(crate) async fn add(&self, host: &Host) -> Result<(), Trouble> {
        let name = host.name().as_str();
        let values: [&(dyn ToSql + Sync); 1] = [&name];
        self.client
            .execute(&self.statements.add_host, &values)
            .await?;
        Ok(())
    }

    /// The hosts that the registry knows, by name.
    pub(crate) async fn hosts(&self) -> Result<Vec<Host>, Trouble> {
        let found = self.client.query(&self.statements.hosts, &[]).await?;
        found
            .iter()
            .map(|row| Ok(Host::new(rows::name(row, 0)?)))
            .collect()
    }

    /// What a host has at one moment, and nobody is kept waiting.
    pub(crate) async fn look(
        &self,
        limit: Limit,
        host: &Host,
        scope: &Scope,
    ) -> Result<Option<(HostRow, Leases)>, Trouble> {
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}",
            limit.for_server()
        );
        let looking = load(
            self,
            Some(&begin),
            Lock::Nothing,
            host,
            scope,
            Some("COMMIT"),
        );
        limit.within(looking).await
    }

    /// Whether a transaction of another connection, which is gone, was committed.
    pub(crate) async fn was_committed(
        &self,
        limit: Limit,
        host: &Host,
        signature: &Signature,
    ) -> Result<bool, Trouble> {
        let (client, statements) = (&self.client, &self.statements);
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {}",
            limit.left().as_millis().max(1)
        );
        let mut flight = Flight::default();
        flight.command(client, &begin);
        // As long as the transaction is under way, it has the lock of its host; afterwards it is over for good.
        flight.query(
            client,
            &statements.lock_host,
            vec![Box::new(host.name().as_str())],
        );
        flight.query(
            client,
            &statements.signed,
            vec![Box::new(&signature.writer)],
        );
        flight.command(client, "ROLLBACK");
        let sent = async { Ok(flight.send().await?) };
        let mut answers = limit.within(sent).await?.into_iter();
        let signed = answers.nth(2).unwrap_or_default();
        let number = signed
            .first()
            .map(|row| rows::get::<i64>(row, 0))
            .transpose()?;
        Ok(number == Some(signature.number))
    }
}

fn begin(limit: Limit, host: &Host) -> String {
    let time = limit.for_server();
    let silence = SILENCE.min(time);
    let (class, number) = (QUEUES, queue(host));
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = {time}; \
         SET LOCAL idle_in_transaction_session_timeout = {silence}; SELECT pg_advisory_xact_lock({class}, {number})"
    )
}

/// The queue of a host. Its row would do as well, but those who wait for a row that is changed by everybody in front of them look at
/// each of its versions. Hosts whose names share a number wait for each other, which does no harm.
fn queue(host: &Host) -> i32 {
    let fnv = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    let name = host.name().as_str().as_bytes();
    name.iter().fold(0x811c_9dc5, fnv).cast_signed()
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Host,
    Nothing,
}

/// Loads at least the rows of a scope, in one flight. None when the registry does not know the host.
pub(crate) async fn load(
    connection: &Connection,
    begin: Option<&str>,
    lock: Lock,
    host: &Host,
    scope: &Scope,
    end: Option<&str>,
) -> Result<Option<(HostRow, Leases)>, Trouble> {
    let (client, statements) = (&connection.client, &connection.statements);
    let name = host.name().as_str();
    let mut flight = Flight::default();
    if let Some(begin) = begin {
        flight.command(client, begin);
    }
    let head = match lock {
        Lock::Host => &statements.lock_host,
        Lock::Nothing => &statements.host,
    };
    flight.query(client, head, vec![Box::new(name)]);
    match pieces(scope) {
        Some((projects, first, last)) => {
            let (first_again, last_again) = (first.clone(), last.clone());
            flight.query(
                client,
                &statements.leases,
                vec![
                    Box::new(name),
                    Box::new(projects.clone()),
                    Box::new(first),
                    Box::new(last),
                ],
            );
            flight.query(
                client,
                &statements.memories,
                vec![
                    Box::new(name),
                    Box::new(projects),
                    Box::new(first_again),
                    Box::new(last_again),
                ],
            );
        }
        None => {
            flight.query(client, &statements.all_leases, vec![Box::new(name)]);
            flight.query(client, &statements.all_memories, vec![Box::new(name)]);
            flight.query(client, &statements.usage, vec![Box::new(name)]);
        }
    }
    if let Some(end) = end {
        flight.command(client, end);
    }
    let mut answers = flight.send().await?.into_iter();
    if begin.is_some() {
        answers.next();
    }
    let mut next = || answers.next().unwrap_or_default();
    let (head, leases, memories, usage) = (next(), next(), next(), next());
    let Some(row) = head.first() else {
        return Ok(None);
    };
    let row = HostRow::read(row)?;
    connection.backend.check(row.backend)?;
    schema::check(row.version)?;
    let leases = rows::leases(&row, &leases, &memories, &usage)?;
    Ok(Some((row, leases)))
}

type Pieces<'a> = (Vec<&'a str>, Vec<i32>, Vec<i32>);

/// The projects and the ranges of ports of a scope; none when everything is to be loaded.
fn pieces(scope: &Scope) -> Option<Pieces<'_>> {
    let Scope::Rows { projects, ports } = scope else {
        return None;
    };
    if projects.len() + ports.ranges().take(MAX_PIECES + 1).count() > MAX_PIECES {
        return None;
    }
    let ranges = ports.ranges();
    let ends = ranges.map(|range| {
        (
            i32::from(range.first().get()),
            i32::from(range.last().get()),
        )
    });
    let (first, last) = ends.unzip();
    Some((projects.iter().map(Name::as_str).collect(), first, last))
}

/// Decides about a command, on facts that may follow from the leases.
pub(crate) fn decided<'a>(
    leases: Option<Leases>,
    command: &Command,
    facts: impl FnOnce(&Leases) -> &'a Facts,
) -> Work<Result<Decision, Refusal>> {
    let mut leases = leases.unwrap_or_default();
    let answer = decide(&leases, command, facts(&leases));
    let counted: Vec<Change>;
    let changes = match &answer {
        Ok(decision) => &decision.changes,
        Err(_) => {
            counted = refused(command).into_iter().collect();
            &counted
        }
    };
    let difference = (!changes.is_empty()).then(|| Difference::make(&mut leases, changes));
    Work { difference, answer }
}
