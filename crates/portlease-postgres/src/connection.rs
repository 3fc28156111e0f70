//! One connection: what it has prepared, and the number of its last transaction.

use std::collections::HashMap;
use std::time::Instant;

use futures_util::future::join5;
use portlease_core::{StoreError, StoreErrorKind};
use tokio_postgres::{Client, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::Address;
use crate::backend::Backend;
use crate::schema::{self, MIGRATIONS};
use crate::statements::{self, Statements};
use crate::trouble::{Trouble, explained};

/// The oldest version of PostgreSQL that is known to do what is asked here.
const OLDEST: u32 = 13;

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) statements: Statements,
    /// Who knows them.
    pub(crate) backend: Backend,
    /// What only some connections ask, and those again and again.
    others: HashMap<&'static str, Statement>,
    /// The name by which this connection signs its transactions.
    pub(crate) writer: String,
    /// The number of the last one.
    pub(crate) transactions: i64,
    pub(crate) idle_since: Instant,
}

impl Connection {
    /// Connects, and brings the registry to this version where it is an older one.
    pub(crate) async fn open(address: &Address, tls: &MakeRustlsConnect) -> Result<Self, Trouble> {
        let client = connect(address, tls).await?;
        match Self::greet(&client).await {
            Ok(greeted) if greeted.greeting.version == MIGRATIONS.len() => {
                Ok(Self::new(client, greeted))
            }
            Ok(Greeted { greeting, .. }) => {
                schema::check(greeting.version)?;
                Self::migrated(client).await
            }
            Err(trouble) if trouble.misses_tables() => {
                // A newer registry may lack what this version asks about.
                if let Ok(answer) = client.simple_query(schema::VERSION).await {
                    schema::check(schema::read_version(&answer)?.version)?;
                }
                Self::migrated(client).await
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn migrated(client: Client) -> Result<Self, Trouble> {
        schema::migrate(&client, MIGRATIONS).await?;
        let greeted = Self::greet(&client).await?;
        schema::check(greeted.greeting.version)?;
        Ok(Self::new(client, greeted))
    }

    /// One round trip, and one transaction, so that one process of the server answers it all.
    async fn greet(client: &Client) -> Result<Greeted, Trouble> {
        let asked = join5(
            client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"),
            client.simple_query(schema::VERSION),
            Statements::prepare(client),
            Backend::ask(client, statements::LOCK_HOST),
            client.batch_execute("COMMIT"),
        );
        let (begun, version, statements, backend, ended) = asked.await;
        begun?;
        let greeted = Greeted {
            greeting: schema::read_version(&version?)?,
            statements: statements?,
            backend: Backend::read(&backend?),
        };
        ended?;
        Ok(greeted)
    }

    fn new(client: Client, greeted: Greeted) -> Self {
        let Greeted {
            greeting,
            statements,
            backend,
        } = greeted;
        Self {
            client,
            statements,
            backend,
            others: HashMap::new(),
            writer: greeting.writer,
            transactions: 0,
            idle_since: Instant::now(),
        }
    }

    /// A statement that is prepared when it is needed first.
    pub(crate) async fn prepared(&mut self, sql: &'static str) -> Result<Statement, Trouble> {
        if let Some(statement) = self.others.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.others.insert(sql, statement.clone());
        Ok(statement)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

/// What a connection learns first.
struct Greeted {
    greeting: schema::Greeting,
    statements: Statements,
    backend: Backend,
}

async fn connect(address: &Address, tls: &MakeRustlsConnect) -> Result<Client, Trouble> {
    let (client, connection) = address.config.connect(tls.clone()).await?;
    check_server(address, &connection)?;
    tokio::spawn(async move {
        // Why it ended is told to whoever asks something on it.
        let _ = connection.await;
    });
    Ok(client)
}

pub(crate) fn check_server<S>(
    address: &Address,
    connection: &tokio_postgres::Connection<Socket, S>,
) -> Result<(), Trouble>
where
    S: tokio_postgres::tls::TlsStream + Unpin,
{
    let version = connection.parameter("server_version").unwrap_or_default();
    let number = version
        .split(|letter: char| !letter.is_ascii_digit())
        .next();
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(number) if number < OLDEST => Err(explained(StoreError {
            kind: StoreErrorKind::Unsuitable,
            problem: format!("PostgreSQL at {address} is version {version}."),
            remedy: format!("Name a server of version {OLDEST} or later."),
        })),
        // What does not say its version, such as a pool, is believed.
        _ => Ok(()),
    }
}
