//! The connections of a store: as many as are used at once, and at most so many.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::Address;
use crate::connection::Connection;
use crate::trouble::Trouble;

/// What is not used for so long is closed: a server has a limited number of connections.
const IDLE_FOR: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) address: Address,
    tls: Tls,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

/// The connector, which has nothing to show.
struct Tls(MakeRustlsConnect);

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tls")
    }
}

impl Pool {
    /// To be called where there is a runtime.
    pub(crate) fn new(address: Address, tls: MakeRustlsConnect, limit: usize) -> Arc<Self> {
        let pool = Arc::new(Self {
            address,
            tls: Tls(tls),
            permits: Semaphore::new(limit),
            idle: Mutex::default(),
        });
        tokio::spawn(close_idle(Arc::downgrade(&pool)));
        pool
    }

    pub(crate) fn tls(&self) -> &MakeRustlsConnect {
        &self.tls.0
    }

    /// A connection, which is closed unless it is put back. When all are in use, one is waited for until then.
    pub(crate) async fn take(&self, until: time::Instant) -> Result<Taken<'_>, Trouble> {
        let Ok(Ok(permit)) = time::timeout_at(until, self.permits.acquire()).await else {
            return Err(Trouble::NoConnection);
        };
        let idle = self.next_idle();
        let connection = match idle {
            Some(connection) => connection,
            // It is large, and rarely needed.
            None => Box::pin(Connection::open(&self.address, &self.tls.0)).await?,
        };
        Ok(Taken {
            pool: self,
            _permit: permit,
            connection,
        })
    }

    fn next_idle(&self) -> Option<Connection> {
        let mut idle = self.idle();
        // The last one is the one that the server remembers best.
        while let Some(connection) = idle.pop() {
            if !connection.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    /// Closes all connections that nobody uses: the server that they lead to is gone.
    pub(crate) fn forget_idle(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn close_idle(pool: Weak<Pool>) {
    loop {
        time::sleep(IDLE_FOR / 4).await;
        let Some(pool) = pool.upgrade() else { return };
        let now = Instant::now();
        pool.idle()
            .retain(|connection| now.duration_since(connection.idle_since) < IDLE_FOR);
    }
}

/// A connection that somebody uses.
pub(crate) struct Taken<'a> {
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
    pub(crate) connection: Connection,
}

impl Taken<'_> {
    /// Nothing is under way on it any more.
    pub(crate) fn put_back(mut self) {
        self.connection.idle_since = Instant::now();
        self.pool.idle().push(self.connection);
    }
}
