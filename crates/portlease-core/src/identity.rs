//! Who a lease belongs to, and what is evidence that they are gone.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::Name;

/// Whom a lease belongs to: the process that listens or will listen, or a container.
///
/// ```
/// use portlease_core::{Holder, Process};
///
/// let json = r#"{"kind":"process","pid":4242,"started":170}"#;
/// let holder: Holder = serde_json::from_str(json)?;
/// assert_eq!(holder, Holder::Process(Process { pid: 4242, started: Some(170), boot: None, namespace: None }));
/// assert_eq!(holder.to_string(), "pid 4242");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Holder {
    /// A process of the machine.
    Process(Process),
    /// A container of an engine.
    Container(Container),
}

/// The identity of a process: a pid alone is used again, together with its start it is not.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// The process id inside its namespace.
    pub pid: u32,
    /// When it started, in the operating system's own unit and from its own origin; below 2^53, so
    /// that every reader of JSON can hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// Which start of the machine it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Name>,
    /// The namespace that gives the pid its meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<u64>,
}

/// The identity of a container.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// The engine, such as `docker`.
    pub engine: Name,
    /// The full id that the engine gave it.
    pub id: Name,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(process) => write!(formatter, "pid {}", process.pid),
            Self::Container(container) => {
                write!(
                    formatter,
                    "{} container {:.12}",
                    container.engine, container.id
                )
            }
        }
    }
}

/// What the machine shows where a process should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The boot in which the observer runs.
    pub boot: Option<Name>,
    /// The namespace in which the observer looked up the pid.
    pub namespace: Option<u64>,
    /// Whoever has the pid now.
    pub seen: Seen,
}

/// Whoever has a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The system says that there is no such process.
    Nobody,
    /// A process that started at this moment.
    StartedAt(u64),
    /// A process whose start could not be read, or no answer at all.
    Unclear,
}

impl Process {
    /// Whether the sighting proves that this process has ended. Whatever is unknown counts as
    /// alive: a lease that stays too long costs a port, one that goes too early costs a server.
    ///
    /// ```
    /// use portlease_core::{Process, Seen, Sighting};
    ///
    /// let process = Process { pid: 4242, started: Some(170), boot: None, namespace: None };
    /// let sighting = |seen| Sighting { boot: None, namespace: None, seen };
    /// assert!(process.has_ended(&sighting(Seen::Nobody)));
    /// assert!(process.has_ended(&sighting(Seen::StartedAt(999))), "the pid was used again");
    /// assert!(!process.has_ended(&sighting(Seen::StartedAt(170))));
    /// assert!(!process.has_ended(&sighting(Seen::Unclear)));
    /// ```
    #[must_use]
    pub fn has_ended(&self, sighting: &Sighting) -> bool {
        if differ(self.boot.as_ref(), sighting.boot.as_ref()) {
            return true;
        }
        if self.namespace != sighting.namespace {
            return false;
        }
        match sighting.seen {
            Seen::Nobody => true,
            Seen::StartedAt(started) => differ(self.started, Some(started)),
            Seen::Unclear => false,
        }
    }
}

/// Whether both are known and not the same.
fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        boot: [Option<&'static str>; 2],
        namespace: [Option<u64>; 2],
        started: Option<u64>,
        seen: Seen,
    }

    const SAME: Case = Case {
        boot: [Some("a"), Some("a")],
        namespace: [Some(1), Some(1)],
        started: Some(5),
        seen: Seen::StartedAt(5),
    };

    fn check(case: &Case, has_ended: bool) {
        let [boot, observed_boot] = case.boot.map(|boot| boot.map(Name::literal));
        let process = Process {
            pid: 7,
            started: case.started,
            boot,
            namespace: case.namespace[0],
        };
        let sighting = Sighting {
            boot: observed_boot,
            namespace: case.namespace[1],
            seen: case.seen,
        };
        assert_eq!(
            process.has_ended(&sighting),
            has_ended,
            "{process:?} {sighting:?}"
        );
    }

    #[test]
    fn the_same_process_lives() {
        check(&SAME, false);
    }

    #[test]
    fn a_missing_process_has_ended() {
        check(
            &Case {
                seen: Seen::Nobody,
                ..SAME
            },
            true,
        );
        check(
            &Case {
                seen: Seen::Nobody,
                started: None,
                ..SAME
            },
            true,
        );
    }

    #[test]
    fn another_start_means_that_the_pid_was_used_again() {
        check(
            &Case {
                seen: Seen::StartedAt(6),
                ..SAME
            },
            true,
        );
    }

    #[test]
    fn an_unknown_start_counts_as_alive() {
        check(
            &Case {
                started: None,
                ..SAME
            },
            false,
        );
        check(
            &Case {
                seen: Seen::Unclear,
                ..SAME
            },
            false,
        );
    }

    #[test]
    fn another_boot_ends_every_process() {
        check(
            &Case {
                boot: [Some("a"), Some("b")],
                ..SAME
            },
            true,
        );
        check(
            &Case {
                boot: [Some("a"), Some("b")],
                namespace: [Some(1), Some(2)],
                seen: Seen::Unclear,
                ..SAME
            },
            true,
        );
        check(
            &Case {
                boot: [None, Some("b")],
                ..SAME
            },
            false,
        );
    }

    #[test]
    fn another_namespace_proves_nothing() {
        check(
            &Case {
                namespace: [Some(1), Some(2)],
                seen: Seen::Nobody,
                ..SAME
            },
            false,
        );
        check(
            &Case {
                namespace: [None, Some(2)],
                seen: Seen::Nobody,
                ..SAME
            },
            false,
        );
    }
}
