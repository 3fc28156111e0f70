//! What users configure: in files, variables and flags, each overruling those before it.
//!
//! The layers are read as values with origins (`layers.rs`, `toml.rs`, `json.rs`), put on top of each other (`stack.rs`,
//! `tree.rs`), and turned into the one set of types (`settings.rs`) by a reader that knows where everything stands
//! (`typed.rs`). What types cannot tell is checked afterwards (`check.rs`).

use std::path::{Path, PathBuf};

use portlease_core::{Catalog, DEVELOPMENT, Name, Pools, Presets};
use serde_json::Value as Json;

mod apply;
mod check;
mod error;
mod file;
mod json;
mod layers;
mod origin;
mod schema;
mod settings;
mod sources;
mod stack;
#[cfg(test)]
mod tests;
mod toml;
mod tree;
mod typed;
mod values;

pub use error::ConfigError;
pub use origin::{Origin, Place};
pub use schema::schema;
pub use settings::{FrameworkSettings, ServiceSettings, Settings};
pub use sources::{ConfigFile, ConfigSources};
pub use values::{Excluded, Range, VariableName};

use layers::Layer;
use tree::{Node, Value};

use crate::project::project_name;
use crate::registry::{default_file, without_password};

/// The configuration of a project on this machine.
///
/// ```
/// use portlease::config::ConfigSources;
///
/// let folder = tempfile::tempdir().unwrap();
/// std::fs::write(folder.path().join("portlease.toml"), "[services.api]\npreferred = [4000]\n").unwrap();
///
/// let config = ConfigSources::of_folder(folder.path()).read()?;
/// let request = config.reservation(&[]).build()?;
/// assert_eq!(&*request.services[0].name, "api");
/// assert_eq!(request.services[0].preferred[0].get(), 4000);
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    folder: PathBuf,
    settings: Settings,
    tree: Node,
    /// The services that the project itself declares, in that order.
    declared: Vec<Name>,
    catalog: Option<Catalog>,
    presets: Option<Presets>,
    pools: Pools,
}

/// A value of the configuration.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its path of keys, such as `services.api.preferred`.
    pub key: String,
    /// The value.
    pub value: Json,
    /// Who said it.
    pub origin: Origin,
}

impl Config {
    /// Reads one file as if it were all that is said, in the folder where it lies. There has to be one.
    pub fn of_file(path: &Path) -> Result<Self, ConfigError> {
        let absent = || ConfigError::new(format!("{} has no configuration.", origin::shown(path)));
        let layer = Layer::of_file(path)?.ok_or_else(absent)?;
        let layer = Layer {
            is_projects: true,
            ..layer
        };
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        stack::config(folder.to_path_buf(), vec![Layer::defaults()?, layer])
    }

    /// The values that hold.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The profile that holds.
    pub fn profile(&self) -> &str {
        self.settings.profile.as_deref().unwrap_or(DEVELOPMENT)
    }

    /// Each value with who said it, those first that are found out.
    pub fn entries(&self) -> Vec<Setting> {
        let values = serde_json::to_value(&self.settings).unwrap_or_default();
        let mut entries = self.found_out();
        collect(&self.tree, &values, "", &mut entries);
        entries
    }

    /// What holds when nobody says it and differs from machine to machine.
    fn found_out(&self) -> Vec<Setting> {
        let project = || Some(project_name(&self.folder).ok()?.to_string());
        let registry = || Some(format!("sqlite:{}", default_file().ok()?.display()));
        let project = self.settings.project.is_none().then(project).flatten();
        let registry = self.settings.registry.is_none().then(registry).flatten();
        [("project", project), ("registry", registry)]
            .into_iter()
            .filter_map(|(key, value)| {
                Some(Setting {
                    key: key.to_owned(),
                    value: value?.into(),
                    origin: Origin::Default,
                })
            })
            .collect()
    }

    /// The services that the project declares, in that order.
    pub fn services(&self) -> &[Name] {
        &self.declared
    }
}

fn collect(node: &Node, value: &Json, path: &str, entries: &mut Vec<Setting>) {
    let Value::Table(table) = &node.value else {
        let value = match value {
            Json::String(url) if path.ends_with("registry") => without_password(url).into(),
            value => value.clone(),
        };
        entries.push(Setting {
            key: path.to_owned(),
            value,
            origin: node.origin.clone(),
        });
        return;
    };
    for (key, entry) in table {
        let path = if path.is_empty() {
            quoted(key)
        } else {
            format!("{path}.{}", quoted(key))
        };
        collect(
            &entry.node,
            value.get(key).unwrap_or(&Json::Null),
            &path,
            entries,
        );
    }
}

/// A key as TOML writes it.
fn quoted(key: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        Json::from(key).to_string()
    }
}
