//! What `cargo xtask bench node` measures: the package as it is distributed, and its peers, installed as npm does.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::build::{self, Linker};
use super::platforms::Platform;
use super::{new_folder, pack};
use crate::process::{npm, root, run_quietly};

/// Builds and installs everything; answers the folder.
pub(crate) fn install() -> Result<PathBuf> {
    println!("building and installing what is measured");
    let folder = new_folder("npm-bench")?;
    pack::package(&folder)?;
    let platform = Platform::of_this_machine()?;
    let built = build::distributed(platform, Linker::OfTheSystem)?;
    pack::platform(platform, &built, &folder)?;
    let peers = root().join("tests/peers/package.json");
    let peers: Value = serde_json::from_str(&fs::read_to_string(peers)?)?;
    let mut dependencies = peers["dependencies"].clone();
    for name in ["portlease", &platform.package()] {
        dependencies[name] = format!("file:{}", archive(&folder, name)?).into();
    }
    let manifest = json!({"private": true, "type": "module", "dependencies": dependencies});
    fs::write(folder.join("package.json"), manifest.to_string())?;
    let flags = [
        "install",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--no-package-lock",
    ];
    run_quietly(npm(flags).current_dir(&folder))?;
    Ok(folder)
}

/// The name of the archive of a package, which ends with its version.
fn archive(folder: &std::path::Path, package: &str) -> Result<String> {
    let beginning = format!("{}-", package.replace('@', "").replace('/', "-"));
    let mut names = fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            let rest = name.strip_prefix(&beginning);
            rest.is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
        });
    names
        .next()
        .with_context(|| format!("{package} was not packed"))
}
