//! Layers on top of each other.

use std::path::PathBuf;

use portlease_core::{DEVELOPMENT, Name};

use super::layers::Layer;
use super::tree::{Node, Value};
use super::typed::typed;
use super::{Config, ConfigError, Settings, check};
use crate::reservation;

/// What holds when each layer overrules those before it. The first one has the defaults.
pub(super) fn config(folder: PathBuf, layers: Vec<Layer>) -> Result<Config, ConfigError> {
    let whole = stacked(layers.iter().map(|layer| layer.tree.clone()));
    check::profile(&whole, &typed(&whole)?)?;
    let profile = layers
        .iter()
        .rev()
        .find_map(|layer| layer.settings.profile.clone());
    let profile = profile.unwrap_or_else(|| Name::literal(DEVELOPMENT));

    let mut declared = Vec::new();
    for layer in layers.iter().filter(|layer| layer.is_projects) {
        let settings: Settings = typed(&in_profile(layer.tree.clone(), &profile))?;
        declared.extend(settings.services.into_keys());
    }
    let tree = stacked(
        layers
            .into_iter()
            .map(|layer| in_profile(layer.tree, &profile)),
    );
    let settings: Settings = typed(&tree)?;
    let catalog = check::catalog(&tree, &settings)?;
    let presets = check::presets(&settings);
    let pools = check::pools(&tree, &settings)?;
    let known = check::Known {
        catalog: catalog.as_ref().unwrap_or(reservation::catalog()),
        presets: presets.as_ref().unwrap_or(reservation::presets()),
        profile: &profile,
    };
    check::services(&tree, &settings, &known)?;
    Ok(Config {
        folder,
        settings,
        tree,
        declared,
        catalog,
        presets,
        pools,
    })
}

fn stacked(trees: impl Iterator<Item = Node>) -> Node {
    trees
        .reduce(Node::overruled_by)
        .expect("there are defaults")
}

/// What a layer says when the profile is chosen.
fn in_profile(mut tree: Node, profile: &str) -> Node {
    let Value::Table(table) = &mut tree.value else {
        return tree;
    };
    let profiles = table.shift_remove("profiles");
    match profiles
        .as_ref()
        .and_then(|entry| entry.node.find(&[profile]))
    {
        Some(entry) => tree.overruled_by(entry.node.clone()),
        None => tree,
    }
}
