//! What is configured, and what comes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::layers::Flag;
use super::{Config, ConfigError, ConfigSources};

mod applied;
mod files;
mod layering;
mod mistakes;
mod schema;
mod wild;

/// Who says what. What is empty is not there.
#[derive(Default)]
struct Said<'a> {
    user: &'a str,
    project: &'a str,
    package: &'a str,
    variables: &'a [(&'a str, &'a str)],
    flags: &'a [(&'a str, &'a str)],
}

impl Said<'_> {
    fn read(&self) -> (TempDir, Result<Config, ConfigError>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        fs::create_dir(&root).unwrap();
        for (path, text) in [
            (folder.path().join("config.toml"), self.user),
            (root.join("portlease.toml"), self.project),
            (root.join("package.json"), self.package),
        ] {
            if !text.is_empty() {
                fs::write(path, text).unwrap();
            }
        }
        let read = self.sources(folder.path()).read();
        (folder, read)
    }

    fn sources(&self, folder: &Path) -> ConfigSources {
        let variable = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).into());
        let flag = |(key, value): &(&str, &str)| Flag {
            key: (*key).to_owned(),
            name: format!("--{key}"),
            value: (*value).to_owned(),
        };
        ConfigSources {
            folder: folder.join("shop"),
            user_file: Some(folder.join("config.toml")),
            root: folder.join("shop"),
            variables: self
                .variables
                .iter()
                .map(variable)
                .collect::<BTreeMap<_, _>>(),
            flags: self.flags.iter().map(flag).collect(),
        }
    }

    /// Each value that somebody said, as `key = value # who`.
    fn entries(&self) -> Vec<String> {
        let (folder, config) = self.read();
        let entries = config.unwrap().entries().into_iter();
        let said = entries.filter(|entry| !matches!(entry.origin, super::Origin::Default));
        said.map(|entry| {
            let line = format!("{} = {} # {}", entry.key, entry.value, entry.origin);
            short(&line, folder.path())
        })
        .collect()
    }

    fn error(&self) -> String {
        let (folder, config) = self.read();
        short(&config.unwrap_err().to_string(), folder.path())
    }
}

fn project(text: &str) -> Said<'_> {
    Said {
        project: text,
        ..Said::default()
    }
}

fn short(text: &str, folder: &Path) -> String {
    text.replace(
        &format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR),
        "",
    )
    .replace('\\', "/")
}
