//! What the packages say of themselves in their package.json.

use std::env;

use anyhow::{Context as _, Result};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::platforms::{PLATFORMS, Platform};

/// The version of everything in the workspace, which the packages have as well.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The keys of a package.json in their order, which Node.js and TypeScript go by when they choose among `exports`; the values
/// as they were written.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Manifest(IndexMap<String, Box<RawValue>>);

impl Manifest {
    /// The main package as it is published: `committed`, without what is for those who work on it, with the version and with
    /// one package for each platform, of which npm takes the one that fits.
    pub(crate) fn of_package(committed: &str) -> Result<Self> {
        let mut manifest: Self = serde_json::from_str(committed)?;
        for for_developers in ["private", "scripts", "devDependencies"] {
            manifest.0.shift_remove(for_developers);
        }
        manifest.set("version", &VERSION)?;
        manifest.set_repository()?;
        let platforms: IndexMap<String, &str> = PLATFORMS
            .iter()
            .map(|platform| (platform.package(), VERSION))
            .collect();
        manifest.set("optionalDependencies", &platforms)?;
        Ok(manifest)
    }

    /// The package of a platform. What it shares with the main package, which is `committed`, it takes from there.
    pub(crate) fn of_platform(platform: &Platform, committed: &str) -> Result<Self> {
        let package: Self = serde_json::from_str(committed)?;
        let mut manifest = Self(IndexMap::new());
        manifest.set("name", &platform.package())?;
        manifest.set("version", &VERSION)?;
        manifest.set("description", &description(platform))?;
        for shared in ["license", "engines"] {
            let value = package.0.get(shared);
            manifest.set(shared, value.with_context(|| missing(shared))?)?;
        }
        manifest.set_repository()?;
        manifest.set("os", &[platform.os])?;
        manifest.set("cpu", &[platform.cpu])?;
        if let Some(libc) = platform.libc {
            manifest.set("libc", &[libc])?;
        }
        manifest.set("main", &"portlease.node")?;
        manifest.set("files", &["portlease.node", platform.binary(), "LICENSE-*"])?;
        // Yarn keeps packages as archives, out of which no system can start a program.
        manifest.set("preferUnplugged", &true)?;
        Ok(manifest)
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Where the source is, which the provenance of a package is checked against. Only the service that publishes knows it.
    fn set_repository(&mut self) -> Result<()> {
        let (Ok(server), Ok(repository)) =
            (env::var("GITHUB_SERVER_URL"), env::var("GITHUB_REPOSITORY"))
        else {
            return Ok(());
        };
        let url = format!("git+{server}/{repository}.git");
        let repository = IndexMap::from([("type", "git"), ("url", url.as_str())]);
        self.set("repository", &repository)
    }

    fn set(&mut self, key: &str, value: &impl Serialize) -> Result<()> {
        self.0.insert(key.to_owned(), to_raw_value(value)?);
        Ok(())
    }
}

fn description(platform: &Platform) -> String {
    format!(
        "The native library and the command line of portlease for {}. Install portlease, which brings it.",
        platform.name
    )
}

fn missing(key: &str) -> String {
    format!("npm/portlease/package.json has no {key}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const COMMITTED: &str = r#"{
        "name": "portlease", "private": true, "license": "MIT OR Apache-2.0", "engines": { "node": ">=20" },
        "exports": { ".": { "types": "./a.d.ts", "import": "./a.mjs", "default": "./a.cjs" } },
        "scripts": { "build": "x" }, "devDependencies": { "typescript": "7.0.2" }
    }"#;

    fn check(manifest: &Manifest, key: &str, expected: &Value) {
        let text = manifest.text().unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(&read[key], expected, "{key} in {text}");
    }

    #[test]
    fn the_package_brings_each_platform_in_its_own_version() {
        let manifest = Manifest::of_package(COMMITTED).unwrap();
        check(&manifest, "version", &json!(VERSION));
        let mut expected = serde_json::Map::new();
        for platform in PLATFORMS {
            expected.insert(format!("@portlease/{}", platform.name), json!(VERSION));
        }
        check(&manifest, "optionalDependencies", &Value::Object(expected));
    }

    #[test]
    fn what_is_for_developers_is_not_published() {
        let manifest = Manifest::of_package(COMMITTED).unwrap();
        for key in ["private", "scripts", "devDependencies"] {
            check(&manifest, key, &Value::Null);
        }
    }

    #[test]
    fn exports_keep_the_order_in_which_they_are_tried() {
        let text = Manifest::of_package(COMMITTED).unwrap().text().unwrap();
        let place = |word: &str| text.find(word).unwrap();
        assert!(place(r#""types":"#) < place(r#""import":"#), "{text}");
        assert!(place(r#""import":"#) < place(r#""default":"#), "{text}");
    }

    #[test]
    fn npm_is_told_which_machines_a_platform_is_for() {
        let musl = Platform::named("linux-arm64-musl").unwrap();
        let manifest = Manifest::of_platform(musl, COMMITTED).unwrap();
        check(&manifest, "name", &json!("@portlease/linux-arm64-musl"));
        check(&manifest, "version", &json!(VERSION));
        check(&manifest, "os", &json!(["linux"]));
        check(&manifest, "cpu", &json!(["arm64"]));
        check(&manifest, "libc", &json!(["musl"]));
        check(&manifest, "engines", &json!({ "node": ">=20" }));
        check(
            &manifest,
            "files",
            &json!(["portlease.node", "portlease", "LICENSE-*"]),
        );
    }

    #[test]
    fn only_linux_has_a_c_library_to_tell_and_only_windows_a_suffix() {
        let windows = Platform::named("win32-x64-msvc").unwrap();
        let manifest = Manifest::of_platform(windows, COMMITTED).unwrap();
        check(&manifest, "libc", &Value::Null);
        check(
            &manifest,
            "files",
            &json!(["portlease.node", "portlease.exe", "LICENSE-*"]),
        );
    }

    #[test]
    fn a_package_without_a_licence_is_not_packed() {
        let platform = Platform::named("darwin-x64").unwrap();
        assert!(Manifest::of_platform(platform, r#"{ "engines": {} }"#).is_err());
    }
}
