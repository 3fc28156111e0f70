//! The planner for those who speak JSON: questions and answers as text, the same in every language.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::Planner;
use crate::{
    Command, Decision, Explained, HostSettings, InvalidArgument, InvalidSnapshot, InvalidWish,
    PortSet, PortsWish, Refusal, Reply, StatsQuery, Trace, Wish, browser_blocked, read_argument,
};

/// A question that is about no host.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Question<'a> {
    /// What every host can choose from.
    Settings(Nothing),
    /// The ports that browsers refuse to open.
    BrowserBlockedPorts(Nothing),
    #[serde(borrow)]
    Union(&'a RawValue),
    Intersection(&'a RawValue),
    Difference(&'a RawValue),
}

/// A question to a planner.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Inquiry<'a> {
    #[serde(borrow)]
    Plan(&'a RawValue),
    Explain(&'a RawValue),
    Stats(&'a RawValue),
    ApplyChanges(&'a RawValue),
    Snapshot(Nothing),
}

/// What is said to a question about nothing in particular.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Counting {
    ranges: Option<Vec<PortsWish>>,
    top: Option<u32>,
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
    match read(question)? {
        Question::Settings(Nothing {}) => Ok(answered(&HostSettings::default())),
        Question::BrowserBlockedPorts(Nothing {}) => Ok(answered(&browser_blocked())),
        Question::Union(sets) => combined(sets, |ports, more| *ports |= more),
        Question::Intersection(sets) => combined(sets, |ports, others| *ports &= others),
        Question::Difference(sets) => combined(sets, |ports, others| *ports -= others),
    }
}

fn combined(sets: &RawValue, combine: fn(&mut PortSet, &PortSet)) -> Result<String, Failure> {
    let sets: Vec<Vec<PortsWish>> = read_argument(sets.get())?;
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

impl Planner {
    /// A planner for the host of a [`HostSnapshot`](crate::HostSnapshot) in JSON.
    ///
    /// # Errors
    ///
    /// When it is none: the answer that says so, as [`answer`] would.
    pub fn read(snapshot: &str) -> Result<Self, String> {
        let planner = || {
            let snapshot = serde_json::from_str(snapshot)
                .map_err(|error| Failure::invalid_snapshot(&error.to_string()))?;
            Ok(Self::new(snapshot)?)
        };
        planner().map_err(|failure: Failure| written(Err(failure)))
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
        match read(inquiry)? {
            Inquiry::Plan(wish) => {
                let request = Wish::read(wish.get())?.request(&self.settings)?;
                Ok(answered(&self.plan(request)?))
            }
            Inquiry::Explain(wish) => {
                let request = Wish::read(wish.get())?.request(&self.settings)?;
                let (explained, trace) = self.explain(request);
                Ok(answered(&Explanation { explained, trace }))
            }
            Inquiry::Stats(counting) => {
                let query = self.query(&read_argument(counting.get())?)?;
                let Decision { reply, .. } = self.decide(&Command::Stats(query))?;
                match reply {
                    Reply::Stats(stats) => Ok(answered(&stats)),
                    reply => unreachable!("a question about usage is not answered with {reply:?}"),
                }
            }
            Inquiry::ApplyChanges(changes) => {
                let changes: Vec<_> =
                    serde_json::from_str(changes.get()).map_err(|error| unreadable(&error))?;
                self.apply(&changes)?;
                Ok(answered(&()))
            }
            Inquiry::Snapshot(Nothing {}) => Ok(answered(&self.snapshot())),
        }
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
    fn invalid_snapshot(problem: &str) -> Self {
        Self {
            code: "INVALID_SNAPSHOT",
            message: format!("This is no snapshot of a host: {problem}."),
            details: json!({ "problem": problem }),
        }
    }
}

impl From<InvalidSnapshot> for Failure {
    fn from(error: InvalidSnapshot) -> Self {
        Self::invalid_snapshot(&error.to_string())
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

fn read<'a, T: Deserialize<'a>>(question: &'a str) -> Result<T, Failure> {
    serde_json::from_str(question).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Failure {
    let problem = format!("This is no question that a planner knows: {error}.");
    InvalidArgument {
        path: String::new(),
        value: None,
        problem,
        nearest: None,
    }
    .into()
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
