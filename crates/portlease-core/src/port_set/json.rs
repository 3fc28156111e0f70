//! A set of ports in JSON: a list of ports and pairs, `[3000, [4000, 4010]]`.

use core::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{Port, PortRange, PortSet};

impl Serialize for PortSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ranges().map(Item))
    }
}

impl<'de> Deserialize<'de> for PortSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = PortSet;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of ports and ranges, such as [3000, [4000, 4010]]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<PortSet, A::Error> {
                let mut set = PortSet::new();
                while let Some(Item(range)) = items.next_element()? {
                    set.insert_range(range);
                }
                Ok(set)
            }
        }

        deserializer.deserialize_seq(Items)
    }
}

/// One entry of the list: a number when the range holds one port, a pair otherwise.
struct Item(PortRange);

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.len() == 1 {
            self.0.first().serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Item;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a port from 1 to 65535 or a pair of them")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Item, E> {
                let port = Port::try_from(number).map_err(E::custom)?;
                Ok(Item(PortRange::only(port)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, pair: A) -> Result<Item, A::Error> {
                PortRange::deserialize(de::value::SeqAccessDeserializer::new(pair)).map(Item)
            }
        }

        deserializer.deserialize_any(Either)
    }
}
