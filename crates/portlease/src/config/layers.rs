//! The layers of a configuration, from the one that is overruled by all to the one that overrules all.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::error::ConfigError;
use super::origin::{Origin, Source, shown};
use super::settings::Settings;
use super::tree::{Entry, Node, Table, Value};
use super::typed::typed;
use super::{check, file, json, toml};

/// What holds when nobody says anything.
const DEFAULTS: &str = "
profile = 'development'
strategy = 'minimal'
autoReassign = true
reclaim = false
maxRetries = 10
ifRunning = 'another'
timeout = 120
grace = 10
";

/// The keys that a variable can set: `PORTLEASE_MAX_RETRIES` is `maxRetries`.
pub(super) const SCALARS: [&str; 12] = [
    "project",
    "registry",
    "host",
    "profile",
    "strategy",
    "autoReassign",
    "reclaim",
    "maxRetries",
    "ifRunning",
    "timeout",
    "grace",
    "pool",
];

/// The variable that means `reclaim`, when it says true.
pub(super) const AUTO_KILL_PORT: &str = "AUTO_KILL_PORT";

/// The names of the two files of a project.
pub(super) const PROJECT_FILE: &str = "portlease.toml";
pub(super) const MANIFEST: &str = "package.json";

/// What one party says, and what it means by itself.
pub(super) struct Layer {
    pub(super) tree: Node,
    pub(super) settings: Settings,
    /// Whether its services are those that the project declares. Others only say what holds for services of their names.
    pub(super) is_projects: bool,
}

impl Layer {
    fn new(tree: Node) -> Result<Self, ConfigError> {
        let settings = typed(&tree)?;
        check::layer(&tree, &settings)?;
        Ok(Self {
            tree,
            settings,
            is_projects: false,
        })
    }

    pub(super) fn defaults() -> Result<Self, ConfigError> {
        Self::new(toml::read(DEFAULTS, &|_| Origin::Default)?)
    }

    /// The user's file, which speaks about all projects.
    pub(super) fn of_user(path: &Path) -> Result<Option<Self>, ConfigError> {
        let Some(layer) = Self::of_file(path)? else {
            return Ok(None);
        };
        let remedy = format!("`project` belongs into a project's {PROJECT_FILE}.");
        layer.has_no("project", "All projects would have this one name.", &remedy)?;
        Ok(Some(layer))
    }

    /// Refuses a key that says too much where it stands.
    fn has_no(&self, key: &str, problem: &str, remedy: &str) -> Result<(), ConfigError> {
        match self.tree.find(&[key]) {
            Some(entry) => Err(ConfigError::new(problem).with_help(remedy).at(&entry.key)),
            None => Ok(()),
        }
    }

    /// The project's file, or its part of `package.json`, but not both.
    pub(super) fn of_project(root: &Path) -> Result<Option<Self>, ConfigError> {
        let own = root.join(PROJECT_FILE);
        let manifest = root.join(MANIFEST);
        let layers = (Self::of_file(&own)?, Self::of_file(&manifest)?);
        for layer in [&layers.0, &layers.1].into_iter().flatten() {
            let variable = variable_of("host");
            let remedy = format!("`host` belongs into your own file, or into {variable}.");
            let problem = "All machines with this project would have this one name.";
            layer.has_no("host", problem, &remedy)?;
        }
        match layers {
            (Some(_), Some(second)) => Err(ConfigError::new(format!(
                "This project is configured twice: here and in {}.",
                shown(&own)
            ))
            .with_help("Keep one of them.")
            .at(&second.tree.origin)),
            (layer, None) | (None, layer) => Ok(layer.map(|layer| Self {
                is_projects: true,
                ..layer
            })),
        }
    }

    /// What a file says: one named `package.json` below its key `portlease`, any other one as TOML.
    pub(super) fn of_file(path: &Path) -> Result<Option<Self>, ConfigError> {
        let Some(bytes) = file::read(path)? else {
            return Ok(None);
        };
        let source = Arc::new(Source {
            path: path.to_path_buf(),
            text: file::text(path, bytes)?,
        });
        let locate = |span: Range<usize>| source.origin(span);
        let tree = if path.file_name().is_some_and(|name| name == MANIFEST) {
            json::read(&source.text, &locate)?
        } else {
            Some(toml::read(&source.text, &locate)?)
        };
        tree.map(Self::new).transpose()
    }

    pub(super) fn of_variables(
        variables: &BTreeMap<String, OsString>,
    ) -> Result<Self, ConfigError> {
        let mut table = Table::new();
        // Other programs read it as well, and may know other values.
        if variables
            .get(AUTO_KILL_PORT)
            .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
        {
            let origin = Origin::Variable(AUTO_KILL_PORT.to_owned());
            table.insert("reclaim".to_owned(), said("true", origin));
        }
        for key in SCALARS {
            let name = variable_of(key);
            // An empty variable is how shells say that there is none.
            let Some(value) = variables.get(&name).filter(|value| !value.is_empty()) else {
                continue;
            };
            let origin = Origin::Variable(name);
            let Some(value) = value.to_str() else {
                return Err(ConfigError::new("The value is not UTF-8 text.").at(&origin));
            };
            table.insert(key.to_owned(), said(value, origin));
        }
        Self::new(tree_of(table))
    }

    pub(super) fn of_flags(flags: &[Flag]) -> Result<Self, ConfigError> {
        let entry = |flag: &Flag| {
            (
                flag.key.clone(),
                said(&flag.value, Origin::Flag(flag.name.clone())),
            )
        };
        Self::new(tree_of(flags.iter().map(entry).collect()))
    }
}

/// A flag of the command line that says something about a key.
#[derive(Debug, Clone)]
pub(super) struct Flag {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) value: String,
}

/// `PORTLEASE_MAX_RETRIES` for `maxRetries`.
pub(super) fn variable_of(key: &str) -> String {
    let mut name = "PORTLEASE_".to_owned();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn said(value: &str, origin: Origin) -> Entry {
    Entry {
        key: origin.clone(),
        node: Node {
            value: Value::Said(value.to_owned()),
            origin,
        },
    }
}

fn tree_of(table: Table) -> Node {
    Node {
        value: Value::Table(table),
        origin: Origin::Default,
    }
}
