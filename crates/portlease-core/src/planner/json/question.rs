//! What a planner is asked, as JSON: an object whose one key is the kind of the question.
//!
//! Everything is read by the one reader of the crate: each further one would be compiled once more for each type, for those who
//! download the planner.

use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::reading::{self, Problem, Step, read};
use crate::{Change, InvalidArgument, InvalidWish, PortSet, PortsWish, Refusal, Timestamp, Wish};

/// A question of a kind, and what it is about.
pub(super) struct Question<K> {
    pub(super) kind: K,
    about: Json,
}

impl<K: DeserializeOwned> Question<K> {
    pub(super) fn read(text: &str) -> Result<Self, InvalidArgument> {
        let json = reading::json(text)?;
        let mut entries = json.as_object().into_iter().flatten();
        let (Some((key, about)), None) = (entries.next(), entries.next()) else {
            let problem =
                Problem::new("A question is an object with one key, such as {\"plan\": {…}}.");
            return Err(InvalidArgument::new("", Some(&json), &problem));
        };
        let kind = read(&Json::from(key.as_str()))
            .map_err(|problem| reading::place(&problem.below(Step::Key(key.clone())), &json))?;
        Ok(Self {
            kind,
            about: about.clone(),
        })
    }

    pub(super) fn about<T: DeserializeOwned>(&self) -> Result<T, InvalidArgument> {
        read(&self.about).map_err(|problem| reading::place(&problem, &self.about))
    }

    /// There is nothing in particular that it could be about.
    pub(super) fn nothing(&self) -> Result<(), InvalidArgument> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        let Nothing {} = self.about()?;
        Ok(())
    }

    pub(super) fn wish(&self) -> Result<Wish, InvalidArgument> {
        Wish::of(&self.about)
    }

    pub(super) fn sets(&self) -> Result<Vec<PortSet>, InvalidWish> {
        let sets: Vec<Vec<PortsWish>> = self.about()?;
        let set = |set: &Vec<PortsWish>| set.iter().map(PortsWish::range).collect();
        Ok(sets.iter().map(set).collect::<Result<_, Refusal>>()?)
    }

    pub(super) fn changes(&self) -> Result<Vec<Change>, InvalidArgument> {
        let list: Vec<Json> = self.about()?;
        let changes = list.iter().enumerate().map(|(index, json)| {
            change(json).map_err(|problem| problem.below(Step::Element(index)))
        });
        let changes: Result<_, Problem> = changes.collect();
        changes.map_err(|problem| reading::place(&problem, &self.about))
    }
}

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
