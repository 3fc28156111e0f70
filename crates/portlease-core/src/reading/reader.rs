//! From a tree of values to types. Every problem gets the path to the value that it is about.

use alloc::borrow::ToOwned;
use alloc::format;
use core::slice;
use core::str::FromStr;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Problem, Step};

/// A tree of values as somebody wrote it.
pub trait Tree: Sized {
    /// The keys of a table with their values, in their order.
    type Entries<'a>: Iterator<Item = (&'a str, &'a Self)>
    where
        Self: 'a;

    /// What stands here.
    fn view(&self) -> View<'_, Self>;
}

/// What stands at one place of a tree.
#[derive(Debug)]
pub enum View<'a, T: Tree> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(&'a str),
    /// The text of a variable or a flag. The key that it is for tells whether it means a number.
    Said(&'a str),
    /// Values one after the other.
    List(&'a [T]),
    /// Values by their keys.
    Table(T::Entries<'a>),
    /// What JSON writes as `null`.
    Null,
    /// A kind of value that no key takes.
    Other(&'static str),
}

/// Reads a value of the type.
pub fn read<T: DeserializeOwned, N: Tree>(tree: &N) -> Result<T, Problem> {
    T::deserialize(Reader(tree))
}

/// Reads a value of the type from those entries of a table that have one of the keys.
pub(crate) fn read_keys<T: DeserializeOwned, N: Tree>(
    tree: &N,
    keys: &[&str],
) -> Result<T, Problem> {
    match tree.view() {
        View::Table(entries) => T::deserialize(MapAccessDeserializer::new(Entries::<'_, '_, N> {
            rest: entries,
            only: Some(keys),
            current: None,
        })),
        _ => read(tree),
    }
}

struct Reader<'a, N>(&'a N);

impl<N: Tree> Reader<'_, N> {
    /// The text of a variable or a flag, when it means a value of this type.
    fn said<T: FromStr>(&self) -> Option<T> {
        match self.0.view() {
            View::Said(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn wrong(&self, expected: &dyn Expected) -> Problem {
        let found = match self.0.view() {
            View::Bool(value) => Unexpected::Bool(value),
            View::Integer(number) => Unexpected::Signed(number),
            View::Float(number) => Unexpected::Float(number),
            View::Text(text) | View::Said(text) => Unexpected::Str(text),
            View::List(_) => Unexpected::Seq,
            View::Table(_) => Unexpected::Map,
            View::Null => Unexpected::Unit,
            View::Other(what) => Unexpected::Other(what),
        };
        Problem::invalid_type(found, expected)
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
            let number: Option<i64> = self.said().or(match self.0.view() {
                View::Integer(number) => Some(number),
                _ => None,
            });
            match number.map(u64::try_from) {
                Some(Ok(number)) => visitor.visit_u64(number),
                Some(Err(_)) => visitor.visit_i64(number.unwrap_or_default()),
                None => Err(self.wrong(&visitor)),
            }
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
            match self.0.view() {
                View::Text(text) | View::Said(text) => visitor.visit_str(text),
                _ => Err(self.wrong(&visitor)),
            }
        }
    )*};
}

/// Each method expects one kind of value: what is read for any kind is compiled for every type as many times as there are kinds.
impl<'a, N: Tree> Deserializer<'a> for Reader<'a, N> {
    type Error = Problem;

    numbers! {
        deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    texts! {
        deserialize_str deserialize_string deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0.view() {
            View::Bool(value) => visitor.visit_bool(value),
            View::Integer(number) => match u64::try_from(number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(number),
            },
            View::Float(number) => visitor.visit_f64(number),
            View::Text(text) | View::Said(text) => visitor.visit_str(text),
            View::List(list) => visitor.visit_seq(Elements(list.iter().enumerate())),
            View::Table(entries) => visitor.visit_map(Entries::<'a, '_, N>::all(entries)),
            View::Null => visitor.visit_unit(),
            View::Other(_) => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        match (self.said(), self.0.view()) {
            (Some(value), _) | (None, View::Bool(value)) => visitor.visit_bool(value),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.0.view() {
            View::Text(text) | View::Said(text) => {
                let name: StrDeserializer<'_, Problem> = text.into_deserializer();
                visitor.visit_enum(name)
            }
            _ => Err(Problem::new(format!(
                "Here belongs one of {}.",
                variants.join(", ")
            ))),
        }
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0.view() {
            View::List(list) => visitor.visit_seq(Elements(list.iter().enumerate())),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0.view() {
            View::Table(entries) => visitor.visit_map(Entries::<'a, '_, N>::all(entries)),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_map(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <W: Visitor<'a>>
        i8 i16 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple_struct
    }
}

struct Elements<'a, N>(core::iter::Enumerate<slice::Iter<'a, N>>);

impl<'a, N: Tree> SeqAccess<'a> for Elements<'a, N> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        let read = |(index, node)| {
            seed.deserialize(Reader(node))
                .map_err(|problem| problem.below(Step::Element(index)))
        };
        self.0.next().map(read).transpose()
    }
}

struct Entries<'a, 'k, N: Tree> {
    rest: N::Entries<'a>,
    /// The keys that are read; all of them when nothing is said.
    only: Option<&'k [&'k str]>,
    current: Option<(&'a str, &'a N)>,
}

impl<'a, N: Tree> Entries<'a, '_, N> {
    fn all(entries: N::Entries<'a>) -> Self {
        Self {
            rest: entries,
            only: None,
            current: None,
        }
    }
}

impl<'a, N: Tree> MapAccess<'a> for Entries<'a, '_, N> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let only = self.only;
        let is_read = |(key, _): &(&str, _)| only.is_none_or(|only| only.contains(key));
        self.current = self.rest.find(is_read);
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Problem> = key.into_deserializer();
        seed.deserialize(name)
            .map(Some)
            .map_err(|problem| problem.below(Step::Key(key.to_owned())))
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let (key, node) = self
            .current
            .take()
            .expect("a value is asked for after its key");
        seed.deserialize(Reader(node))
            .map_err(|problem| problem.below(Step::Value(key.to_owned())))
    }
}
