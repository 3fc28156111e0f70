//! The planner for those who speak JSON: questions and answers as text, the same in every language.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Planner;
use crate::reading::{self, Problem, Step, read};
use crate::{
    Change, Explained, HostSettings, HostSnapshot, InvalidArgument, InvalidSnapshot, InvalidWish,
    PortSet, PortsWish, Refusal, Request, StatsQuery, Timestamp, Trace, Wish, browser_blocked,
    read_argument,
};

/// The questions that are about no host.
const QUESTIONS: [&str; 5] = [
    "settings",
    "browserBlockedPorts",
    "union",
    "intersection",
    "difference",
];
/// The questions to a planner.
const INQUIRIES: [&str; 5] = ["plan", "explain", "stats", "applyChanges", "snapshot"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Counting {
    ranges: Option<Vec<PortsWish>>,
    top: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A [`Change`] by its kind. Serde reads it too, but would bring a second reader for each type in it.
fn change(json: &Json) -> Result<Change, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Kind {
        Grant,
        Update,
        End,
        Remember,
        Forget,
        Count,
        Swept,
    }
    #[derive(Deserialize)]
    struct Tag {
        kind: Kind,
    }
    #[derive(Deserialize)]
    struct Moment {
        at: Timestamp,
    }
    let Tag { kind } = read(json)?;
    Ok(match kind {
        Kind::Grant => Change::Grant(read(json)?),
        Kind::Update => Change::Update(read(json)?),
        Kind::End => Change::End(read(json)?),
        Kind::Remember => Change::Remember(read(json)?),
        Kind::Forget => Change::Forget(read(json)?),
        Kind::Count => Change::Count(read(json)?),
        Kind::Swept => {
            let Moment { at } = read(json)?;
            Change::Swept { at }
        }
    })
}

#[derive(Serialize)]
struct Explanation {
    #[serde(flatten)]
    explained: Explained,
    trace: Trace,
}

/// Answers a question about no host in particular: `{"settings": {}}`, `{"browserBlockedPorts": {}}`, or about sets of ports
/// `union`, `intersection` or `difference`.
///
/// The answer is `{"ok": …}` or `{"error": {"code", "message", "details"}}`, whatever the question is.
///
/// ```
/// use portlease_core::answer;
///
/// assert_eq!(answer(r#"{"union": [["3000-3010"], [3011, [4000, 4001]]]}"#), r#"{"ok":[[3000,3011],[4000,4001]]}"#);
/// assert!(answer("what?").starts_with(r#"{"error":{"code":"INVALID_ARGUMENT""#));
/// ```
#[must_use]
pub fn answer(question: &str) -> String {
    written(ask(question))
}

fn ask(question: &str) -> Result<String, Failure> {
    let question = Question::read(question, &QUESTIONS)?;
    match question.kind {
        "settings" => question.whole(&HostSettings::default()),
        "union" => question.combined(|ports, more| *ports |= more),
        "intersection" => question.combined(|ports, others| *ports &= others),
        "difference" => question.combined(|ports, others| *ports -= others),
        _ => question.whole(&browser_blocked()),
    }
}

/// What is asked, by its kind, and about what.
struct Question {
    kind: &'static str,
    about: Json,
}

impl Question {
    /// Everything is read by one reader: each further one would be compiled once more for each type, for those who download it.
    fn read(question: &str, known: &[&'static str]) -> Result<Self, Failure> {
        let json = reading::json(question)?;
        let Json::Object(mut entries) = json else {
            return Err(Failure::unclear(&json));
        };
        let first = entries.keys().next().cloned();
        match (first, entries.len()) {
            (Some(key), 1) => match known.iter().find(|kind| **kind == key) {
                Some(kind) => Ok(Self {
                    kind,
                    about: entries.remove(&key).unwrap_or_default(),
                }),
                None => {
                    let problem = Problem::unknown("question", &key, known.iter().copied());
                    let problem = problem.below(Step::Key(key));
                    Err(reading::place(&problem, &Json::Object(entries)).into())
                }
            },
            _ => Err(Failure::unclear(&Json::Object(entries))),
        }
    }

    fn about<T: DeserializeOwned>(&self) -> Result<T, InvalidArgument> {
        read(&self.about).map_err(|problem| reading::place(&problem, &self.about))
    }

    fn changes(&self) -> Result<Vec<Change>, InvalidArgument> {
        let list: Vec<Json> = self.about()?;
        let changes = list.iter().enumerate().map(|(index, json)| {
            change(json).map_err(|problem| problem.below(Step::Element(index)))
        });
        let changes: Result<_, Problem> = changes.collect();
        changes.map_err(|problem| reading::place(&problem, &self.about))
    }

    /// The answer to a question about nothing in particular.
    fn whole(&self, answer: &impl Serialize) -> Result<String, Failure> {
        let Nothing {} = self.about()?;
        Ok(answered(answer))
    }

    fn combined(&self, combine: fn(&mut PortSet, &PortSet)) -> Result<String, Failure> {
        let sets: Vec<Vec<PortsWish>> = self.about()?;
        let mut result: Option<PortSet> = None;
        for set in &sets {
            let ranges = set.iter().map(PortsWish::range);
            let ports = ranges.collect::<Result<PortSet, Refusal>>()?;
            match &mut result {
                Some(result) => combine(result, &ports),
                None => result = Some(ports),
            }
        }
        Ok(answered(&result.unwrap_or_default()))
    }
}

impl Planner {
    /// A planner for the host of a [`HostSnapshot`] in JSON.
    ///
    /// # Errors
    ///
    /// When it is none: the answer that says so, as [`answer`] would.
    pub fn read(snapshot: &str) -> Result<Self, String> {
        let planner = || {
            let snapshot: HostSnapshot = read_argument(snapshot)?;
            Ok(Self::new(snapshot)?)
        };
        planner().map_err(|error: Unreadable| written(Err(error.into())))
    }

    /// Answers `{"plan": WISH}`, `{"explain": WISH}`, `{"stats": {…}}`, `{"applyChanges": […]}` or `{"snapshot": {}}`, as [`answer`]
    /// does.
    ///
    /// ```
    /// use portlease_core::Planner;
    ///
    /// let mut planner = Planner::read(r#"{"host": "runner-7"}"#)?;
    /// let plan = planner.answer(r#"{"plan": {"projectId": "shop", "framework": "vite"}}"#);
    /// assert!(plan.contains(r#""planned":{"instance":1,"seats":[{"service":"web","port":5173}]}"#));
    /// # Ok::<(), String>(())
    /// ```
    pub fn answer(&mut self, inquiry: &str) -> String {
        written(self.ask(inquiry))
    }

    fn ask(&mut self, inquiry: &str) -> Result<String, Failure> {
        let inquiry = Question::read(inquiry, &INQUIRIES)?;
        match inquiry.kind {
            "plan" => Ok(answered(&self.plan(self.request(&inquiry)?)?)),
            "explain" => {
                let (explained, trace) = self.explain(self.request(&inquiry)?);
                Ok(answered(&Explanation { explained, trace }))
            }
            "stats" => Ok(answered(&self.stats(&self.query(&inquiry.about()?)?))),
            "applyChanges" => {
                self.apply(&inquiry.changes()?)?;
                Ok(answered(&()))
            }
            _ => inquiry.whole(&self.snapshot()),
        }
    }

    fn request(&self, inquiry: &Question) -> Result<Request, InvalidWish> {
        Wish::of(&inquiry.about)?.request(&self.settings)
    }

    fn query(&self, counting: &Counting) -> Result<StatsQuery, Refusal> {
        let top = counting.top.unwrap_or(5);
        let Some(ranges) = &counting.ranges else {
            return Ok(StatsQuery::of_frameworks(&self.settings.catalog, top));
        };
        let ranges = ranges.iter().map(PortsWish::range);
        Ok(StatsQuery::of_ranges(
            ranges.collect::<Result<Vec<_>, _>>()?,
            top,
        ))
    }
}

/// Why there is no answer.
#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: String,
    details: Json,
}

impl Failure {
    fn unclear(json: &Json) -> Self {
        let problem =
            Problem::new("A question is an object with one key, such as {\"plan\": {…}}.");
        InvalidArgument::new("", Some(json), &problem).into()
    }
}

/// Why a text is no snapshot.
#[derive(thiserror::Error, Debug)]
enum Unreadable {
    #[error(transparent)]
    Argument(#[from] InvalidArgument),
    #[error("{0}.")]
    Snapshot(#[from] InvalidSnapshot),
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        let problem = error.to_string();
        Self {
            code: "INVALID_SNAPSHOT",
            message: format!("This is no snapshot of a host: {problem}"),
            details: match error {
                Unreadable::Argument(argument) => argument.details(),
                Unreadable::Snapshot(_) => json!({ "problem": problem }),
            },
        }
    }
}

impl From<InvalidSnapshot> for Failure {
    fn from(error: InvalidSnapshot) -> Self {
        Unreadable::from(error).into()
    }
}

impl From<InvalidWish> for Failure {
    fn from(error: InvalidWish) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            details: error.details(),
        }
    }
}

impl From<InvalidArgument> for Failure {
    fn from(error: InvalidArgument) -> Self {
        InvalidWish::from(error).into()
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        InvalidWish::from(refusal).into()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer<T> {
    Ok(T),
    Error(Failure),
}

fn answered(answer: &impl Serialize) -> String {
    serde_json::to_string(&Answer::Ok(answer)).expect("every answer can be JSON")
}

fn written(answer: Result<String, Failure>) -> String {
    answer.unwrap_or_else(|failure| {
        let answer: Answer<()> = Answer::Error(failure);
        serde_json::to_string(&answer).expect("every failure can be JSON")
    })
}
