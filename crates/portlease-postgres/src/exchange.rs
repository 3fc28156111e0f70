//! Everything at once: exports and imports.

use std::collections::BTreeMap;

use portlease_core::{Export, Host, Imported, Leases, Merged, OnConflict, Scope, Snapshot};

use crate::changes::Difference;
use crate::connection::Connection;
use crate::flight::Flight;
use crate::limit::Limit;
use crate::transaction::{COMMIT, Lock, Outcome, load};
use crate::trouble::Trouble;

impl Connection {
    /// Everything that the registry knows, at one moment.
    pub(crate) async fn export(&self, limit: Limit) -> Result<Export, Trouble> {
        let time = limit.for_server();
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {time}"
        );
        self.client.batch_execute(&begin).await?;
        let mut hosts = BTreeMap::new();
        for host in self.hosts().await? {
            let loaded = load(self, None, Lock::Nothing, &host, &Scope::Everything, None).await?;
            if let Some((_, leases)) = loaded {
                hosts.insert(host, leases);
            }
        }
        self.client.batch_execute("COMMIT").await?;
        Ok(Export::of(hosts))
    }

    /// Adds what was exported, in one transaction.
    pub(crate) async fn import(
        &mut self,
        limit: Limit,
        export: &Export,
        on_conflict: OnConflict,
    ) -> Result<Outcome<Imported>, Trouble> {
        let mut imported = limit
            .within_most(self.merge_all(limit, export, on_conflict))
            .await?;
        if imported.is_refused(on_conflict) {
            limit.within_most(self.roll_back()).await?;
            return Ok(Outcome::Committed(imported));
        }
        self.transactions += 1;
        let committed = limit.within_most(self.commit_all()).await;
        self.outcome(committed, imported)
    }

    async fn commit_all(&self) -> Result<(), Trouble> {
        let mut flight = Flight::default();
        self.sign(&mut flight);
        flight.command(&self.client, COMMIT);
        flight.send().await?;
        Ok(())
    }

    /// Begins a transaction, and makes all changes in it.
    async fn merge_all(
        &self,
        limit: Limit,
        export: &Export,
        on_conflict: OnConflict,
    ) -> Result<Imported, Trouble> {
        for host in export.hosts.keys() {
            self.add(host).await?;
        }
        let time = limit.for_server();
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = {time}"
        );
        self.client.batch_execute(&begin).await?;
        let mut imported = Imported::default();
        // Hosts are locked by name, so that two imports do not wait for each other.
        for (host, leases) in &export.hosts {
            imported.add(host, self.merge(host, leases, on_conflict).await?);
        }
        Ok(imported)
    }

    async fn merge(
        &self,
        host: &Host,
        coming: &Leases,
        on_conflict: OnConflict,
    ) -> Result<Merged, Trouble> {
        let loaded = load(self, None, Lock::Host, host, &Scope::Everything, None).await?;
        let (row, mut leases) = loaded
            .ok_or_else(|| Trouble::Unreadable(format!("{host} is gone, which was just added")))?;
        let coming = Snapshot::from(coming.clone());
        let merged = Merged::of(&leases, row.is_known, &coming, on_conflict);
        let mut difference = Difference::make(&mut leases, &merged.changes);
        difference.advance(merged.last_generation);
        difference.add_usage(&merged.usage);
        let mut flight = Flight::default();
        difference.write(&mut flight, &self.client, &self.statements, row.id);
        flight.send().await?;
        Ok(merged)
    }
}
