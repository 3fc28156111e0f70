//! A port that an environment variable names.

use portlease_core::{Explicit, UnusableVariable, VariableWish};

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
pub struct PortVariable(VariableWish);

impl PortVariable {
    /// The variable of this name as the process has it. An unreadable value counts as unusable.
    pub fn read(name: &str) -> Self {
        let value = std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Self::new(name, value)
    }

    /// A variable with this value, or without any.
    pub fn new(name: &str, value: Option<String>) -> Self {
        let name = name.to_owned();
        Self(VariableWish { name, value })
    }

    /// The port that it names, which is used if it is free and is no condition otherwise.
    pub fn explicit(&self) -> Option<Explicit> {
        self.0.explicit()
    }

    /// What to tell the user, when the value is unusable. A variable that is empty says nothing.
    pub fn warning(&self) -> Option<UnusableVariable> {
        self.0.warning()
    }

    pub(crate) fn into_wish(self) -> VariableWish {
        self.0
    }
}
