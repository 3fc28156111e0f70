//! What holds for all projects of a machine.

use serde::{Deserialize, Serialize};

use crate::{Catalog, Pools, PortSet, Presets};

/// What holds for all projects of a machine: built in, unless its configuration says otherwise.
///
/// ```
/// use portlease_core::HostSettings;
///
/// let settings: HostSettings = serde_json::from_str(r#"{"exclude": [[4000, 4010]]}"#)?;
/// assert!(settings.catalog.get("vite").is_some());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HostSettings {
    /// The frameworks to choose from.
    #[cfg_attr(
        feature = "typescript",
        ts(as = "Option<Vec<crate::Framework>>", optional)
    )]
    pub catalog: Catalog,
    /// The kinds of services to choose from.
    #[cfg_attr(
        feature = "typescript",
        ts(as = "Option<Vec<crate::Preset>>", optional)
    )]
    pub presets: Presets,
    /// The pools.
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<crate::Pool>>", optional))]
    pub pools: Pools,
    /// Ports that are not to be used.
    #[cfg_attr(feature = "typescript", ts(as = "Option<PortSet>", optional))]
    pub exclude: PortSet,
}
