//! A port that an environment variable names.

use std::fmt;

use portlease_core::{Explicit, Port};

/// What an environment variable says about a port.
///
/// ```
/// use portlease::PortVariable;
///
/// let variable = PortVariable::new("PORT", Some("4000".into()));
/// assert_eq!(variable.explicit().unwrap().port.get(), 4000);
///
/// let unusable = PortVariable::new("PORT", Some("abc".into()));
/// assert_eq!(unusable.explicit(), None);
/// assert_eq!(
///     unusable.warning().unwrap().to_string(),
///     "PORT is \"abc\", which is not a port from 1 to 65535: it is ignored"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortVariable {
    name: String,
    value: Option<String>,
}

impl PortVariable {
    /// The variable of this name as the process has it. An unreadable value counts as unusable.
    pub fn read(name: &str) -> Self {
        let value = std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Self::new(name, value)
    }

    /// A variable with this value, or without any.
    pub fn new(name: &str, value: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            value,
        }
    }

    /// The port that it names, which is used if it is free and is no condition otherwise.
    pub fn explicit(&self) -> Option<Explicit> {
        let port = self.value.as_deref()?.parse().ok()?;
        Some(Explicit {
            port,
            strict: false,
        })
    }

    /// What to tell the user, when the value is unusable. A variable that is empty says nothing.
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

    fn check(value: &str, port: Option<u16>, is_warned_about: bool) {
        let variable = PortVariable::new("PORT", Some(value.to_owned()));
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
        let variable = PortVariable::new("PORT", None);
        assert_eq!((variable.explicit(), variable.warning()), (None, None));
    }
}
