//! A port that an environment variable names.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use serde::Deserialize;

use crate::{Explicit, Port};

/// An environment variable, with the value that the caller has for it.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariableWish {
    /// Its name.
    pub name: String,
    /// Its value, when it is set.
    #[serde(default)]
    pub value: Option<String>,
}

impl VariableWish {
    /// The port that it names, which is used if it is free and is no condition otherwise.
    #[must_use]
    pub fn explicit(&self) -> Option<Explicit> {
        let port = self.value.as_deref()?.parse().ok()?;
        Some(Explicit {
            port,
            strict: false,
        })
    }

    /// What to tell the user, when the value is unusable. A variable that is empty says nothing.
    #[must_use]
    pub fn warning(&self) -> Option<UnusableVariable> {
        let value = self.value.as_deref().filter(|value| !value.is_empty())?;
        let unusable = value.parse::<Port>().is_err();
        unusable.then(|| UnusableVariable {
            name: self.name.clone(),
            value: value.to_owned(),
        })
    }
}

/// An environment variable whose value is not a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableVariable {
    /// The name of the variable.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl fmt::Display for UnusableVariable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value } = self;
        write!(
            formatter,
            "{name} is {value:?}, which is not a port from 1 to 65535: it is ignored"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(value: Option<&str>) -> VariableWish {
        VariableWish {
            name: "PORT".to_owned(),
            value: value.map(str::to_owned),
        }
    }

    fn check(value: &str, port: Option<u16>, is_warned_about: bool) {
        let variable = variable(Some(value));
        assert_eq!(
            variable.explicit().map(|explicit| explicit.port.get()),
            port,
            "{value:?}"
        );
        assert_eq!(variable.warning().is_some(), is_warned_about, "{value:?}");
    }

    #[test]
    fn usable_and_unusable_values() {
        check("4000", Some(4000), false);
        check(" 4000 ", Some(4000), false);
        check("", None, false);
        for unusable in ["abc", "0", "70000", " ", "-1", "3000.5"] {
            check(unusable, None, true);
        }
    }

    #[test]
    fn a_variable_that_is_not_set_says_nothing() {
        let variable = variable(None);
        assert_eq!((variable.explicit(), variable.warning()), (None, None));
    }
}
