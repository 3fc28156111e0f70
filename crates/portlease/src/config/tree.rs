//! What the layers of a configuration say, before it is known what it means: values with their origins.

use indexmap::IndexMap;

use super::origin::Origin;

/// A value and who said it.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// The text of a variable or a flag. The key that it is for tells whether it means a number.
    Said(String),
    List(Vec<Node>),
    Table(Table),
    /// What JSON writes as `null`.
    Null,
    /// A kind of value that no key takes.
    Other(&'static str),
}

/// Keys with their values, in the order in which they were written.
pub(crate) type Table = IndexMap<String, Entry>;

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Where the key stands.
    pub(crate) key: Origin,
    pub(crate) node: Node,
}

/// A service says in one of these ways where its ports are, so one of them overrules all below.
pub(crate) const RANGES: [&str; 4] = ["range", "basePort", "maxPort", "preset"];

impl Node {
    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The entry at the end of a path of keys.
    pub(crate) fn find(&self, path: &[&str]) -> Option<&Entry> {
        let (first, rest) = path.split_first()?;
        let entry = self.table()?.get(*first)?;
        if rest.is_empty() {
            Some(entry)
        } else {
            entry.node.find(rest)
        }
    }

    /// Who said what stands at the end of the path, or at least the last part of it that stands there.
    pub(crate) fn origin_of(&self, path: &[&str]) -> &Origin {
        let entry = (1..=path.len())
            .rev()
            .find_map(|end| self.find(&path[..end]));
        entry.map_or(&self.origin, |entry| &entry.node.origin)
    }

    /// This, overruled by another layer: tables key by key, everything else as a whole.
    pub(crate) fn overruled_by(self, upper: Self) -> Self {
        self.merged(upper, Level::Root)
    }

    fn merged(mut self, upper: Self, level: Level) -> Self {
        match (&mut self.value, upper.value) {
            (Value::Table(lower), Value::Table(upper)) => merge(lower, upper, level),
            (lower, upper_value) => {
                *lower = upper_value;
                self.origin = upper.origin;
            }
        }
        self
    }
}

/// What the keys of a table are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Services,
    Service,
    Other,
}

impl Level {
    fn below(self, key: &str) -> Self {
        match self {
            Self::Root if key == "services" => Self::Services,
            Self::Services => Self::Service,
            _ => Self::Other,
        }
    }
}

fn merge(lower: &mut Table, upper: Table, level: Level) {
    let says_where = RANGES.iter().any(|key| upper.contains_key(*key));
    if level == Level::Service && says_where {
        lower.retain(|key, _| !RANGES.contains(&key.as_str()));
    }
    for (name, mut entry) in upper {
        if let Some(below) = lower.get_mut(&name) {
            let nothing = Node {
                value: Value::Other("nothing"),
                origin: Origin::Default,
            };
            let below = std::mem::replace(&mut below.node, nothing);
            entry.node = below.merged(entry.node, level.below(&name));
        }
        lower.insert(name, entry);
    }
}
