//! Writes the files that follow from the code, or says which of them are out of date.

mod typescript;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use portlease_core::{Catalog, Framework, Presets};
use portlease_tests::vectors;

/// Writes the files that follow from the code.
#[derive(Parser)]
struct Arguments {
    /// Write nothing; fail when a file is not what it would be
    #[arg(long)]
    check: bool,
}

/// Each file below the root of the workspace, and what makes it.
const FILES: &[(&str, Maker)] = &[
    ("docs/frameworks.md", frameworks),
    ("crates/portlease-cli/portlease.schema.json", schema),
    ("crates/portlease-server/openapi.json", openapi),
    ("npm/portlease/types.d.ts", typescript::types),
];
type Maker = fn() -> String;

fn main() -> io::Result<ExitCode> {
    let Arguments { check } = Arguments::parse();
    let mut outdated = 0;
    let files = FILES
        .iter()
        .map(|(name, make)| ((*name).to_owned(), make()));
    let vectors = vectors::files().into_iter();
    let vectors = vectors.map(|(name, text)| (format!("tests/vectors/{name}"), text));
    for (name, text) in files.chain(vectors) {
        let path = root().join(&name);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        if check {
            println!("{name} is out of date: run `cargo xtask generate` and commit it");
            outdated += 1;
        } else {
            fs::write(&path, text)?;
            println!("wrote {name}");
        }
    }
    Ok(if outdated == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn root() -> PathBuf {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// What editors know about `portlease.toml`.
fn schema() -> String {
    format!("{:#}\n", portlease::config::schema())
}

/// What the HTTP service answers.
fn openapi() -> String {
    format!("{:#}\n", portlease_server::openapi())
}

/// The catalogue for readers.
fn frameworks() -> String {
    let mut page = String::from(
        "<!-- Generated from crates/portlease-core/src/catalog.rs and presets.rs by `cargo xtask generate`. -->\n\n\
         # Which ports a project gets\n\n\
         A project gets its framework's default port when that is free, the next free one of the range otherwise, and the\n\
         same one again the next time.\n\n\
         | framework | name | also | default | range |\n|---|---|---|---|---|\n",
    );
    for Framework {
        name,
        title,
        range,
        default,
        aliases,
    } in Catalog::builtin().iter()
    {
        let title = title.as_ref().unwrap_or(name);
        let aliases: Vec<String> = aliases.iter().map(|alias| format!("`{alias}`")).collect();
        writeln!(
            page,
            "| {title} | `{name}` | {} | {default} | {range} |",
            aliases.join(", ")
        )
        .expect("text grows");
    }
    page.push_str("\n## Services by kind\n\n| environment | service | range |\n|---|---|---|\n");
    for preset in Presets::builtin().iter() {
        writeln!(
            page,
            "| {} | `{}` | {} |",
            preset.profile, preset.service, preset.range
        )
        .expect("text grows");
    }
    page
}
