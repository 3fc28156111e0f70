//! The planner for those who speak JSON: questions and answers as text, the same in every language.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use question::Question;

use super::Planner;
use crate::{
    Explained, HostSettings, HostSnapshot, InvalidArgument, InvalidSnapshot, InvalidWish, PortSet,
    PortsWish, Refusal, Request, StatsQuery, Trace, browser_blocked, read_argument,
};

mod question;

/// What can be asked about no host in particular.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum General {
    Settings,
    BrowserBlockedPorts,
    Union,
    Intersection,
    Difference,
}

/// What a planner can be asked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum OfHost {
    Plan,
    Explain,
    Stats,
    ApplyChanges,
    Snapshot,
}

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
    let question = Question::read(question)?;
    let combine: fn(&mut PortSet, &PortSet) = match question.kind {
        General::Settings => {
            question.nothing()?;
            return Ok(answered(&HostSettings::default()));
        }
        General::BrowserBlockedPorts => {
            question.nothing()?;
            return Ok(answered(&browser_blocked()));
        }
        General::Union => |ports, more| *ports |= more,
        General::Intersection => |ports, others| *ports &= others,
        General::Difference => |ports, others| *ports -= others,
    };
    let combined = question.sets()?.into_iter().reduce(|mut ports, others| {
        combine(&mut ports, &others);
        ports
    });
    Ok(answered(&combined.unwrap_or_default()))
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
    pub fn answer(&mut self, question: &str) -> String {
        written(self.ask(question))
    }

    fn ask(&mut self, question: &str) -> Result<String, Failure> {
        let question = Question::read(question)?;
        match question.kind {
            OfHost::Plan => Ok(answered(&self.plan(self.request(&question)?)?)),
            OfHost::Explain => {
                let (explained, trace) = self.explain(self.request(&question)?);
                Ok(answered(&Explanation { explained, trace }))
            }
            OfHost::Stats => Ok(answered(&self.stats(&self.query(&question.about()?)?))),
            OfHost::ApplyChanges => {
                self.apply(&question.changes()?)?;
                Ok(answered(&()))
            }
            OfHost::Snapshot => {
                question.nothing()?;
                Ok(answered(&self.snapshot()))
            }
        }
    }

    fn request(&self, question: &Question<OfHost>) -> Result<Request, InvalidWish> {
        question.wish()?.request(&self.settings)
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
