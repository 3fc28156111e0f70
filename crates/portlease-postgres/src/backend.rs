//! Which process of the server knows the prepared statements of a connection.
//!
//! A pool in between may hand each transaction to another process. Good ones carry prepared statements along, under names of their own. Where
//! nobody does, a name means nothing to the other process, or what another client meant by it; so nothing is done there.

use portlease_core::{StoreError, StoreErrorKind};
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use crate::trouble::{Trouble, explained};

/// What to do about a pool that does not carry prepared statements along.
pub(crate) const POOL: &str =
    "Set its pool_mode to session or, from pgbouncer 1.21 on, its max_prepared_statements to 100.";

/// The process of the server that has the statements; none where they are carried to whichever is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backend(Option<i32>);

impl Backend {
    /// Asks on a connection that has prepared this statement, in the same transaction. The client calls its statements s0, s1, and so
    /// on; where one has another name, somebody in between looks after them.
    pub(crate) async fn ask(
        client: &Client,
        statement: &str,
    ) -> Result<Vec<SimpleQueryMessage>, Error> {
        let question = format!(
            "SELECT pg_backend_pid() WHERE EXISTS \
             (SELECT FROM pg_prepared_statements WHERE name ~ '^s[0-9]+$' AND statement = $sql${statement}$sql$)"
        );
        client.simple_query(&question).await
    }

    /// Reads the answer to that.
    pub(crate) fn read(messages: &[SimpleQueryMessage]) -> Self {
        Self(messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        }))
    }

    /// Refuses to go on where another process of the server answers.
    pub(crate) fn check(self, answering: i32) -> Result<(), Trouble> {
        if self.0.is_none_or(|own| own == answering) {
            return Ok(());
        }
        Err(explained(StoreError {
            kind: StoreErrorKind::Unsuitable,
            problem: "A pool in front of PostgreSQL hands each transaction to another connection, and does not carry prepared \
                      statements along."
                .to_owned(),
            remedy: POOL.to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_the_statements_answers() {
        assert!(Backend(Some(7)).check(7).is_ok());
    }

    #[test]
    fn another_process_answers() {
        let refused = Backend(Some(7)).check(8).unwrap_err();
        assert!(matches!(refused, Trouble::Explained(error) if error.remedy == POOL));
    }

    #[test]
    fn statements_are_carried_along() {
        assert!(Backend(None).check(8).is_ok());
    }
}
