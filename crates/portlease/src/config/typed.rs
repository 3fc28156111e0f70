//! From values with origins to types. Every error gets the place of the value that it is about.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::ConfigError;
use super::origin::Origin;
use super::tree::{Entry, Node, Value};

/// Reads a value of the type.
pub(crate) fn typed<T: DeserializeOwned>(node: &Node) -> Result<T, ConfigError> {
    T::deserialize(Reader(node))
}

#[derive(Clone, Copy)]
struct Reader<'a>(&'a Node);

impl<'a> Reader<'a> {
    fn at<T>(self, result: Result<T, ConfigError>) -> Result<T, ConfigError> {
        result.map_err(|error| error.at(&self.0.origin))
    }

    /// The text of a variable or a flag, when it means a value of this type.
    fn said<T: std::str::FromStr>(self) -> Option<T> {
        match &self.0.value {
            Value::Said(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        match &self.0.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) | Value::Said(text) => visitor.visit_str(text),
            Value::List(list) => visitor.visit_seq(Elements(list.iter())),
            Value::Table(table) => {
                let entries = Entries {
                    entries: table.iter(),
                    value: None,
                };
                visitor.visit_map(entries)
            }
            Value::Null => visitor.visit_unit(),
            Value::Other(what) => Err(ConfigError::invalid_type(Unexpected::Other(what), &visitor)),
        }
    }
}

macro_rules! numbers {
    ($($method:ident $type:ty, $visit:ident;)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ConfigError> {
            let result = match self.said::<$type>() {
                Some(value) => visitor.$visit(value),
                None => self.any(visitor),
            };
            self.at(result)
        }
    )*};
}

impl<'a> Deserializer<'a> for Reader<'a> {
    type Error = ConfigError;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        self.at(self.any(visitor))
    }

    numbers! {
        deserialize_bool bool, visit_bool;
        deserialize_u16 u64, visit_u64;
        deserialize_u32 u64, visit_u64;
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        self.at(visitor.visit_some(self))
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        self.at(visitor.visit_newtype_struct(self))
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        let result = match &self.0.value {
            Value::Text(text) | Value::Said(text) => {
                let name: StrDeserializer<'_, ConfigError> = text.as_str().into_deserializer();
                visitor.visit_enum(name)
            }
            _ => Err(ConfigError::new(format!(
                "Here belongs one of {}.",
                variants.join(", ")
            ))),
        };
        self.at(result)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        // Serde would take the elements of a list for the fields, in their order.
        let result = match &self.0.value {
            Value::List(_) => Err(ConfigError::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.any(visitor),
        };
        self.at(result)
    }

    forward_to_deserialize_any! {
        <W: Visitor<'a>>
        i8 i16 i32 i64 i128 u8 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

struct Elements<'a>(std::slice::Iter<'a, Node>);

impl<'a> SeqAccess<'a> for Elements<'a> {
    type Error = ConfigError;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ConfigError> {
        self.0.next().map(|node| placed(node, seed)).transpose()
    }
}

struct Entries<'a> {
    entries: indexmap::map::Iter<'a, String, Entry>,
    value: Option<&'a Node>,
}

impl<'a> MapAccess<'a> for Entries<'a> {
    type Error = ConfigError;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ConfigError> {
        let Some((name, entry)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(&entry.node);
        let name: StrDeserializer<'_, ConfigError> = name.as_str().into_deserializer();
        let origin: &Origin = &entry.key;
        seed.deserialize(name)
            .map(Some)
            .map_err(|error| error.at(origin))
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ConfigError> {
        let node = self
            .value
            .take()
            .expect("a value is asked for after its key");
        placed(node, seed)
    }
}

/// Reads a value. Types that convert another one complain outside of the reader, so the place is added here.
fn placed<'a, T: DeserializeSeed<'a>>(node: &'a Node, seed: T) -> Result<T::Value, ConfigError> {
    Reader(node).at(seed.deserialize(Reader(node)))
}
