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

use self::build::DISTRIBUTED;
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
    for platform in wanted.named()? {
        let built = build::for_platform(platform)?;
        archives.push(pack::platform(platform, &built, &folder)?);
    }
    if wanted.is_for_this_machine() {
        archives.push(pack_this_machine(DISTRIBUTED, &folder)?);
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

/// Packs what the gate tests. It is compiled as the harnesses are, whose crates are compiled already; a build as it is
/// distributed would take the gate minutes more, and would be the same code.
pub(crate) fn pack_for_gate() -> Result<PathBuf> {
    let folder = new_folder("npm-gate")?;
    pack::package(&folder)?;
    pack_this_machine("harness", &folder)?;
    Ok(folder)
}

/// Installs the packages in a folder into a fresh project and tests them there.
pub(crate) fn test(folder: &Path) -> Result<Tally> {
    let script = Path::new("tests/packed/run.mjs");
    count::tests(program("node").arg(script).arg(folder))
}

impl Wanted {
    fn is_for_this_machine(&self) -> bool {
        !self.all && self.platforms.is_empty()
    }

    /// The platforms that are built as they are distributed. Those that this machine has no means for are told and left out,
    /// unless somebody asked for them by name.
    fn named(&self) -> Result<Vec<&'static Platform>> {
        if !self.all {
            return self
                .platforms
                .iter()
                .map(|name| Platform::named(name))
                .collect();
        }
        let can_be_built = |platform: &&Platform| match build::refusal(platform) {
            Some(refusal) => {
                println!("{refusal}");
                false
            }
            None => true,
        };
        Ok(PLATFORMS.iter().filter(can_be_built).collect())
    }
}

fn pack_this_machine(profile: &str, folder: &Path) -> Result<pack::Archive> {
    let platform = Platform::of_this_machine()?;
    let built = build::for_this_machine(platform, profile)?;
    pack::platform(platform, &built, folder)
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
