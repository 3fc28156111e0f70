//! Which framework a project uses.

use std::path::Path;

use portlease_core::{Catalog, Framework};

mod command;
mod files;
mod manifest;

pub use command::ServerCommand;
use manifest::Manifest;

/// What the caller knows about the framework of a project.
///
/// ```
/// use portlease::{Evidence, Hints};
/// use portlease_core::Catalog;
///
/// let hints = Hints { run_command: Some("npx astro dev".into()), ..Hints::default() };
/// let detected = hints.detect(&Catalog::builtin(), "/nowhere".as_ref());
/// assert_eq!(&*detected.framework.name, "astro");
/// assert_eq!(detected.evidence, Evidence::RunCommand);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// The framework, when the caller found out by itself.
    pub detected_framework: Option<String>,
    /// The kind of project as its tools call it, such as `nextjs`.
    pub project_type: Option<String>,
    /// The command that starts the dev server.
    pub run_command: Option<String>,
}

/// A framework and what it was told by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The framework.
    pub framework: Framework,
    /// What it was told by.
    pub evidence: Evidence,
}

/// What a framework was told by, in the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The caller.
    DetectedFramework,
    /// The project's type.
    ProjectType,
    /// The command that starts the dev server, or the script that it runs.
    RunCommand,
    /// A dependency in `package.json`.
    Dependency,
    /// A configuration file.
    ConfigFile,
    /// Nothing was found.
    Nothing,
}

impl Hints {
    /// The framework of the project in the folder `root`: what the caller says comes before what
    /// the command says, and that before what the folder shows. A name that the catalogue does
    /// not have says nothing.
    pub fn detect(&self, catalog: &Catalog, root: &Path) -> Detected {
        if let Some(detected) = self.named(catalog) {
            return detected;
        }
        let manifest = Manifest::read(root);
        let by_command = self
            .run_command
            .as_deref()
            .and_then(|command| ServerCommand::find_with(command, &manifest))
            .map(|server| server.framework);
        let found = |name: Option<&str>, evidence| detected(catalog, name?, evidence);
        found(by_command, Evidence::RunCommand)
            .or_else(|| found(manifest.framework(), Evidence::Dependency))
            .or_else(|| found(files::framework(root), Evidence::ConfigFile))
            .unwrap_or_else(|| Detected {
                framework: catalog.or_default("default").clone(),
                evidence: Evidence::Nothing,
            })
    }

    /// The framework that the caller names, for which no folder has to be read.
    pub(crate) fn named(&self, catalog: &Catalog) -> Option<Detected> {
        let named = |name: &Option<String>, evidence| detected(catalog, name.as_deref()?, evidence);
        named(&self.detected_framework, Evidence::DetectedFramework)
            .or_else(|| named(&self.project_type, Evidence::ProjectType))
    }
}

fn detected(catalog: &Catalog, name: &str, evidence: Evidence) -> Option<Detected> {
    let framework = catalog.get(name)?.clone();
    Some(Detected {
        framework,
        evidence,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Detects in a folder with these files.
    #[track_caller]
    fn check(files: &[(&str, &str)], hints: [&str; 3], framework: &str, evidence: Evidence) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(root.path().join(name), text).unwrap();
        }
        let [detected_framework, project_type, run_command] =
            hints.map(|hint| Some(hint.to_owned()).filter(|hint| !hint.is_empty()));
        let hints = Hints {
            detected_framework,
            project_type,
            run_command,
        };
        let detected = hints.detect(&Catalog::builtin(), root.path());
        assert_eq!(
            (&*detected.framework.name, detected.evidence),
            (framework, evidence)
        );
    }

    const VITE: &[(&str, &str)] = &[
        (
            "package.json",
            r#"{"scripts": {"dev": "astro dev --host"}, "devDependencies": {"vite": "8"}}"#,
        ),
        ("next.config.mjs", ""),
    ];

    #[test]
    fn each_kind_of_evidence_in_its_order() {
        check(
            VITE,
            ["remix", "nextjs", "vite"],
            "remix",
            Evidence::DetectedFramework,
        );
        check(VITE, ["", "nextjs", "vite"], "next", Evidence::ProjectType);
        check(VITE, ["", "", "npm run dev"], "astro", Evidence::RunCommand);
        check(VITE, ["", "", ""], "vite", Evidence::Dependency);
        check(&VITE[1..], ["", "", ""], "next", Evidence::ConfigFile);
        check(&[], ["", "", ""], "default", Evidence::Nothing);
    }

    #[test]
    fn what_says_nothing_is_passed_over() {
        check(
            VITE,
            ["unheard-of", "neither", "./start.sh"],
            "vite",
            Evidence::Dependency,
        );
        check(
            &[("package.json", "{ broken")],
            ["", "", "npm run dev"],
            "default",
            Evidence::Nothing,
        );
        check(
            &[("package.json", "[1]")],
            ["", "", "npm start"],
            "default",
            Evidence::Nothing,
        );
    }
}
