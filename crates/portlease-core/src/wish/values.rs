//! Values that are read whatever they are, so that what is no port is told as what it is.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{InvalidPort, InvalidRange, Port, PortRange, Refusal};

/// A number that is meant to be a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortNumber(Result<u64, String>);

/// One port, or a range of them: a number, `"4000-4100"`, or `[4000, 4100]`.
#[cfg_attr(
    feature = "typescript",
    derive(ts_rs::TS),
    ts(type = "Port | `${number}-${number}` | [first: Port, last: Port]")
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortsWish {
    /// One port.
    One(PortNumber),
    /// A range as text.
    Text(String),
    /// A range by its ends, of which there should be two.
    Ends(Vec<PortNumber>),
}

/// Who will listen: `"self"`, `"nobody"`, or `{"pid": 4242}`.
#[cfg_attr(
    feature = "typescript",
    derive(ts_rs::TS),
    ts(type = "\"self\" | \"nobody\" | { pid: number }")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderWish {
    /// This process.
    Myself,
    /// Nobody in particular: the lease ends by release, or when it is abandoned.
    Nobody,
    /// The process with this number.
    Process(u32),
}

impl PortNumber {
    /// The port.
    pub fn port(&self) -> Result<Port, Refusal> {
        let number = self.0.clone().map_err(|value| InvalidPort { value });
        Ok(number.and_then(Port::try_from)?)
    }

    /// What stands where nothing was said although something had to be.
    pub fn missing() -> Self {
        Self::no_port("nothing")
    }

    /// The number of the port.
    pub(super) fn number(&self) -> Result<u64, Refusal> {
        Ok(self.port()?.get().into())
    }

    fn no_port(value: impl fmt::Display) -> Self {
        const LONGEST: usize = 40;
        let mut value = value.to_string();
        if let Some((end, _)) = value.char_indices().nth(LONGEST) {
            value.replace_range(end.., "…");
        }
        Self(Err(value))
    }
}

impl From<Port> for PortNumber {
    fn from(port: Port) -> Self {
        Self(Ok(port.get().into()))
    }
}

impl PortsWish {
    /// The ports.
    pub fn range(&self) -> Result<PortRange, Refusal> {
        match self {
            Self::One(number) => Ok(PortRange::only(number.port()?)),
            Self::Text(text) => Ok(text.parse()?),
            Self::Ends(ends) => match ends.as_slice() {
                [first, last] => Ok(PortRange::try_from((first.number()?, last.number()?))?),
                ends => {
                    let value = format!("a list of {}", ends.len());
                    Err(InvalidRange { value }.into())
                }
            },
        }
    }
}

impl<'de> Deserialize<'de> for PortNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = PortNumber;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a port from 1 to 65535")
    }

    fn visit_u64<E>(self, number: u64) -> Result<PortNumber, E> {
        Ok(PortNumber(Ok(number)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<PortNumber, E> {
        Ok(match u64::try_from(number) {
            Ok(number) => PortNumber(Ok(number)),
            Err(_) => PortNumber::no_port(number),
        })
    }

    fn visit_f64<E>(self, number: f64) -> Result<PortNumber, E> {
        Ok(PortNumber::no_port(serde_json::Value::from(number)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<PortNumber, E> {
        Ok(PortNumber::no_port(value))
    }

    fn visit_unit<E>(self) -> Result<PortNumber, E> {
        Ok(PortNumber::no_port("null"))
    }

    fn visit_str<E>(self, text: &str) -> Result<PortNumber, E> {
        // Without a word about its kind, the message would deny what everybody sees.
        let is_port = text.parse::<Port>().is_ok();
        let kind = if is_port { "the text " } else { "" };
        Ok(PortNumber::no_port(format_args!("{kind}{text}")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PortNumber, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(PortNumber::no_port("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PortNumber, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(PortNumber::no_port("an object"))
    }
}

impl<'de> Deserialize<'de> for PortsWish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PortsVisitor;

        impl<'de> Visitor<'de> for PortsVisitor {
            type Value = PortsWish;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a port such as 4000 or a range such as \"4000-4010\"")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<PortsWish, E> {
                NumberVisitor.visit_u64(number).map(PortsWish::One)
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<PortsWish, E> {
                NumberVisitor.visit_i64(number).map(PortsWish::One)
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<PortsWish, E> {
                NumberVisitor.visit_f64(number).map(PortsWish::One)
            }

            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<PortsWish, E> {
                NumberVisitor.visit_bool(value).map(PortsWish::One)
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<PortsWish, E> {
                NumberVisitor.visit_unit().map(PortsWish::One)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PortsWish, E> {
                const LONGEST: usize = 40;
                Ok(PortsWish::Text(text.chars().take(LONGEST).collect()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PortsWish, A::Error> {
                let mut ends = Vec::new();
                while let Some(end) = list.next_element()? {
                    ends.push(end);
                }
                Ok(PortsWish::Ends(ends))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PortsWish, A::Error> {
                NumberVisitor.visit_map(map).map(PortsWish::One)
            }
        }

        deserializer.deserialize_any(PortsVisitor)
    }
}

impl<'de> Deserialize<'de> for HolderWish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HolderVisitor;

        impl<'de> Visitor<'de> for HolderVisitor {
            type Value = HolderWish;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("\"self\", \"nobody\" or a process such as {\"pid\": 4242}")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HolderWish, E> {
                match text {
                    "self" => Ok(HolderWish::Myself),
                    "nobody" => Ok(HolderWish::Nobody),
                    other => Err(E::unknown_variant(other, &["self", "nobody"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HolderWish, A::Error> {
                let mut pid = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key != "pid" {
                        return Err(A::Error::unknown_field(&key, &["pid"]));
                    }
                    pid = Some(map.next_value()?);
                }
                let pid = pid.ok_or_else(|| A::Error::missing_field("pid"))?;
                Ok(HolderWish::Process(pid))
            }
        }

        deserializer.deserialize_any(HolderVisitor)
    }
}
