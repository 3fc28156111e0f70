//! What a dependency must be to be accepted: its licence allowed by deny.toml, its source crates.io.
//!
//! cargo-deny knows more (advisories, yanked versions) but needs the network; this much can be said offline, from what cargo
//! resolved for all platforms.

use std::fs;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, Package};
use spdx::{Expression, Licensee, ParseMode};
use toml::Value;

use crate::process::root;

/// Every package has a licence expression that the list in deny.toml satisfies.
pub(crate) fn check_licences(metadata: &Metadata) -> Result<()> {
    let allowed = Allowed::read(&fs::read_to_string(root().join("deny.toml"))?)?;
    refuse_if_any(metadata.packages.iter().filter_map(|package| {
        licence_problem(package.license.as_deref(), &allowed.to(&package.name))
            .map(|problem| format!("{}: {problem}", named(package)))
    }))
}

/// Every package comes from crates.io or is our own.
pub(crate) fn check_sources(metadata: &Metadata) -> Result<()> {
    refuse_if_any(metadata.packages.iter().filter_map(|package| {
        let from = match &package.source {
            Some(source) if source.is_crates_io() => return None,
            None if package.manifest_path.starts_with(root()) => return None,
            Some(source) => source.repr.as_str(),
            None => "a folder outside the project",
        };
        Some(format!(
            "{} comes from {from}, not from crates.io",
            named(package)
        ))
    }))
}

/// The licences that deny.toml allows: to all, and beyond those to some.
struct Allowed {
    to_all: Vec<Licensee>,
    exceptions: Vec<(String, Vec<Licensee>)>,
}

impl Allowed {
    fn read(deny_toml: &str) -> Result<Self> {
        let deny: toml::Table = toml::from_str(deny_toml)?;
        let section = deny
            .get("licenses")
            .context("deny.toml has no section [licenses]")?;
        let exceptions = section.get("exceptions").and_then(Value::as_array);
        let exception = |exception: &Value| {
            let package = exception.get("crate").and_then(Value::as_str);
            let package = package.context("an exception in deny.toml names no crate")?;
            Ok((package.to_owned(), licences(exception)?))
        };
        Ok(Self {
            to_all: licences(section)?,
            exceptions: exceptions
                .into_iter()
                .flatten()
                .map(exception)
                .collect::<Result<_>>()?,
        })
    }

    fn to(&self, package: &str) -> Vec<Licensee> {
        let exceptions = self.exceptions.iter().filter(|(name, _)| name == package);
        let more = exceptions.flat_map(|(_, licences)| licences);
        self.to_all.iter().chain(more).cloned().collect()
    }
}

/// The list `allow` of a section of deny.toml.
fn licences(section: &Value) -> Result<Vec<Licensee>> {
    let allowed = section
        .get("allow")
        .and_then(Value::as_array)
        .context("deny.toml has no list `allow` where one belongs")?;
    allowed
        .iter()
        .map(|name| {
            let name = name
                .as_str()
                .context("a licence in deny.toml is not a string")?;
            Licensee::parse(name).with_context(|| format!("{name} in deny.toml is no licence"))
        })
        .collect()
}

fn licence_problem(expression: Option<&str>, allowed: &[Licensee]) -> Option<String> {
    let Some(text) = expression else {
        return Some("it names no licence expression".to_owned());
    };
    // Old packages write "MIT/Apache-2.0", which crates.io accepts and means OR.
    let mode = ParseMode {
        allow_slash_as_or_operator: true,
        ..ParseMode::STRICT
    };
    let Ok(expression) = Expression::parse_mode(text, mode) else {
        return Some(format!("its licence \"{text}\" is no SPDX expression"));
    };
    let is_allowed = expression
        .evaluate(|requirement| allowed.iter().any(|licence| licence.satisfies(requirement)));
    (!is_allowed).then(|| format!("its licence \"{text}\" is not allowed by deny.toml"))
}

fn refuse_if_any(problems: impl Iterator<Item = String>) -> Result<()> {
    let problems: Vec<String> = problems.collect();
    if !problems.is_empty() {
        bail!(problems.join("\n"));
    }
    Ok(())
}

fn named(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: Option<&str>, expected: Option<&str>) {
        let allowed =
            Allowed::read("[licenses]\nallow = [\"MIT\", \"Apache-2.0\", \"Unicode-3.0\"]")
                .unwrap();
        let problem = licence_problem(expression, &allowed.to("some"));
        assert_eq!(problem.as_deref(), expected);
    }

    #[test]
    fn one_allowed_alternative_is_enough() {
        check(Some("GPL-3.0-only OR MIT"), None);
        check(Some("Unlicense/MIT"), None);
    }

    #[test]
    fn every_part_of_a_conjunction_must_be_allowed() {
        check(Some("(MIT OR Apache-2.0) AND Unicode-3.0"), None);
        check(
            Some("MIT AND GPL-3.0-only"),
            Some("its licence \"MIT AND GPL-3.0-only\" is not allowed by deny.toml"),
        );
    }

    #[test]
    fn an_exception_is_a_licence_of_its_own() {
        check(
            Some("Apache-2.0 WITH LLVM-exception"),
            Some("its licence \"Apache-2.0 WITH LLVM-exception\" is not allowed by deny.toml"),
        );
    }

    #[test]
    fn a_package_without_a_licence_is_refused() {
        check(None, Some("it names no licence expression"));
        check(
            Some("see LICENSE"),
            Some("its licence \"see LICENSE\" is no SPDX expression"),
        );
    }

    #[test]
    fn a_deny_toml_without_the_list_is_an_error() {
        for deny_toml in [
            "",
            "[licenses]",
            "[licenses]\nallow = [\"My Licence\"]",
            "[licenses]\nallow = []\nexceptions = [{ crate = \"some\" }]",
            "[licenses]\nallow = []\nexceptions = [{ allow = [] }]",
        ] {
            assert!(Allowed::read(deny_toml).is_err(), "{deny_toml}");
        }
    }

    #[test]
    fn an_exception_counts_for_its_package_alone() {
        let deny_toml = "[licenses]\nallow = [\"MIT\"]\nexceptions = [{ crate = \"some\", allow = [\"NCSA\"] }]";
        let allowed = Allowed::read(deny_toml).unwrap();
        let problem = |package| licence_problem(Some("MIT AND NCSA"), &allowed.to(package));
        assert_eq!(problem("some"), None);
        assert!(problem("other").is_some());
    }
}
