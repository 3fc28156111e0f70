//! Ranges for services by what they are, not by their framework, one set per environment.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Name, PortRange};

/// The environment with the most room: a developer's machine.
pub const DEVELOPMENT: &str = "development";
/// The environment of servers.
pub const PRODUCTION: &str = "production";
/// The kind of services that run in containers.
pub const CONTAINER: &str = "container";

const BUILTIN: &[(&str, &str, PortRange)] = &[
    (DEVELOPMENT, "webServer", PortRange::literal(5000, 5100)),
    (DEVELOPMENT, "apiServer", PortRange::literal(3000, 3100)),
    (DEVELOPMENT, "viteHmr", PortRange::literal(24678, 24778)),
    (DEVELOPMENT, CONTAINER, PortRange::literal(32100, 32200)),
    (PRODUCTION, "webServer", PortRange::literal(5000, 5010)),
    (PRODUCTION, "apiServer", PortRange::literal(3000, 3010)),
    (PRODUCTION, CONTAINER, PortRange::literal(32100, 32200)),
];

/// The range of a kind of service in one environment.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preset {
    /// The environment, such as `development`.
    pub profile: Name,
    /// The kind of service, such as `webServer`.
    pub service: Name,
    /// Its ports. The first is the default.
    pub range: PortRange,
}

/// The table of presets, which users override and extend.
///
/// ```
/// use portlease_core::{DEVELOPMENT, PRODUCTION, PortRange, Presets};
///
/// let presets = Presets::builtin();
/// assert_eq!(presets.get(DEVELOPMENT, "webServer"), Some(PortRange::literal(5000, 5100)));
/// assert_eq!(presets.get(PRODUCTION, "webServer"), Some(PortRange::literal(5000, 5010)));
/// assert_eq!(presets.get(PRODUCTION, "viteHmr"), None);
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Presets {
    presets: Vec<Preset>,
}

impl Presets {
    /// The presets that are known without any configuration.
    #[must_use]
    pub fn builtin() -> Self {
        let preset = |&(profile, service, range): &(&str, &str, PortRange)| Preset {
            profile: Name::literal(profile),
            service: Name::literal(service),
            range,
        };
        Self {
            presets: BUILTIN.iter().map(preset).collect(),
        }
    }

    /// The range of a kind of service in an environment.
    #[must_use]
    pub fn get(&self, profile: &str, service: &str) -> Option<PortRange> {
        let matches = |preset: &&Preset| &*preset.profile == profile && &*preset.service == service;
        self.presets.iter().find(matches).map(|preset| preset.range)
    }

    /// Adds a preset, in place of the one for the same environment and service.
    pub fn define(&mut self, preset: Preset) {
        self.presets
            .retain(|known| known.profile != preset.profile || known.service != preset.service);
        self.presets.push(preset);
    }

    /// All presets.
    pub fn iter(&self) -> impl Iterator<Item = &Preset> {
        self.presets.iter()
    }
}

impl Default for Presets {
    fn default() -> Self {
        Self::builtin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(presets: &Presets, profile: &str, service: &str, range: Option<(u16, u16)>) {
        let expected = range.map(|(first, last)| PortRange::literal(first, last));
        assert_eq!(
            presets.get(profile, service),
            expected,
            "{profile} {service}"
        );
    }

    #[test]
    fn the_promised_ranges() {
        let presets = Presets::builtin();
        check(&presets, "development", "webServer", Some((5000, 5100)));
        check(&presets, "development", "apiServer", Some((3000, 3100)));
        check(&presets, "development", "viteHmr", Some((24678, 24778)));
        check(&presets, "production", "webServer", Some((5000, 5010)));
        check(&presets, "production", "apiServer", Some((3000, 3010)));
        check(&presets, "production", "viteHmr", None);
        check(&presets, "staging", "webServer", None);
        check(&presets, "development", "container", Some((32100, 32200)));
        check(&presets, "production", "container", Some((32100, 32200)));
    }

    #[test]
    fn users_override_and_extend() {
        let mut presets = Presets::builtin();
        let own = |profile, range| Preset {
            profile: Name::literal(profile),
            service: Name::literal("webServer"),
            range,
        };
        presets.define(own("development", PortRange::literal(7001, 7009)));
        presets.define(own("staging", PortRange::literal(6100, 6110)));
        check(&presets, "development", "webServer", Some((7001, 7009)));
        check(&presets, "development", "apiServer", Some((3000, 3100)));
        check(&presets, "staging", "webServer", Some((6100, 6110)));
        assert_eq!(presets.iter().count(), 8);
    }
}
