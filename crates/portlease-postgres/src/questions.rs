//! Questions on their way to the runner of a host, such as plans to confirm, and its answers on their way back.

use std::time::{Duration, Instant};

use portlease_core::{Host, StoreError};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::connection::Connection;
use crate::listening::{self, Bell};
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

/// Where the questions for the runner of a host arrive.
#[derive(Debug)]
pub struct Inbox {
    number: i64,
    bell: Option<Bell>,
    /// When it is looked into, whether it rings or not.
    next_look: Instant,
}

/// Whoever waits for a bell looks as often as this in any case.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);
/// Whoever heard the bell ring relies on it, because a fleet has many who wait, and looks only in case its connection ended unnoticed.
const BETWEEN_LOOKS_WITH_BELL: Duration = Duration::from_secs(30);

/// At one of so many looks the bell is tried, as long as it was not heard. That is done rarely, because PostgreSQL wakes everybody who
/// listens to any bell.
const TRIAL: u32 = 100;

/// Longer than anybody waits, and short enough for every clock.
const LONGEST: Duration = Duration::from_hours(24);

impl Inbox {
    fn is_reliable(&self) -> bool {
        self.bell.as_ref().is_some_and(|bell| *bell.borrow())
    }

    fn looked(&mut self) {
        let between = if self.is_reliable() {
            BETWEEN_LOOKS_WITH_BELL
        } else {
            BETWEEN_LOOKS
        };
        self.next_look = Instant::now() + between;
    }

    fn until_next_look(&self) -> Duration {
        self.next_look.saturating_duration_since(Instant::now())
    }
}

impl PostgresStore {
    /// Puts a question to the runner of a host, and waits for the answer, for a day at most. Whoever asks twice is answered twice.
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
        let at_most = at_most.min(LONGEST);
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
            // Whether it rang or not, the next look tells.
            self.hear(&mut bell, left().min(BETWEEN_LOOKS));
        }
    }

    /// The inbox of the runner of this host. Whatever was asked and not answered is in it, also what a former runner took.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn inbox(&self, host: &Host) -> Result<Inbox, StoreError> {
        Ok(Inbox {
            number: self.number(host)?,
            bell: None,
            next_look: Instant::now(),
        })
    }

    /// Waits until somebody has a question, for a day at most, and takes all that there are. None of them is lost when the runner ends before it has
    /// answered: they are in the next inbox.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn take_questions(
        &self,
        inbox: &mut Inbox,
        at_most: Duration,
    ) -> Result<Vec<Question>, StoreError> {
        let at_most = at_most.min(LONGEST);
        let deadline = Instant::now() + at_most;
        let left = || deadline.saturating_duration_since(Instant::now());
        let number = inbox.number;
        loop {
            if inbox.until_next_look().is_zero() {
                if inbox.bell.is_none() {
                    inbox.bell = self.bell(number, left());
                }
                if !inbox.is_reliable() && fastrand::u32(..TRIAL) == 0 {
                    self.run(async |connection, _| ring(&connection.client, number).await)?;
                }
                let questions = self.run(async |connection, _| connection.take(number).await)?;
                inbox.looked();
                if !questions.is_empty() {
                    return Ok(questions);
                }
            }
            if left().is_zero() {
                return Ok(Vec::new());
            }
            let at_most = left().min(inbox.until_next_look());
            if self.hear(&mut inbox.bell, at_most) {
                inbox.next_look = Instant::now();
            }
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

    /// Waits for the bell, and answers whether it rang.
    fn hear(&self, bell: &mut Option<Bell>, at_most: Duration) -> bool {
        self.driver.wait(async {
            match bell {
                Some(bell) => matches!(timeout(at_most, bell.changed()).await, Ok(Ok(()))),
                None => {
                    sleep(at_most).await;
                    false
                }
            }
        })
    }
}

impl Connection {
    async fn take(&mut self, number: i64) -> Result<Vec<Question>, Trouble> {
        let statement = self.prepared(LOOK_INTO_INBOX).await?;
        let found = self.client.query(&statement, &[&number]).await?;
        let question = |row| {
            Ok(Question {
                id: rows::get::<&str>(row, 0)?.to_owned(),
                text: rows::get::<&str>(row, 1)?.to_owned(),
            })
        };
        found.iter().map(question).collect()
    }
}

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
/// What each runner asks again and again, for whoever measures it.
#[doc(hidden)]
pub const LOOK_INTO_INBOX: &str = "WITH taken AS (UPDATE portlease.question SET taken_at = clock_timestamp() \
     WHERE host = $1 AND answer IS NULL AND ends_at > clock_timestamp() RETURNING id, question, asked_at) \
     SELECT id::text, question FROM taken ORDER BY asked_at, id";
const PUT_ANSWER: &str =
    "UPDATE portlease.question SET answer = $2 WHERE id = $1::text::uuid AND answer IS NULL";
