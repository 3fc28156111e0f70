//! The arrows between the crates: who may depend on whom, and which outside crates stay out of where.
//!
//! Everything here is about the crates as cargo resolved them with all features, for all platforms.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, PackageId};

/// Where a workspace crate stands.
enum Place {
    /// It may depend on these workspace crates and no others, in its own tests as well: a test that needs more than one
    /// layer lives in `tests/`.
    Layer(&'static [&'static str]),
    /// It may depend on any workspace crate that is a layer, and none may depend on it.
    Outside,
}

const PLACES: &[(&str, Place)] = &[
    ("portlease-core", Place::Layer(&[])),
    ("portlease-sqlite", Place::Layer(&["portlease-core"])),
    ("portlease-postgres", Place::Layer(&["portlease-core"])),
    ("portlease-probe", Place::Layer(&["portlease-core"])),
    ("portlease-containers", Place::Layer(&["portlease-core"])),
    (
        "portlease",
        Place::Layer(&[
            "portlease-core",
            "portlease-sqlite",
            "portlease-postgres",
            "portlease-probe",
            "portlease-containers",
        ]),
    ),
    ("portlease-server", Place::Layer(&["portlease"])),
    (
        "portlease-cli",
        Place::Layer(&["portlease", "portlease-server"]),
    ),
    (
        "portlease-node",
        Place::Layer(&["portlease", "portlease-cli"]),
    ),
    ("portlease-launcher", Place::Layer(&[])),
    ("portlease-wasm", Place::Layer(&["portlease-core"])),
    ("portlease-tests", Place::Outside),
    ("xtask", Place::Outside),
];

/// Outside crates that a workspace crate must not contain, however many steps away.
const UNREACHABLE: &[(&str, &[&str])] = &[(
    "tokio",
    &["portlease-core", "portlease-sqlite", "portlease-probe"],
)];

/// Outside crates that only one workspace crate may name, because only a binding converts between languages.
const CONFINED: &[(&str, &str)] = &[
    ("napi", "portlease-node"),
    ("napi-build", "portlease-node"),
    ("napi-derive", "portlease-node"),
    ("js-sys", "portlease-wasm"),
    ("wasm-bindgen", "portlease-wasm"),
    ("web-sys", "portlease-wasm"),
];

/// All that the core may name outside its tests: each line more is a line more in every binding and every proof.
const CORE: &str = "portlease-core";
const CORE_MAY_USE: &[&str] = &[
    "hashbrown",
    // Random histories, for the laws that every store is tested by, and in nothing that is shipped.
    "proptest",
    "proptest-state-machine",
    // As ts-rs, it says what the values are in another language, and only where that is written down or served.
    "schemars",
    "serde",
    "serde_json",
    "thiserror",
    "ts-rs",
];

/// Checks the workspace as cargo sees it.
pub(crate) fn check(metadata: &Metadata) -> Result<()> {
    let problems = problems(&graph(metadata)?);
    if !problems.is_empty() {
        bail!(problems.join("\n"));
    }
    Ok(())
}

/// The packages by name. Versions of one package are seen as one, which can only make the check stricter.
type Graph = BTreeMap<String, Package>;

#[derive(Default)]
struct Package {
    is_member: bool,
    /// What is built into it or for it.
    uses: BTreeSet<String>,
    /// What only its tests are built with.
    tests_with: BTreeSet<String>,
}

fn graph(metadata: &Metadata) -> Result<Graph> {
    let name = |id: &PackageId| metadata[id].name.to_string();
    let resolve = metadata
        .resolve
        .as_ref()
        .context("cargo metadata resolved nothing")?;
    let mut graph = Graph::new();
    for node in &resolve.nodes {
        let package = graph.entry(name(&node.id)).or_default();
        package.is_member |= metadata.workspace_members.contains(&node.id);
        for dependency in &node.deps {
            for kind in &dependency.dep_kinds {
                let names = match kind.kind {
                    DependencyKind::Development => &mut package.tests_with,
                    _ => &mut package.uses,
                };
                names.insert(name(&dependency.pkg));
            }
        }
    }
    Ok(graph)
}

fn problems(graph: &Graph) -> Vec<String> {
    let members = || graph.iter().filter(|(_, package)| package.is_member);
    members()
        .flat_map(|(name, package)| wrong_arrows(name, package, graph))
        .chain(members().flat_map(|(name, package)| strays(name, package)))
        .chain(UNREACHABLE.iter().flat_map(|(banned, from)| {
            from.iter()
                .filter_map(|start| forbidden_path(start, banned, graph))
        }))
        .collect()
}

fn place(name: &str) -> Option<&'static Place> {
    PLACES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, place)| place)
}

fn wrong_arrows(name: &str, package: &Package, graph: &Graph) -> Vec<String> {
    let Some(place) = place(name) else {
        return vec![format!(
            "{name} has no place in the workspace: add it to PLACES in crates/xtask/src/arrows.rs"
        )];
    };
    let is_allowed = |target: &str| match place {
        Place::Layer(allowed) => allowed.contains(&target),
        Place::Outside => !matches!(self::place(target), Some(Place::Outside)),
    };
    let is_member = |target: &str| graph.get(target).is_some_and(|package| package.is_member);
    package
        .uses
        .union(&package.tests_with)
        // A crate may name itself among its test dependencies, to switch on features for its tests.
        .filter(|target| *target != name && is_member(target) && !is_allowed(target))
        .map(|target| format!("{name} must not depend on {target}"))
        .collect()
}

fn strays(name: &str, package: &Package) -> Vec<String> {
    let confined = CONFINED
        .iter()
        .filter(|(crate_name, home)| {
            *home != name
                && (package.uses.contains(*crate_name) || package.tests_with.contains(*crate_name))
        })
        .map(|(crate_name, home)| format!("{name} must not name {crate_name}: only {home} may"));
    let too_much = package
        .uses
        .iter()
        .filter(|used| name == CORE && !CORE_MAY_USE.contains(&used.as_str()))
        .map(|used| format!("{CORE} must not use {used}: it is not in CORE_MAY_USE"));
    confined.chain(too_much).collect()
}

/// The shortest way from a workspace crate to a crate that it must not contain.
fn forbidden_path(start: &str, banned: &str, graph: &Graph) -> Option<String> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(name) = queue.pop_front() {
        if name == banned {
            let mut path = vec![name];
            while let Some(previous) = came_from.get(path[path.len() - 1]) {
                path.push(previous);
            }
            path.reverse();
            return Some(format!(
                "{start} must not contain {banned}: {}",
                path.join(" -> ")
            ));
        }
        for used in graph
            .get(name)
            .into_iter()
            .flat_map(|package| &package.uses)
        {
            if used != start && !came_from.contains_key(used.as_str()) {
                came_from.insert(used.as_str(), name);
                queue.push_back(used);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line is a package with what it depends on, as in `workspace portlease-core: serde, dev proptest`.
    fn check(packages: &str, expected: &[&str]) {
        let mut graph = Graph::new();
        for line in packages
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let (package, dependencies) = line.split_once(':').unwrap();
            let (origin, name) = package.split_once(' ').unwrap();
            let package = graph.entry(name.to_owned()).or_default();
            package.is_member = origin == "workspace";
            for dependency in dependencies
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                match dependency.strip_prefix("dev ") {
                    Some(name) => package.tests_with.insert(name.to_owned()),
                    None => package.uses.insert(dependency.to_owned()),
                };
            }
        }
        assert_eq!(problems(&graph), expected);
    }

    #[test]
    fn the_layers_of_the_design_are_fine() {
        check(
            "workspace portlease-core: serde, thiserror, hashbrown, dev proptest, dev portlease-core
             workspace portlease-sqlite: portlease-core
             workspace portlease-postgres: portlease-core, tokio
             workspace portlease-probe: portlease-core
             workspace portlease-containers: portlease-core
             workspace portlease: portlease-core, portlease-sqlite, portlease-postgres, portlease-probe, portlease-containers
             workspace portlease-server: portlease, tokio
             workspace portlease-cli: portlease, portlease-server
             workspace portlease-node: portlease, portlease-cli, napi
             workspace portlease-launcher: libloading
             workspace portlease-wasm: portlease-core, wasm-bindgen
             workspace portlease-tests: portlease, portlease-core, tokio
             workspace xtask: anyhow",
            &[],
        );
    }

    #[test]
    fn the_core_depends_on_no_workspace_crate() {
        check(
            "workspace portlease-core: portlease-sqlite
             workspace portlease-sqlite: portlease-core",
            &[
                "portlease-core must not depend on portlease-sqlite",
                "portlease-core must not use portlease-sqlite: it is not in CORE_MAY_USE",
            ],
        );
    }

    #[test]
    fn layers_beside_each_other_do_not_meet_even_in_tests() {
        check(
            "workspace portlease-probe: portlease-core, dev portlease-sqlite
             workspace portlease-sqlite: portlease-core
             workspace portlease-core:",
            &["portlease-probe must not depend on portlease-sqlite"],
        );
    }

    #[test]
    fn the_command_line_does_not_reach_around_the_library() {
        check(
            "workspace portlease-cli: portlease-core
             workspace portlease-core:",
            &["portlease-cli must not depend on portlease-core"],
        );
    }

    #[test]
    fn nothing_depends_on_the_harnesses_or_on_xtask() {
        check(
            "workspace portlease-cli: portlease-tests
             workspace portlease-tests: xtask
             workspace xtask: portlease-tests",
            &[
                "portlease-cli must not depend on portlease-tests",
                "portlease-tests must not depend on xtask",
                "xtask must not depend on portlease-tests",
            ],
        );
    }

    #[test]
    fn an_unknown_crate_is_told_where_to_go() {
        check(
            "workspace portlease-moon: serde",
            &[
                "portlease-moon has no place in the workspace: add it to PLACES in crates/xtask/src/arrows.rs",
            ],
        );
    }

    #[test]
    fn tokio_is_found_behind_other_crates() {
        check(
            "workspace portlease-sqlite: pool
             external pool: helper
             external helper: pool, tokio
             external tokio:",
            &[
                "portlease-sqlite must not contain tokio: portlease-sqlite -> pool -> helper -> tokio",
            ],
        );
    }

    #[test]
    fn tokio_in_tests_is_not_contained() {
        check("workspace portlease-probe: dev tokio\nexternal tokio:", &[]);
    }

    #[test]
    fn napi_and_wasm_bindgen_stay_in_their_bindings() {
        check(
            "workspace portlease: napi
             workspace portlease-node: napi, wasm-bindgen
             workspace portlease-tests: dev wasm-bindgen",
            &[
                "portlease must not name napi: only portlease-node may",
                "portlease-node must not name wasm-bindgen: only portlease-wasm may",
                "portlease-tests must not name wasm-bindgen: only portlease-wasm may",
            ],
        );
    }

    #[test]
    fn wasm_bindgen_behind_another_crate_is_that_crates_business() {
        check(
            "workspace portlease: clock
             external clock: wasm-bindgen",
            &[],
        );
    }

    #[test]
    fn the_core_uses_only_what_is_listed() {
        check(
            "workspace portlease-core: serde, rand, dev serde_json",
            &["portlease-core must not use rand: it is not in CORE_MAY_USE"],
        );
    }
}
