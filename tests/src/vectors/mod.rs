//! Questions to a planner with their answers, which every language has to give byte by byte: `tests/vectors`.
//!
//! What is expected is written by hand beside each question, and the answer is written by `cargo xtask generate`, which
//! refuses answers that are not as expected. Rust, Node.js and WASM read the same files.

use std::collections::BTreeMap;

use portlease_core::{Planner, answer};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

mod allocation;
mod expectation;
mod mistakes;
mod questions;
mod random;
mod ranges;
mod services;
mod situation;
#[cfg(test)]
mod tests;

/// A question, or several to one planner, and the answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The features that it is about.
    pub rows: Vec<String>,
    /// The host that is planned for, as a text in JSON; none when the questions are about no host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// The questions in JSON.
    pub asks: Vec<String>,
    /// What is expected of the last answer, written by hand: places in it with what stands there, and the names of
    /// `expectation.rs`.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub expects: Json,
    /// An answer for each question. When the snapshot is none, all of them say so.
    pub answers: Vec<String>,
}

impl Case {
    fn new(rows: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rows: rows.split(' ').map(str::to_owned).collect(),
            snapshot: None,
            asks: Vec::new(),
            expects: Json::Null,
            answers: Vec::new(),
        }
    }

    /// On a host of which this is known.
    fn on(self, host: &Json) -> Self {
        self.on_text(&host.to_string())
    }

    fn on_text(mut self, host: &str) -> Self {
        self.snapshot = Some(host.to_owned());
        self
    }

    /// On a host of which nothing is known.
    fn on_empty(self) -> Self {
        self.on(&json!({"host": "runner-7"}))
    }

    fn ask(self, question: &Json) -> Self {
        self.ask_text(&question.to_string())
    }

    fn ask_text(mut self, question: &str) -> Self {
        self.asks.push(question.to_owned());
        self
    }

    /// A plan for the project `shop`, unless the wish names another.
    fn plan(self, wish: &Json) -> Self {
        self.ask(&json!({"plan": of_shop(wish)}))
    }

    /// As [`plan`](Self::plan), and why.
    fn explain(self, wish: &Json) -> Self {
        self.ask(&json!({"explain": of_shop(wish)}))
    }

    fn expects(mut self, expected: Json) -> Self {
        self.expects = expected;
        self.answers = self.answered();
        self
    }

    /// The answers as they are now.
    #[must_use]
    pub fn answered(&self) -> Vec<String> {
        let asks = self.asks.iter();
        let Some(snapshot) = &self.snapshot else {
            return asks.map(|question| answer(question)).collect();
        };
        match Planner::read(snapshot) {
            Ok(mut planner) => asks.map(|question| planner.answer(question)).collect(),
            Err(problem) => asks.map(|_| problem.clone()).collect(),
        }
    }

    /// What of the last answer is not as expected.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        expectation::problems(
            &self.expects,
            self.answers.last().map_or("", String::as_str),
        )
    }
}

/// The wish with the project `shop`.
fn of_shop(wish: &Json) -> Json {
    let mut whole = json!({"projectId": "shop"});
    let said = wish.as_object().expect("a wish is an object").clone();
    whole.as_object_mut().expect("it is one").extend(said);
    whole
}

/// The files below `tests/vectors` and their texts. The one that comes last says how many cases each of the others has, by
/// which each runner knows that it ran them all.
///
/// # Panics
///
/// When an answer is not as expected: nobody commits such an answer unseen.
#[must_use]
pub fn files() -> Vec<(String, String)> {
    let counts: BTreeMap<&str, usize> = cases()
        .iter()
        .map(|(name, cases)| (*name, cases.len()))
        .collect();
    let index = format!("{:#}\n", json!(counts));
    let files = cases()
        .into_iter()
        .map(|(name, cases)| (name.to_owned(), text(&cases)));
    files.chain([(INDEX.to_owned(), index)]).collect()
}

const INDEX: &str = "index.json";

fn cases() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("ranges.json", ranges::cases()),
        ("allocation.json", allocation::cases()),
        ("services.json", services::cases()),
        ("questions.json", questions::cases()),
        ("mistakes.json", mistakes::cases()),
        ("random.json", random::cases()),
    ]
}

fn text(cases: &[Case]) -> String {
    let told = |case: &Case| {
        let problems = case.problems().join(", ");
        (!problems.is_empty()).then(|| format!("{}: {problems}", case.name))
    };
    let problems: Vec<String> = cases.iter().filter_map(told).collect();
    let problems = problems.join("\n");
    assert!(
        problems.is_empty(),
        "answers are not as expected:\n{problems}"
    );
    let lines = cases
        .iter()
        .map(|case| serde_json::to_string(case).expect("a case can be JSON"));
    format!("[\n{}\n]\n", lines.collect::<Vec<_>>().join(",\n"))
}
