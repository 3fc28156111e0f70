//! The platforms that have a package `@portlease/…`.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{program, read};

/// A platform, as Node.js, npm and Rust call it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// The name of its package within `@portlease/`, which is also what people say.
    pub(crate) name: &'static str,
    /// What Rust calls it.
    pub(crate) target: &'static str,
    /// `process.platform`.
    pub(crate) os: &'static str,
    /// `process.arch`.
    pub(crate) cpu: &'static str,
    /// The C library, where npm tells two apart.
    pub(crate) libc: Option<&'static str>,
}

/// All of them. The loader, `npm/portlease/src/platform.cts`, has the same names.
pub(crate) const PLATFORMS: &[Platform] = &[
    Platform {
        name: "linux-x64-gnu",
        target: "x86_64-unknown-linux-gnu",
        os: "linux",
        cpu: "x64",
        libc: Some("glibc"),
    },
    Platform {
        name: "linux-x64-musl",
        target: "x86_64-unknown-linux-musl",
        os: "linux",
        cpu: "x64",
        libc: Some("musl"),
    },
    Platform {
        name: "linux-arm64-gnu",
        target: "aarch64-unknown-linux-gnu",
        os: "linux",
        cpu: "arm64",
        libc: Some("glibc"),
    },
    Platform {
        name: "linux-arm64-musl",
        target: "aarch64-unknown-linux-musl",
        os: "linux",
        cpu: "arm64",
        libc: Some("musl"),
    },
    Platform {
        name: "darwin-x64",
        target: "x86_64-apple-darwin",
        os: "darwin",
        cpu: "x64",
        libc: None,
    },
    Platform {
        name: "darwin-arm64",
        target: "aarch64-apple-darwin",
        os: "darwin",
        cpu: "arm64",
        libc: None,
    },
    Platform {
        name: "win32-x64-msvc",
        target: "x86_64-pc-windows-msvc",
        os: "win32",
        cpu: "x64",
        libc: None,
    },
];

impl Platform {
    /// The platform that this is.
    pub(crate) fn of_this_machine() -> Result<&'static Self> {
        let target = host(program("rustc").args(["--version", "--verbose"]))?;
        PLATFORMS
            .iter()
            .find(|platform| platform.target == target)
            .with_context(|| {
                format!(
                    "there is no package for {target}, only for {}",
                    names().join(", ")
                )
            })
    }

    /// The platform of this name.
    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        match PLATFORMS.iter().find(|platform| platform.name == name) {
            Some(platform) => Ok(platform),
            None => bail!("{name} is no platform; there are {}", names().join(", ")),
        }
    }

    /// The name of its package.
    pub(crate) fn package(&self) -> String {
        format!("@portlease/{}", self.name)
    }

    /// The file that cargo makes of the binding.
    pub(crate) fn library(&self) -> &'static str {
        match self.os {
            "darwin" => "libportlease_node.dylib",
            "win32" => "portlease_node.dll",
            _ => "libportlease_node.so",
        }
    }

    /// The file that cargo makes of the launcher.
    pub(crate) fn launcher(&self) -> &'static str {
        match self.os {
            "win32" => "portlease-launcher.exe",
            _ => "portlease-launcher",
        }
    }

    /// What the launcher is called in the package.
    pub(crate) fn binary(&self) -> &'static str {
        match self.os {
            "win32" => "portlease.exe",
            _ => "portlease",
        }
    }
}

fn names() -> Vec<&'static str> {
    PLATFORMS.iter().map(|platform| platform.name).collect()
}

/// What the compiler that is used here compiles for when nobody says anything else.
fn host(rustc: &mut Command) -> Result<String> {
    let version = read(rustc)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not tell its host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::process::root;

    #[test]
    fn the_loader_knows_the_same_platforms() {
        let loader = fs::read_to_string(root().join("npm/portlease/src/platform.cts")).unwrap();
        let (_, list) = loader.split_once("PLATFORMS = [").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let known: BTreeSet<&str> = list
            .split(',')
            .map(|name| name.trim().trim_matches('"'))
            .filter(|name| !name.is_empty())
            .collect();
        assert_eq!(known, names().into_iter().collect());
    }

    #[test]
    fn a_name_says_what_npm_is_told() {
        for platform in PLATFORMS {
            let libc = match (platform.os, platform.libc) {
                ("linux", Some("glibc")) => "-gnu",
                ("linux", Some("musl")) => "-musl",
                ("win32", None) => "-msvc",
                ("darwin", None) => "",
                other => panic!("{other:?}"),
            };
            let name = format!("{}-{}{libc}", platform.os, platform.cpu);
            assert_eq!(platform.name, name);
            assert_eq!(Platform::named(&name).unwrap(), platform);
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let error = Platform::named("linux-riscv64-gnu")
            .unwrap_err()
            .to_string();
        assert!(error.contains("darwin-arm64, win32-x64-msvc"), "{error}");
    }
}
