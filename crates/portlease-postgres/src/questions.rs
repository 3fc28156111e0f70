//! Questions on their way to the runner of a host, such as plans to confirm, and its answers on their way back.

use std::time::{Duration, Instant};

use portlease_core::{Host, StoreError};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::listening;
use crate::rows;
use crate::runners::millis;
use crate::store::PostgresStore;
use crate::trouble::Trouble;

/// What became of a question that was put to a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// This is the answer.
    With(String),
    /// Nobody took the question, and nobody will any more.
    NotTaken,
    /// Somebody took it, and did not answer in time.
    NotYet,
}

/// A question that a runner took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    id: String,
    /// What is asked.
    pub text: String,
}

/// Whoever waits for a bell looks as often as this in any case.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);

impl PostgresStore {
    /// Puts a question to the runner of a host, and waits for the answer. Whoever asks twice is answered twice.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn ask_runner(
        &self,
        host: &Host,
        question: &str,
        at_most: Duration,
    ) -> Result<Answered, StoreError> {
        let deadline = Instant::now() + at_most;
        let left = || deadline.saturating_duration_since(Instant::now());
        let number = self.number(host)?;
        let mut bell = self.bell(number, left());
        // Chosen first, so that a question whose arrival was not acknowledged is not put twice.
        let id = self.run(async |connection, _| {
            let row = connection
                .client
                .query_one("SELECT gen_random_uuid()::text", &[])
                .await?;
            Ok(rows::get::<&str>(&row, 0)?.to_owned())
        })?;
        let lasts = millis(at_most);
        self.run(async |connection, _| {
            let client = &connection.client;
            client.execute(FORGET, &[]).await?;
            client
                .execute(ASK, &[&id, &number, &question, &lasts])
                .await?;
            ring(client, number).await
        })?;
        loop {
            let answer = self.run(async |connection, _| {
                let row = connection.client.query_opt(ANSWER, &[&id]).await?;
                let answer = row
                    .map(|row| rows::get::<Option<&str>>(&row, 0).map(|it| it.map(str::to_owned)));
                Ok(answer.transpose()?.flatten())
            })?;
            if let Some(answer) = answer {
                self.run(async |connection, _| {
                    connection.client.execute(DELETE, &[&id]).await?;
                    Ok(())
                })?;
                return Ok(Answered::With(answer));
            }
            if left().is_zero() {
                let taken_back = self.run(async |connection, _| {
                    Ok(connection.client.execute(TAKE_BACK, &[&id]).await? == 1)
                })?;
                return Ok(if taken_back {
                    Answered::NotTaken
                } else {
                    Answered::NotYet
                });
            }
            self.hear(&mut bell, left());
        }
    }

    /// Waits until somebody has a question for the runner of this host, and takes all that there are. None of them is lost when the
    /// runner ends before it has answered: the next one takes it again.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn take_questions(
        &self,
        host: &Host,
        at_most: Duration,
    ) -> Result<Vec<Question>, StoreError> {
        let deadline = Instant::now() + at_most;
        let left = || deadline.saturating_duration_since(Instant::now());
        let number = self.number(host)?;
        let mut bell = self.bell(number, left());
        loop {
            let questions = self.run(async |connection, _| {
                let found = connection.client.query(TAKE, &[&number]).await?;
                let question = |row| {
                    Ok(Question {
                        id: rows::get::<&str>(row, 0)?.to_owned(),
                        text: rows::get::<&str>(row, 1)?.to_owned(),
                    })
                };
                found
                    .iter()
                    .map(question)
                    .collect::<Result<Vec<_>, Trouble>>()
            })?;
            if !questions.is_empty() || left().is_zero() {
                return Ok(questions);
            }
            self.hear(&mut bell, left());
        }
    }

    /// Answers a question. Of several answers the first one counts.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn answer_question(
        &self,
        host: &Host,
        question: &Question,
        answer: &str,
    ) -> Result<(), StoreError> {
        let number = self.number(host)?;
        self.run(async |connection, _| {
            let client = &connection.client;
            client.execute(PUT_ANSWER, &[&question.id, &answer]).await?;
            ring(client, number).await
        })
    }

    fn number(&self, host: &Host) -> Result<i64, StoreError> {
        let (number, _) = self.mark(host, false)?;
        Ok(number)
    }

    /// What rings when something happens on the host. Without it, whoever waits looks now and then.
    fn bell(&self, number: i64, at_most: Duration) -> Option<Bell> {
        let hung = self.listening.bell(&self.pool, number);
        let hung = self
            .driver
            .wait(async { timeout(at_most.min(BETWEEN_LOOKS), hung).await });
        hung.ok().flatten()
    }

    fn hear(&self, bell: &mut Option<Bell>, at_most: Duration) {
        let at_most = at_most.min(BETWEEN_LOOKS);
        // Whether it rang or not, the next look tells.
        self.driver.wait(async {
            match bell {
                Some(bell) => drop(timeout(at_most, bell.changed()).await),
                None => sleep(at_most).await,
            }
        });
    }
}

type Bell = tokio::sync::watch::Receiver<()>;

/// Wakes all who wait for something on the host.
async fn ring(client: &Client, number: i64) -> Result<(), Trouble> {
    let channel = listening::channel(number);
    client
        .execute("SELECT pg_notify($1, '')", &[&channel])
        .await?;
    Ok(())
}

const ASK: &str = "INSERT INTO portlease.question (id, host, question, ends_at) \
     VALUES ($1::text::uuid, $2, $3, clock_timestamp() + $4::bigint * interval '1 millisecond') ON CONFLICT DO NOTHING";
/// What nobody waits for any more may still be looked at for a day.
const FORGET: &str =
    "DELETE FROM portlease.question WHERE ends_at < clock_timestamp() - interval '1 day'";
const ANSWER: &str = "SELECT answer FROM portlease.question WHERE id = $1::text::uuid";
const DELETE: &str = "DELETE FROM portlease.question WHERE id = $1::text::uuid";
const TAKE_BACK: &str =
    "DELETE FROM portlease.question WHERE id = $1::text::uuid AND taken_at IS NULL";
const TAKE: &str = "WITH taken AS (UPDATE portlease.question SET taken_at = clock_timestamp() \
     WHERE host = $1 AND answer IS NULL AND ends_at > clock_timestamp() RETURNING id, question, asked_at) \
     SELECT id::text, question FROM taken ORDER BY asked_at, id";
const PUT_ANSWER: &str =
    "UPDATE portlease.question SET answer = $2 WHERE id = $1::text::uuid AND answer IS NULL";
