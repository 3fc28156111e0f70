//! The static gate: everything that can be said about the tree without running the project itself.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};

use crate::process::{cargo, root, run_quietly, succeeds};
use crate::report::Report;
use crate::{arrows, dependencies, fuzz, harness, install, systems};

/// The gate alone.
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    add_steps(&mut report);
    report.finish()
}

/// The gate as the first part of something larger.
pub(crate) fn add_steps(report: &mut Report) {
    report.quiet("format", || {
        install::rust_component("rustfmt", "fmt")?;
        // Without this rustfmt colours its differences for a terminal that is not there.
        let options = ["--check", "--", "--color", "never"];
        run_quietly(cargo(["fmt", "--all"]).args(options))?;
        run_quietly(
            cargo(["fmt", "--manifest-path"])
                .arg(fuzz::manifest())
                .args(options),
        )
    });
    report.quiet("clippy", || {
        install::rust_component("clippy", "clippy")?;
        run_quietly(&mut cargo([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "--deny",
            "warnings",
        ]))
    });
    report.quiet("clippy of fuzz targets", fuzz::clippy);
    systems::add_steps(report);
    report.quiet("documentation", || {
        // Private items are documented for whoever works here; their links must not rot either.
        run_quietly(
            cargo([
                "doc",
                "--no-deps",
                "--workspace",
                "--all-features",
                "--document-private-items",
            ])
            .env("RUSTDOCFLAGS", "--deny warnings"),
        )
    });
    report.quiet("generated files", || {
        harness::run_quietly("generate", &["--check"])
    });
    let mut metadata = None;
    report.quiet("dependency graph", || {
        metadata = Some((
            resolved(&root().join("Cargo.toml"))?,
            resolved(&fuzz::manifest())?,
        ));
        Ok(())
    });
    if let Some((project, fuzzing)) = &metadata {
        report.quiet("dependency arrows", || arrows::check(project));
        report.quiet("licences", || {
            dependencies::check_licences(project)?;
            dependencies::check_licences(fuzzing)
        });
        report.quiet("sources", || {
            dependencies::check_sources(project)?;
            dependencies::check_sources(fuzzing)
        });
    }
    if has_advisories() {
        report.quiet("advisories", || {
            run_quietly(&mut cargo([
                "deny",
                "--offline",
                "check",
                "advisories",
                "bans",
                "sources",
            ]))
        });
    } else {
        Report::note(
            "advisories",
            "cargo-deny or its database is not here; the workflow looks",
        );
    }
}

fn resolved(manifest: &Path) -> Result<Metadata> {
    Ok(MetadataCommand::new()
        .manifest_path(manifest)
        .features(CargoOpt::AllFeatures)
        .exec()?)
}

/// Whether the advisories can be read without the network: cargo-deny and a database that it fetched earlier.
fn has_advisories() -> bool {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    cargo_home.is_some_and(|home| home.join("advisory-dbs").is_dir())
        && succeeds(&mut cargo(["deny", "--version"]))
}
