//! Why a wish cannot become a request.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Value as Json, json};

use crate::{InvalidArgument, InvalidName, Name, Presets, Refusal};

/// Why a wish cannot become a request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidWish {
    /// What it says can be read, but cannot be granted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What it says cannot be used.
    #[error(transparent)]
    Argument(#[from] InvalidArgument),
    /// No preset has this name.
    #[error(transparent)]
    UnknownPreset(#[from] UnknownPreset),
}

impl InvalidWish {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Argument(_) => InvalidArgument::CODE,
            Self::UnknownPreset(_) => UnknownPreset::CODE,
        }
    }

    /// What the code is about, as data.
    #[must_use]
    pub fn details(&self) -> Json {
        match self {
            Self::Refused(refusal) => refusal.details(),
            Self::Argument(error) => error.details(),
            Self::UnknownPreset(error) => error.details(),
        }
    }
}

impl From<InvalidName> for InvalidWish {
    fn from(error: InvalidName) -> Self {
        Self::Refused(error.into())
    }
}

/// No preset has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There is no preset {kind:?} for {profile}. {}", choices(known))]
pub struct UnknownPreset {
    /// The environment.
    pub profile: String,
    /// The kind of service that was asked for.
    pub kind: String,
    /// The kinds that this environment has.
    pub known: Vec<Name>,
}

impl UnknownPreset {
    /// The stable code.
    pub const CODE: &'static str = "UNKNOWN_PRESET";

    pub(super) fn new(presets: &Presets, profile: &str, kind: &str) -> Self {
        let known = presets
            .iter()
            .filter(|preset| &*preset.profile == profile)
            .map(|preset| preset.service.clone());
        Self {
            profile: profile.into(),
            kind: kind.into(),
            known: known.collect(),
        }
    }

    /// What the code is about, as data.
    #[must_use]
    pub fn details(&self) -> Json {
        json!({"profile": self.profile, "kind": self.kind, "known": self.known})
    }
}

fn choices(known: &[Name]) -> String {
    if known.is_empty() {
        return "It has none; another profile may.".into();
    }
    let known: Vec<&str> = known.iter().map(|name| &**name).collect();
    format!("It has {}.", known.join(", "))
}
