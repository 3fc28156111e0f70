//! Where configuration is looked for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::layers::{self, Flag, Layer};
use super::{Config, ConfigError, stack};
use crate::folders;
use crate::project::project_root;

/// Where configuration is looked for.
#[derive(Debug, Clone)]
pub struct ConfigSources {
    pub(super) folder: PathBuf,
    pub(super) user_file: Option<PathBuf>,
    pub(super) root: PathBuf,
    pub(super) variables: BTreeMap<String, OsString>,
    pub(super) flags: Vec<Flag>,
}

/// A file that may have configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Whether it is the user's own file and not the project's.
    pub is_users: bool,
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Whether it says something, right or wrong.
    pub is_used: bool,
}

impl ConfigSources {
    /// The project that the folder belongs to, the user's file, and the variables of this process.
    pub fn of_folder(folder: &Path) -> Self {
        let named = layers::SCALARS.map(layers::variable_of).into_iter();
        let named = named.chain([layers::AUTO_KILL_PORT.to_owned()]);
        let variable = |name: String| std::env::var_os(&name).map(|value| (name, value));
        Self {
            folder: folder.to_path_buf(),
            user_file: folders::config_folder().map(|folder| folder.join("config.toml")),
            // A folder that is not there has no file, and is no reason to do without the others.
            root: project_root(folder).unwrap_or_else(|_| folder.to_path_buf()),
            variables: named.filter_map(variable).collect(),
            flags: Vec::new(),
        }
    }

    /// The variables, by their names, when they are not those of this process.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, OsString)>) -> Self {
        self.variables = variables.into_iter().collect();
        self
    }

    /// A flag, such as `--project`, and the key that it is about.
    #[must_use]
    pub fn flag(mut self, key: &str, flag: &str, value: Option<String>) -> Self {
        self.flags.extend(value.map(|value| Flag {
            key: key.to_owned(),
            name: flag.to_owned(),
            value,
        }));
        self
    }

    /// Reads everything. The first thing that is wrong is the error.
    pub fn read(&self) -> Result<Config, ConfigError> {
        let user = match &self.user_file {
            Some(path) => Layer::of_user(path)?,
            None => None,
        };
        let project = Layer::of_project(&self.root)?;
        let variables = Layer::of_variables(&self.variables)?;
        let flags = Layer::of_flags(&self.flags)?;
        let all = [
            Some(Layer::defaults()?),
            user,
            project,
            Some(variables),
            Some(flags),
        ];
        stack::config(self.folder.clone(), all.into_iter().flatten().collect())
    }

    /// The files that are looked at.
    pub fn files(&self) -> Vec<ConfigFile> {
        let users = self.user_file.iter().map(|path| (true, path.clone()));
        let projects =
            [layers::PROJECT_FILE, layers::MANIFEST].map(|name| (false, self.root.join(name)));
        let file = |(is_users, path): (bool, PathBuf)| ConfigFile {
            is_users,
            // What cannot be read is no reason to hide where it is.
            is_used: Layer::of_file(&path).map_or(true, |layer| layer.is_some()),
            path,
        };
        users.chain(projects).map(file).collect()
    }
}
