//! Making the archives that npm installs, and what they weigh.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::build::Built;
use super::manifest::Manifest;
use super::platforms::Platform;
use crate::process::{npm, read, root, run_quietly};
use crate::wasm;

/// An archive as npm made it.
pub(crate) struct Archive {
    pub(crate) package: String,
    /// Bytes to download.
    pub(crate) packed: u64,
    /// Bytes on the disk of whoever installs it.
    pub(crate) unpacked: u64,
}

/// Packs the main package: what `files` in its package.json names, with the TypeScript compiled anew.
pub(crate) fn package(folder: &Path) -> Result<Archive> {
    install_tools()?;
    let home = home();
    let stage = Stage::new(folder, "portlease")?;
    for name in ["bin", "esm", "types.d.ts", "README.md"] {
        stage.copy_all(&home.join(name), name)?;
    }
    compile_typescript(&stage.0.join("dist"))?;
    wasm::build_into(&stage.0.join("dist"))?;
    stage.pack(&Manifest::of_package(&committed()?)?, folder)
}

/// Packs what was built for a platform.
pub(crate) fn platform(platform: &Platform, built: &Built, folder: &Path) -> Result<Archive> {
    let stage = Stage::new(folder, platform.name)?;
    stage.copy_all(&built.library, "portlease.node")?;
    stage.copy_all(&built.launcher, platform.binary())?;
    let name = platform.package();
    stage.write(
        "README.md",
        &format!(
            "# {name}\n\nThe native library and the command line of portlease \
             for {}.\nInstall `portlease`; it brings this package where it fits.\n",
            platform.name
        ),
    )?;
    stage.pack(&Manifest::of_platform(platform, &committed()?)?, folder)
}

/// Installs what the main package is compiled and tested with.
pub(crate) fn install_tools() -> Result<()> {
    run_quietly(npm(["install", "--no-audit", "--no-fund", "--prefer-offline"]).current_dir(home()))
}

/// Compiles the TypeScript of the main package into a folder.
pub(crate) fn compile_typescript(dist: &Path) -> Result<()> {
    let mut compile = npm(["exec", "--", "tsc", "--project", ".", "--outDir"]);
    run_quietly(compile.arg(dist).current_dir(home()))
}

/// Where the main package is developed.
pub(crate) fn home() -> PathBuf {
    root().join("npm/portlease")
}

fn committed() -> Result<String> {
    let path = home().join("package.json");
    fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// A folder that holds what goes into one archive.
struct Stage(PathBuf);

impl Stage {
    fn new(folder: &Path, name: &str) -> Result<Self> {
        let stage = folder.join("unpacked").join(name);
        if stage.exists() {
            fs::remove_dir_all(&stage)?;
        }
        fs::create_dir_all(&stage)?;
        let stage = Self(stage);
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            stage.copy_all(&root().join(licence), licence)?;
        }
        Ok(stage)
    }

    /// Copies a file, or a folder with all that is in it.
    fn copy_all(&self, from: &Path, name: &str) -> Result<()> {
        let to = self.0.join(name);
        if from.is_dir() {
            fs::create_dir_all(&to)?;
            for entry in fs::read_dir(from)? {
                let entry = entry?;
                let name = Path::new(name).join(entry.file_name());
                self.copy_all(&entry.path(), &name.to_string_lossy())?;
            }
            return Ok(());
        }
        fs::copy(from, &to).with_context(|| format!("{} cannot be copied", from.display()))?;
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.0.join(name), text)?)
    }

    fn pack(&self, manifest: &Manifest, folder: &Path) -> Result<Archive> {
        self.write("package.json", &manifest.text()?)?;
        let mut command = npm(["pack", "--json", "--pack-destination"]);
        archive(&read(command.arg(folder).current_dir(&self.0))?)
    }
}

/// Reads what npm says about the archive that it made.
fn archive(report: &str) -> Result<Archive> {
    let report: Value = serde_json::from_str(report).context("npm reported no JSON")?;
    let report = &report[0];
    let number = |key: &str| {
        let number = report[key].as_u64();
        number.with_context(|| format!("npm reported no {key}"))
    };
    let name = report["name"].as_str().context("npm reported no name")?;
    Ok(Archive {
        package: name.to_owned(),
        packed: number("size")?,
        unpacked: number("unpackedSize")?,
    })
}

/// What the main package may weigh to download: as much as a picture on a web page.
const MOST_PACKED: u64 = 300_000;
/// What a platform package may weigh on the disk, with the service, its page and the client of the database in it.
const MOST_UNPACKED: u64 = 9_500_000;

/// Prints what the archives weigh, and refuses those that weigh too much.
pub(crate) fn weigh(archives: &[Archive]) -> Result<()> {
    println!("\n{:28}{:>12}{:>12}", "package", "packed", "unpacked");
    for archive in archives {
        let Archive {
            package,
            packed,
            unpacked,
        } = archive;
        println!(
            "{package:28}{:>12}{:>12}",
            kilobytes(*packed),
            kilobytes(*unpacked)
        );
    }
    let problems: Vec<String> = archives.iter().filter_map(too_heavy).collect();
    if !problems.is_empty() {
        bail!(problems.join("\n"));
    }
    Ok(())
}

fn too_heavy(archive: &Archive) -> Option<String> {
    let (weight, most, state) = if archive.package.starts_with('@') {
        (archive.unpacked, MOST_UNPACKED, "unpacked")
    } else {
        (archive.packed, MOST_PACKED, "packed")
    };
    (weight >= most).then(|| {
        format!(
            "{} has {} {state}, and must stay below {}",
            archive.package,
            kilobytes(weight),
            kilobytes(most)
        )
    })
}

fn kilobytes(bytes: u64) -> String {
    format!("{} kB", bytes.div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(package: &str, packed: u64, unpacked: u64, expected: Option<&str>) {
        let archive = Archive {
            package: package.to_owned(),
            packed,
            unpacked,
        };
        assert_eq!(too_heavy(&archive).as_deref(), expected);
    }

    #[test]
    fn the_main_package_is_weighed_as_it_is_downloaded() {
        check("portlease", 299_999, 9_000_000, None);
        check(
            "portlease",
            300_000,
            400_000,
            Some("portlease has 300 kB packed, and must stay below 300 kB"),
        );
    }

    #[test]
    fn a_platform_package_is_weighed_as_it_lies_on_the_disk() {
        check("@portlease/darwin-x64", 2_000_000, 9_499_999, None);
        check(
            "@portlease/darwin-x64",
            2_000_000,
            9_500_001,
            Some("@portlease/darwin-x64 has 9501 kB unpacked, and must stay below 9500 kB"),
        );
    }

    #[test]
    fn what_npm_reports_is_read() {
        let read = archive(r#"[{"name":"@portlease/x","size":12,"unpackedSize":34}]"#).unwrap();
        assert_eq!(
            (read.package.as_str(), read.packed, read.unpacked),
            ("@portlease/x", 12, 34)
        );
        assert!(archive("[]").is_err());
        assert!(archive("npm notice").is_err());
    }
}
