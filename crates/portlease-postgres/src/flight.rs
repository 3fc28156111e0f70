//! Statements that are sent together: they cost one round trip, however many they are.

use std::future::Future;
use std::pin::Pin;

use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

pub(crate) type Value<'a> = Box<dyn ToSql + Sync + 'a>;

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + 'a>>;

/// Statements in their order. One that fails makes all later ones of its transaction fail.
#[derive(Default)]
pub(crate) struct Flight<'a>(Vec<Answer<'a>>);

impl<'a> Flight<'a> {
    /// Adds commands without values or rows.
    pub(crate) fn command(&mut self, client: &'a Client, sql: &'a str) {
        self.0.push(Box::pin(async move {
            client.batch_execute(sql).await?;
            Ok(Vec::new())
        }));
    }

    /// Adds a statement whose rows are not of interest.
    pub(crate) fn execute(
        &mut self,
        client: &'a Client,
        statement: &'a Statement,
        values: Vec<Value<'a>>,
    ) {
        self.query(client, statement, values);
    }

    /// Adds a statement that answers rows.
    pub(crate) fn query(
        &mut self,
        client: &'a Client,
        statement: &'a Statement,
        values: Vec<Value<'a>>,
    ) {
        self.0.push(Box::pin(async move {
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value).collect();
            client.query(statement, &values).await
        }));
    }

    /// Sends them all, and waits for all answers, the rows of each statement. The error is the first one, of which the others are
    /// consequences.
    pub(crate) async fn send(self) -> Result<Vec<Vec<Row>>, Error> {
        // Each is sent when it is first polled, which happens in their order.
        join_all(self.0).await.into_iter().collect()
    }
}
