//! What a dependency must be to be accepted: its licence allowed by deny.toml, its source crates.io.
//!
//! cargo-deny knows more (advisories, yanked versions) but needs the network; this much can be said offline, from what cargo
//! resolved for all platforms.

use std::fs;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, Package};
use spdx::{Expression, Licensee, ParseMode};

use crate::process::root;

/// Every package has a licence expression that the lists in deny.toml satisfy.
pub(crate) fn check_licences(metadata: &Metadata) -> Result<()> {
    let allowed = Allowed::read(&fs::read_to_string(root().join("deny.toml"))?)?;
    refuse_if_any(metadata.packages.iter().filter_map(|package| {
        licence_problem(&package.name, package.license.as_deref(), &allowed)
            .map(|problem| format!("{}: {problem}", named(package)))
    }))
}

/// Every package comes from crates.io or is a member of the workspace.
pub(crate) fn check_sources(metadata: &Metadata) -> Result<()> {
    refuse_if_any(metadata.packages.iter().filter_map(|package| {
        let from = match &package.source {
            Some(source) if source.is_crates_io() => return None,
            None if metadata.workspace_members.contains(&package.id) => return None,
            Some(source) => source.repr.as_str(),
            None => "a folder outside the workspace",
        };
        Some(format!(
            "{} comes from {from}, not from crates.io",
            named(package)
        ))
    }))
}

/// The licences that deny.toml allows.
struct Allowed {
    everywhere: Vec<Licensee>,
    /// More of them for single packages, by name.
    exceptions: Vec<(String, Vec<Licensee>)>,
}

impl Allowed {
    fn read(deny_toml: &str) -> Result<Self> {
        let deny: toml::Table = toml::from_str(deny_toml)?;
        let licenses = deny
            .get("licenses")
            .and_then(toml::Value::as_table)
            .context("deny.toml has no section [licenses]")?;
        let exceptions = licenses.get("exceptions").and_then(toml::Value::as_array);
        let exception = |entry: &toml::Value| {
            let entry = entry
                .as_table()
                .context("an exception in deny.toml is not a table")?;
            let package = entry
                .get("crate")
                .and_then(toml::Value::as_str)
                .context("an exception in deny.toml has no `crate`")?;
            Ok((package.to_owned(), licensees(entry)?))
        };
        Ok(Self {
            everywhere: licensees(licenses)?,
            exceptions: exceptions
                .into_iter()
                .flatten()
                .map(exception)
                .collect::<Result<_>>()?,
        })
    }

    fn of(&self, package: &str) -> impl Iterator<Item = &Licensee> {
        let exceptions = self
            .exceptions
            .iter()
            .filter(move |(excepted, _)| excepted == package);
        self.everywhere
            .iter()
            .chain(exceptions.flat_map(|(_, licences)| licences))
    }
}

/// What stands in the list `allow`.
fn licensees(table: &toml::Table) -> Result<Vec<Licensee>> {
    let allowed = table
        .get("allow")
        .and_then(toml::Value::as_array)
        .context("deny.toml has no list `allow` where there should be one")?;
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

fn licence_problem(package: &str, expression: Option<&str>, allowed: &Allowed) -> Option<String> {
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
    let is_allowed = expression.evaluate(|requirement| {
        allowed
            .of(package)
            .any(|licence| licence.satisfies(requirement))
    });
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

    const DENY: &str = r#"
[licenses]
allow = ["MIT", "Apache-2.0", "Unicode-3.0"]
exceptions = [{ crate = "peer", allow = ["MPL-2.0"] }]
"#;

    fn check(expression: Option<&str>, expected: Option<&str>) {
        check_of("anything", expression, expected);
    }

    fn check_of(package: &str, expression: Option<&str>, expected: Option<&str>) {
        let allowed = Allowed::read(DENY).unwrap();
        assert_eq!(
            licence_problem(package, expression, &allowed).as_deref(),
            expected
        );
    }

    #[test]
    fn an_exception_is_for_one_package() {
        check_of("peer", Some("MPL-2.0"), None);
        check_of("peer", Some("MIT"), None);
        check_of(
            "anything",
            Some("MPL-2.0"),
            Some("its licence \"MPL-2.0\" is not allowed by deny.toml"),
        );
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
    fn a_licence_with_an_addition_is_another_one() {
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
    fn a_deny_toml_without_the_lists_is_an_error() {
        for deny_toml in [
            "",
            "[licenses]\n",
            "[licenses]\nallow = [\"My Licence\"]",
            "[licenses]\nallow = []\nexceptions = [{ allow = [\"MIT\"] }]",
            "[licenses]\nallow = []\nexceptions = [{ crate = \"peer\" }]",
        ] {
            assert!(Allowed::read(deny_toml).is_err(), "{deny_toml}");
        }
    }
}
