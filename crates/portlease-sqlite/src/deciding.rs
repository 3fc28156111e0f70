//! One transaction: load what the command needs, decide, make the changes, commit.

use portlease_core::{
    Command, Decision, Facts, Host, Leases, Mark, Refusal, Scope, StoreError, StoreErrorKind,
    decide, refused,
};

use crate::changes;
use crate::explain::Trouble;
use crate::loaded::{self, Loaded};
use crate::opening::Opened;
use crate::schema::{self, MIGRATIONS};
use crate::transaction::{Mode, Transaction};

impl Opened {
    /// Decides about a command, on facts that may follow from the leases. What was loaded stays loaded only if all goes well.
    pub(crate) fn decide<'a>(
        &mut self,
        mode: Mode,
        host: &Host,
        command: &Command,
        facts: impl FnOnce(&Leases) -> &'a Facts,
    ) -> Result<Result<Decision, Refusal>, Trouble> {
        let mut loaded = std::mem::take(&mut self.loaded);
        let transaction = Transaction::begin(&self.connection, mode)?;
        self.refresh(&mut loaded)?;
        let known = loaded.cover(&self.connection, host, &command.scope())?;
        let decided = decide(&known.leases, command, facts(&known.leases));
        let refusal;
        let changes = match &decided {
            Ok(decision) => &decision.changes,
            Err(_) => {
                refusal = refused(command).into_iter().collect::<Vec<_>>();
                &refusal
            }
        };
        if !changes.is_empty() {
            let row = match known.row {
                Some(row) => row,
                None => {
                    let last_generation = known.leases.last_generation();
                    *known
                        .row
                        .insert(loaded::host_row(&self.connection, host, last_generation)?)
                }
            };
            changes::make(&self.connection, row, &mut known.leases, changes)?;
        }
        transaction.commit()?;
        self.loaded = loaded;
        Ok(decided)
    }

    /// The leases of a scope as they are now.
    pub(crate) fn load(&mut self, host: &Host, scope: &Scope) -> Result<Leases, Trouble> {
        let mut loaded = std::mem::take(&mut self.loaded);
        let transaction = Transaction::begin(&self.connection, Mode::Read)?;
        self.refresh(&mut loaded)?;
        let leases = match scope {
            Scope::Everything => loaded.cover(&self.connection, host, scope)?.leases.clone(),
            Scope::Rows { .. } => loaded
                .cover(&self.connection, host, scope)?
                .leases
                .within(scope),
        };
        transaction.commit()?;
        self.loaded = loaded;
        Ok(leases)
    }

    /// How far the host has come in this registry.
    pub(crate) fn mark(&self, host: &Host) -> Result<Mark, Trouble> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, coalesce((SELECT changes FROM host WHERE name = ?), 0) FROM registry",
        )?;
        let found = statement.query_row([host.name().as_str()], |row| {
            Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?))
        });
        let (id, changes) = found?;
        let (origin, _) = id.split_first_chunk().expect("sixteen is more than eight");
        Ok(Mark::new(
            u64::from_le_bytes(*origin),
            changes.cast_unsigned(),
        ))
    }

    /// Forgets what was loaded.
    pub(crate) fn forget(&mut self) {
        self.loaded = Loaded::default();
    }

    /// Forgets what somebody else may have changed, who may also have been of a newer version.
    fn refresh(&self, loaded: &mut Loaded) -> Result<(), Trouble> {
        if loaded.refresh(&self.connection)? {
            let version = schema::version(&self.connection)?;
            if version > MIGRATIONS.len() {
                return Err(outgrown(version).into());
            }
        }
        Ok(())
    }
}

fn outgrown(version: usize) -> StoreError {
    StoreError {
        kind: StoreErrorKind::NewerVersion,
        problem: format!(
            "A newer version of Portlease took over the registry: it has format {version} now, and this version knows {}.",
            MIGRATIONS.len()
        ),
        remedy: "Restart this program with the newer version.".to_owned(),
    }
}
