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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HostSettings {
    /// The frameworks to choose from.
    pub catalog: Catalog,
    /// The kinds of services to choose from.
    pub presets: Presets,
    /// The pools.
    pub pools: Pools,
    /// Ports that are not to be used.
    pub exclude: PortSet,
}
