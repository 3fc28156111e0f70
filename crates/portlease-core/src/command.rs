//! What can be asked of the registry: plain data, so that it can travel and be replayed.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    Catalog, Generation, Holder, LeaseKey, Name, Port, PortRange, PortSet, Request, Service,
    Strategy,
};

/// What [`decide`](crate::decide()) is asked to do.
///
/// ```
/// use portlease_core::{Command, Release, Name};
///
/// let command = Command::Release(Release::by_project(Name::literal("shop")));
/// let json = serde_json::to_string(&command)?;
/// assert_eq!(json, r#"{"kind":"release","project":"shop"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Command {
    /// Lease ports for services.
    Reserve(Request),
    /// Say what [`Command::Reserve`] would do and why, port by port, and change nothing.
    Explain(Request),
    /// Say that a lease is still in use, or pass it on to another process.
    Renew(Renew),
    /// Say that the server of a lease was seen listening.
    Confirm(Confirm),
    /// Give leases back.
    Release(Release),
    /// Remove leases whose owners are gone.
    Sweep(Sweep),
    /// Say what is true of each lease.
    Validate(Validate),
    /// Count.
    Stats(StatsQuery),
}

/// See [`Command::Renew`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Renew {
    /// Which lease.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// The generation that the caller was granted.
    pub generation: Generation,
    /// The process or container to which the lease belongs from now on, when that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
}

/// See [`Command::Confirm`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirm {
    /// Which lease.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// The generation that the caller was granted.
    pub generation: Generation,
    /// The process or container that really listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<Holder>,
    /// The port on which it really listens, when that is not the granted one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
}

/// See [`Command::Release`]. The owner proves itself by the generation or as the holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The project.
    pub project: Name,
    /// The service; all services of the project when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Name>,
    /// The instance; all instances when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<u32>,
    /// The generation that the caller was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The process or container that gives the lease back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// Release also what belongs to a process that still runs.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub force: bool,
}

impl Release {
    /// All leases of a project. It is refused when one of them belongs to a process that still
    /// runs.
    #[must_use]
    pub fn by_project(project: Name) -> Self {
        Self {
            project,
            service: None,
            instance: None,
            generation: None,
            holder: None,
            force: false,
        }
    }

    /// One lease, by the generation that the caller was granted.
    #[must_use]
    pub fn granted(key: LeaseKey, generation: Generation) -> Self {
        Self {
            service: Some(key.service),
            instance: Some(key.instance),
            generation: Some(generation),
            ..Self::by_project(key.project)
        }
    }
}

/// See [`Command::Sweep`]. Only leases that are named, and that are still what they were when
/// the facts about them were gathered, can be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// The leases that the facts speak about.
    pub suspects: Vec<Suspect>,
    /// Remove leases without a holder that nobody used for so many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abandoned_after_millis: Option<u64>,
}

/// A lease as it was when the facts about it were gathered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspect {
    /// Which lease.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// Its generation at that time.
    pub generation: Generation,
}

/// See [`Command::Validate`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validate {
    /// Only the leases of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
}

/// See [`Command::Stats`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatsQuery {
    /// The ranges to count in, under the names to report them by.
    #[serde(default)]
    pub ranges: Vec<NamedRange>,
    /// How many of the busiest and of the least used ports to name.
    #[serde(default)]
    pub top: u32,
}

impl StatsQuery {
    /// About the ranges of all frameworks, each once, under the name of the first that has it.
    ///
    /// ```
    /// use portlease_core::{Catalog, StatsQuery};
    ///
    /// let query = StatsQuery::of_frameworks(&Catalog::builtin(), 5);
    /// let names: Vec<&str> = query.ranges.iter().map(|range| &*range.name).collect();
    /// assert!(names.contains(&"next") && !names.contains(&"nuxt"), "they have the same range");
    /// ```
    #[must_use]
    pub fn of_frameworks(catalog: &Catalog, top: u32) -> Self {
        let mut names: BTreeMap<PortRange, Name> = BTreeMap::new();
        for framework in catalog.iter() {
            names
                .entry(framework.range)
                .or_insert_with(|| framework.name.clone());
        }
        let named = |(range, name)| NamedRange { name, range };
        Self {
            ranges: names.into_iter().map(named).collect(),
            top,
        }
    }

    /// About these ranges, each named by its ends.
    ///
    /// ```
    /// use portlease_core::{PortRange, StatsQuery};
    ///
    /// let query = StatsQuery::of_ranges([PortRange::literal(3000, 3100)], 5);
    /// assert_eq!(&*query.ranges[0].name, "3000–3100");
    /// ```
    #[must_use]
    pub fn of_ranges(ranges: impl IntoIterator<Item = PortRange>, top: u32) -> Self {
        let named = |range: PortRange| NamedRange {
            name: Name::literal(&alloc::format!("{range}")),
            range,
        };
        Self {
            ranges: ranges.into_iter().map(named).collect(),
            top,
        }
    }
}

/// A range with a name to report it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedRange {
    /// The name, a framework's for instance.
    pub name: Name,
    /// The range.
    pub range: PortRange,
}

/// Which rows of a host a decision can depend on. A store may load more, never less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Everything,
    /// The rows whose project is named or whose port is in the set.
    Rows {
        /// The projects.
        projects: Vec<Name>,
        /// The ports.
        ports: PortSet,
    },
}

impl Command {
    /// Which rows the decision about this command can depend on.
    ///
    /// ```
    /// use portlease_core::{Catalog, Command, Name, Port, Request, Scope, Service};
    ///
    /// let web = Service::new(Name::literal("web"), Catalog::builtin().or_default("next"));
    /// let command = Command::Reserve(Request::new(Name::literal("shop"), vec![web]));
    /// let Scope::Rows { projects, ports } = command.scope() else { panic!("nothing can move") };
    /// assert_eq!(projects, [Name::literal("shop")]);
    /// assert!(ports.contains(Port::literal(3100)) && !ports.contains(Port::literal(3101)));
    /// ```
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::Reserve(request) | Self::Explain(request) => request.scope(),
            Self::Renew(renew) => Scope::of_project(&renew.key.project),
            Self::Confirm(confirm) => Scope::Rows {
                projects: alloc::vec![confirm.key.project.clone()],
                ports: confirm.port.into_iter().collect(),
            },
            Self::Release(release) => Scope::of_project(&release.project),
            Self::Sweep(sweep) => Scope::Rows {
                projects: sweep
                    .suspects
                    .iter()
                    .map(|suspect| suspect.key.project.clone())
                    .collect(),
                ports: PortSet::new(),
            },
            Self::Validate(Validate {
                project: Some(project),
            }) => Scope::of_project(project),
            Self::Validate(Validate { project: None }) | Self::Stats(_) => Scope::Everything,
        }
    }

    /// Whether the command only asks. A store need not lock out writers for it.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Explain(_) | Self::Validate(_) | Self::Stats(_))
    }
}

impl Scope {
    fn of_project(project: &Name) -> Self {
        Self::Rows {
            projects: alloc::vec![project.clone()],
            ports: PortSet::new(),
        }
    }

    /// Whether a row of this project and port belongs to the scope.
    #[must_use]
    pub fn contains(&self, project: &Name, port: Port) -> bool {
        match self {
            Self::Everything => true,
            Self::Rows { projects, ports } => ports.contains(port) || projects.contains(project),
        }
    }
}

impl Request {
    /// Whether leases of others may have to make way for it.
    #[must_use]
    pub fn may_move_others(&self) -> bool {
        if let Some(planned) = &self.planned {
            return !planned.displaced.is_empty();
        }
        let insists = |service: &Service| service.explicit.is_some_and(|port| port.strict);
        self.auto_reassign
            && match self.strategy {
                Strategy::Conservative => false,
                Strategy::Minimal => self.services.iter().any(insists),
                Strategy::Aggressive => true,
            }
    }

    fn scope(&self) -> Scope {
        // A lease that has to make way looks for a place in a range of its own, which only the
        // lease itself knows.
        if self.may_move_others() {
            return Scope::Everything;
        }
        let ports = self.candidates();
        Scope::Rows {
            projects: alloc::vec![self.project.clone()],
            ports,
        }
    }
}
