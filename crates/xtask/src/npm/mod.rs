//! The npm packages: the main one, and one for each platform with all that is native.

pub(crate) mod bench;
mod build;
mod manifest;
mod pack;
mod platforms;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use self::build::Linker;
pub(crate) use self::pack::{compile_typescript, home, install_tools};
use self::platforms::{PLATFORMS, Platform};
use crate::count;
use crate::process::{program, target_dir};
use crate::report::Tally;

/// Which packages are wanted, and what is done with them.
#[derive(Args)]
pub(crate) struct Wanted {
    /// The packages of all platforms that can be built on this machine
    #[arg(long, conflicts_with = "platforms")]
    all: bool,
    /// The package of this platform, built to run on old systems too; may be given more than once
    #[arg(long = "platform", value_name = "NAME")]
    platforms: Vec<String>,
    /// Install what was packed into a fresh project and test it there
    #[arg(long)]
    test: bool,
}

/// Builds, packs and weighs the packages.
pub(crate) fn run(wanted: &Wanted) -> Result<ExitCode> {
    let folder = new_folder("npm")?;
    let mut archives = vec![pack::package(&folder)?];
    for (platform, linker) in wanted.builds()? {
        let built = build::distributed(platform, linker)?;
        archives.push(pack::platform(platform, &built, &folder)?);
    }
    pack::weigh(&archives)?;
    println!("\nThe archives are in {}", folder.display());
    if !wanted.test {
        return Ok(ExitCode::SUCCESS);
    }
    let Tally { passed, failed } = test(&folder)?;
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Packs what the gate tests.
pub(crate) fn pack_for_gate() -> Result<PathBuf> {
    let folder = new_folder("npm-gate")?;
    pack::package(&folder)?;
    let platform = Platform::of_this_machine()?;
    pack::platform(platform, &build::for_gate(platform)?, &folder)?;
    Ok(folder)
}

/// Installs the packages in a folder into a fresh project and tests them there.
pub(crate) fn test(folder: &Path) -> Result<Tally> {
    let script = Path::new("tests/packed/run.mjs");
    count::tests(program("node").arg(script).arg(folder))
}

impl Wanted {
    /// What is to be built, and how. What this machine has no means for is told and left out, unless it was asked for by name.
    fn builds(&self) -> Result<Vec<(&'static Platform, Linker)>> {
        if self.all {
            return Ok(PLATFORMS.iter().filter_map(buildable).collect());
        }
        if self.platforms.is_empty() {
            return Ok(vec![(Platform::of_this_machine()?, Linker::OfTheSystem)]);
        }
        let named = self.platforms.iter().map(|name| {
            let platform = Platform::named(name)?;
            Ok((platform, Linker::of(platform)?))
        });
        named.collect()
    }
}

fn buildable(platform: &'static Platform) -> Option<(&'static Platform, Linker)> {
    match Linker::of(platform) {
        Ok(linker) => Some((platform, linker)),
        Err(refusal) => {
            println!("{refusal}");
            None
        }
    }
}

/// A folder without the archives of an earlier version.
fn new_folder(name: &str) -> Result<PathBuf> {
    let folder = target_dir().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
