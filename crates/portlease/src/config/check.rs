//! What types cannot tell: whether values fit together, and whether names name something.

use indexmap::IndexMap;
use portlease_core::{
    Catalog, DEVELOPMENT, Framework, InvalidPools, Name, PRODUCTION, Pool, Pools, PortRange,
    Preset, Presets, RANGE_LEN, StoreError, check_framework,
    reading::{quoted, sentence},
};

use super::Range;
use super::error::ConfigError;
use super::origin::Origin;
use super::settings::{FrameworkSettings, ServiceSettings, Settings};
use super::tree::Node;
use crate::registry::without_password;
use crate::{Error, Registry};

/// What is said once for all profiles.
pub(super) const NOT_IN_PROFILES: [&str; 3] = ["host", "profile", "profiles"];

/// Checks what one party says, whatever others say.
pub(super) fn layer(tree: &Node, settings: &Settings) -> Result<(), ConfigError> {
    part(tree, settings)?;
    for (name, profile) in &settings.profiles {
        let Some(entry) = tree.find(&["profiles", name]) else {
            continue;
        };
        for key in NOT_IN_PROFILES {
            if let Some(entry) = entry.node.find(&[key]) {
                let message = format!("A profile cannot have the key {key:?}.");
                return Err(ConfigError::new(message).at(&entry.key));
            }
        }
        part(&entry.node, profile)?;
    }
    Ok(())
}

fn part(tree: &Node, settings: &Settings) -> Result<(), ConfigError> {
    if let Some(url) = &settings.registry {
        Registry::from_url(url).map_err(|error| {
            let error = match error {
                Error::Store(StoreError {
                    problem, remedy, ..
                }) => ConfigError::new(problem).with_help(remedy),
                _ => ConfigError::new(format!(
                    "{} names no registry.",
                    quoted(&without_password(url))
                ))
                .with_help("Write sqlite:PATH, postgres://USER@HOST/DATABASE or memory:."),
            };
            error.at(tree.origin_of(&["registry"]))
        })?;
    }
    for (name, service) in &settings.services {
        one_range(tree, name, service)?;
    }
    Ok(())
}

/// `range`, `basePort` with `maxPort`, and `preset` are three ways to say one thing.
fn one_range(tree: &Node, name: &str, service: &ServiceSettings) -> Result<(), ConfigError> {
    let ends = service.base_port.is_some() || service.max_port.is_some();
    let said = [
        ("range", service.range.is_some()),
        ("preset", service.preset.is_some()),
        (
            if service.base_port.is_some() {
                "basePort"
            } else {
                "maxPort"
            },
            ends,
        ),
    ];
    let said: Vec<&str> = said
        .iter()
        .filter(|(_, is_said)| *is_said)
        .map(|(key, _)| *key)
        .collect();
    if let [first, second, ..] = said[..] {
        let message = format!("{first:?} and {second:?} both say where the ports of {name:?} are.");
        return Err(ConfigError::new(message)
            .with_help("Keep one of them.")
            .at(key(tree, &["services", name, second])));
    }
    match (service.base_port, service.max_port) {
        (Some(base), Some(max)) if base > max => Err(ConfigError::new(format!(
            "The highest port, {max}, is below the lowest, {base}."
        ))
        .at(tree.origin_of(&["services", name, "maxPort"]))),
        _ => Ok(()),
    }
}

fn key<'a>(tree: &'a Node, path: &[&str]) -> &'a Origin {
    tree.find(path).map_or(&tree.origin, |entry| &entry.key)
}

/// Refuses a profile that nobody has heard of: with a slip of the pen nothing of it would hold.
pub(super) fn profile(tree: &Node, settings: &Settings) -> Result<(), ConfigError> {
    let Some(profile) = &settings.profile else {
        return Ok(());
    };
    let own = settings.profiles.keys().chain(settings.presets.keys());
    let known: Vec<&str> = [DEVELOPMENT, PRODUCTION]
        .into_iter()
        .chain(own.map(|name| &**name))
        .collect();
    if known.contains(&&**profile) {
        return Ok(());
    }
    Err(ConfigError::unknown("profile", profile, known).at(tree.origin_of(&["profile"])))
}

/// The frameworks, when there are others than everybody knows.
pub(super) fn catalog(tree: &Node, settings: &Settings) -> Result<Option<Catalog>, ConfigError> {
    if settings.frameworks.is_empty() {
        return Ok(None);
    }
    let mut catalog = Catalog::builtin();
    for (name, said) in &settings.frameworks {
        let framework = framework(tree, name, said, catalog.get(name))?;
        catalog.define(framework);
    }
    for framework in catalog.iter() {
        for alias in &framework.aliases {
            let found = catalog.get(alias).unwrap_or(framework);
            if found.name != framework.name {
                let path = ["frameworks", &*framework.name, "aliases"];
                let message = format!("{alias:?} is a name of {} already.", found.name);
                return Err(ConfigError::new(message).at(tree.origin_of(&path)));
            }
        }
    }
    Ok(Some(catalog))
}

fn framework(
    tree: &Node,
    name: &Name,
    said: &FrameworkSettings,
    known: Option<&Framework>,
) -> Result<Framework, ConfigError> {
    let from_default = |port| PortRange::starting_at(port, RANGE_LEN);
    let range = match (said.range, said.default, known) {
        (Some(range), ..) => range.0,
        (None, Some(port), Some(known)) if known.range.contains(port) => known.range,
        (None, Some(port), _) => from_default(port),
        (None, None, Some(known)) => known.range,
        (None, None, None) => {
            return Err(
                ConfigError::new(format!("Where are the ports of {name:?}?"))
                    .with_help("Say it by \"range\" or \"default\".")
                    .at(key(tree, &["frameworks", name])),
            );
        }
    };
    let usual = known
        .map(|known| known.default)
        .filter(|port| range.contains(*port));
    let default = said.default.or(usual).unwrap_or_else(|| range.first());
    if !range.contains(default) {
        let message = format!("Port {default} is not in the range {range}.");
        let path = ["frameworks", name, "default"];
        return Err(ConfigError::new(message).at(tree.origin_of(&path)));
    }
    let mut aliases = said.aliases.clone();
    aliases.extend(
        known
            .into_iter()
            .flat_map(|known| known.aliases.iter().cloned()),
    );
    Ok(Framework {
        // `frameworks.nextjs` is about `next`.
        name: known.map_or(name, |known| &known.name).clone(),
        title: known.and_then(|known| known.title.clone()),
        range,
        default,
        aliases,
    })
}

/// The kinds of services, when there are others than everybody knows.
pub(super) fn presets(settings: &Settings) -> Option<Presets> {
    if settings.presets.is_empty() {
        return None;
    }
    let mut presets = Presets::builtin();
    for (profile, kinds) in &settings.presets {
        for (kind, range) in kinds {
            presets.define(Preset {
                profile: profile.clone(),
                service: kind.clone(),
                range: range.0,
            });
        }
    }
    Some(presets)
}

/// The pools, which share no port.
pub(super) fn pools(tree: &Node, settings: &Settings) -> Result<Pools, ConfigError> {
    let pool = |(name, range): (&Name, &Range)| Pool {
        name: name.clone(),
        range: range.0,
    };
    let fitting = Pools::new(settings.pools.iter().map(pool).collect()).map_err(|error| {
        let (InvalidPools::Overlap(_, Pool { name, .. }) | InvalidPools::SameName(name)) = &error;
        ConfigError::new(sentence(&error.to_string())).at(tree.origin_of(&["pools", name]))
    })?;
    match &settings.pool {
        Some(pool) if fitting.get(pool).is_none() => {
            let known = settings.pools.keys().map(|name| &**name);
            Err(ConfigError::unknown("pool", pool, known).at(tree.origin_of(&["pool"])))
        }
        _ => Ok(fitting),
    }
}

/// What services can refer to.
pub(super) struct Known<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) presets: &'a Presets,
    pub(super) profile: &'a str,
}

/// Checks the names by which services refer to something.
pub(super) fn services(
    tree: &Node,
    settings: &Settings,
    known: &Known<'_>,
) -> Result<(), ConfigError> {
    let Known {
        catalog,
        presets,
        profile,
    } = known;
    for (name, service) in &settings.services {
        let origin = |key| tree.origin_of(&["services", name, key]);
        if let Some(framework) = &service.framework {
            check_framework(framework, catalog)
                .map_err(|problem| ConfigError::from(problem).at(origin("framework")))?;
        }
        if let Some(kind) = &service.preset
            && presets.get(profile, kind).is_none()
        {
            let kinds = presets.iter().filter(|preset| *preset.profile == **profile);
            let kinds = kinds.map(|preset| &*preset.service);
            let what = format!("preset for {profile} with the name");
            return Err(ConfigError::unknown(&what, kind, kinds).at(origin("preset")));
        }
        declared(&settings.services, name, service.inherit_from.as_ref())
            .map_err(|error| error.at(origin("inheritFrom")))?;
        declared(&settings.services, name, &service.conflicts)
            .map_err(|error| error.at(origin("conflicts")))?;
        straight(&settings.services, name).map_err(|error| error.at(origin("inheritFrom")))?;
    }
    Ok(())
}

/// Refuses a service that inherits from itself by way of others.
fn straight(services: &IndexMap<Name, ServiceSettings>, name: &Name) -> Result<(), ConfigError> {
    let parent = |name: &Name| services.get(name)?.inherit_from.as_ref();
    let mut way = vec![name];
    while let Some(next) = way.last().and_then(|last| parent(last)) {
        let is_back = way.contains(&next);
        way.push(next);
        if is_back {
            let way: Vec<&str> = way.iter().map(|name| &***name).collect();
            let message = format!("Services inherit in a circle: {}.", way.join(" → "));
            return Err(
                ConfigError::new(message).with_help("One of them needs a range of its own.")
            );
        }
    }
    Ok(())
}

fn declared<'a>(
    services: &IndexMap<Name, ServiceSettings>,
    service: &Name,
    names: impl IntoIterator<Item = &'a Name>,
) -> Result<(), ConfigError> {
    let is_other = |name: &Name| name != service && services.contains_key(name);
    match names.into_iter().find(|name| !is_other(name)) {
        Some(name) => {
            let others = services.keys().filter(|other| *other != service);
            Err(ConfigError::unknown(
                "other service",
                name,
                others.map(|name| &**name),
            ))
        }
        None => Ok(()),
    }
}
