//! Named parts of the ports that belong to one team each.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Name, Port, PortRange, PortSet};

/// A named part of the ports.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Whose part it is, a team's for instance.
    pub name: Name,
    /// The ports of the pool.
    pub range: PortRange,
}

/// Pools that share no port. Overlapping ones cannot be put together.
///
/// Whoever asks for a pool gets ports of that pool; whoever asks for none gets ports of none.
///
/// ```
/// use portlease_core::{Name, Pool, PortRange, Pools};
///
/// let pool = |name, first, last| Pool { name: Name::literal(name), range: PortRange::literal(first, last) };
/// assert!(Pools::new(vec![pool("red", 3000, 3033), pool("blue", 3034, 3066)]).is_ok());
///
/// let overlap = Pools::new(vec![pool("red", 3000, 3033), pool("blue", 3033, 3066)]).unwrap_err();
/// assert_eq!(overlap.to_string(), "pools red (3000–3033) and blue (3033–3066) overlap: a port belongs to one pool");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Pool>", into = "Vec<Pool>")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "Vec<Pool>")
)]
pub struct Pools {
    pools: Vec<Pool>,
}

/// Why pools cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPools {
    /// Two pools share ports.
    #[error("pools {} ({}) and {} ({}) overlap: a port belongs to one pool", .0.name, .0.range, .1.name, .1.range)]
    Overlap(Pool, Pool),
    /// Two pools have one name.
    #[error("two pools are named {0}: give each pool a name of its own")]
    SameName(Name),
}

impl Pools {
    /// Puts pools together.
    ///
    /// # Errors
    ///
    /// When two of them share a port or a name.
    pub fn new(pools: Vec<Pool>) -> Result<Self, InvalidPools> {
        for (index, pool) in pools.iter().enumerate() {
            for earlier in &pools[..index] {
                if earlier.name == pool.name {
                    return Err(InvalidPools::SameName(pool.name.clone()));
                }
                if earlier.range.intersection(pool.range).is_some() {
                    return Err(InvalidPools::Overlap(earlier.clone(), pool.clone()));
                }
            }
        }
        Ok(Self { pools })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pools.is_empty()
    }

    /// The pool of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| &*pool.name == name)
    }

    /// The pool that the port belongs to.
    #[must_use]
    pub fn owner(&self, port: Port) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.range.contains(port))
    }

    /// All pools.
    pub fn iter(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter()
    }

    /// The ports that are closed to a request that names this pool, or none.
    pub(crate) fn closed_to(&self, pool: Option<&Pool>) -> PortSet {
        match pool {
            Some(pool) => {
                let mut others = PortSet::from(PortRange::ALL);
                others -= &PortSet::from(pool.range);
                others
            }
            None => self.pools.iter().map(|pool| pool.range).collect(),
        }
    }
}

impl TryFrom<Vec<Pool>> for Pools {
    type Error = InvalidPools;

    fn try_from(pools: Vec<Pool>) -> Result<Self, InvalidPools> {
        Self::new(pools)
    }
}

impl From<Pools> for Vec<Pool> {
    fn from(pools: Pools) -> Self {
        pools.pools
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Result<usize, &str>) {
        let pools = serde_json::from_str::<Pools>(json).map(|pools| pools.iter().count());
        match (pools, expected) {
            (Ok(count), Ok(expected)) => assert_eq!(count, expected, "{json}"),
            (Err(error), Err(part)) => assert!(alloc::format!("{error}").contains(part), "{error}"),
            (pools, expected) => panic!("{json}: {pools:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn overlaps_and_equal_names_are_refused_when_read() {
        check(
            r#"[{"name":"red","range":[3000,3033]},{"name":"blue","range":[3034,3066]}]"#,
            Ok(2),
        );
        check(
            r#"[{"name":"red","range":[3000,3033]},{"name":"blue","range":[3033,3066]}]"#,
            Err("overlap"),
        );
        check(
            r#"[{"name":"red","range":[1,2]},{"name":"red","range":[3,4]}]"#,
            Err("two pools are named red"),
        );
        check("[]", Ok(0));
    }

    #[test]
    fn a_port_is_closed_to_everybody_but_its_pool() {
        let pool = |name, first, last| Pool {
            name: Name::literal(name),
            range: PortRange::literal(first, last),
        };
        let pools = Pools::new(alloc::vec![pool("red", 10, 19), pool("blue", 20, 29)]).unwrap();
        assert_eq!(
            pools.closed_to(None),
            PortSet::from(PortRange::literal(10, 29))
        );
        let red = pools.closed_to(pools.get("red"));
        assert_eq!(
            red.ranges().collect::<Vec<_>>(),
            [PortRange::literal(1, 9), PortRange::literal(20, 65535)]
        );
        assert_eq!(
            pools.owner(Port::literal(29)).unwrap().name,
            Name::literal("blue")
        );
        assert_eq!(pools.owner(Port::literal(30)), None);
    }
}
