//! What the values that serde does not derive are in JSON Schema; the others say it by a derive beside their types.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

use crate::{
    HolderWish, Name, Port, PortNumber, PortRange, PortSet, PortsWish, RequestWish, ServiceWish,
    Wish,
};

/// A schema that others refer to by the name of its type.
macro_rules! schema {
    ($type:ty, $name:literal, |$generator:ident| $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

schema!(Port, "Port", |_generator| json_schema!({
    "description": "A TCP port.",
    "type": "integer",
    "minimum": 1,
    "maximum": 65_535,
}));

schema!(PortNumber, "Port", |generator| Port::json_schema(generator));

schema!(PortRange, "PortRange", |generator| json_schema!({
    "description": "An inclusive range of ports: the first and the last one.",
    "type": "array",
    "items": generator.subschema_for::<Port>(),
    "minItems": 2,
    "maxItems": 2,
}));

schema!(PortSet, "PortSet", |generator| json_schema!({
    "description": "A set of ports: ports and ranges, such as [3000, [4000, 4010]].",
    "type": "array",
    "items": {"anyOf": [generator.subschema_for::<Port>(), generator.subschema_for::<PortRange>()]},
}));

schema!(PortsWish, "PortsWish", |generator| json_schema!({
    "description": "One port, or a range of them: a number, \"4000-4100\", or [4000, 4100].",
    "anyOf": [
        generator.subschema_for::<Port>(),
        {"type": "string", "pattern": "^[0-9]{1,5}(-[0-9]{1,5})?$"},
        generator.subschema_for::<PortRange>(),
    ],
}));

schema!(HolderWish, "HolderWish", |_generator| json_schema!({
    "description": "Who will listen: \"self\", \"nobody\", or a process such as {\"pid\": 4242}.",
    "anyOf": [
        {"type": "string", "enum": ["self", "nobody"]},
        {
            "type": "object",
            "properties": {"pid": {"type": "integer", "minimum": 0, "maximum": u32::MAX}},
            "required": ["pid"],
            "additionalProperties": false,
        },
    ],
}));

schema!(Name, "Name", |_generator| json_schema!({
    "description": "The name of a project, service, framework, pool or host: up to 1,024 bytes without control characters.",
    "type": "string",
    "minLength": 1,
    "maxLength": Self::MAX_BYTES,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
}));

schema!(Wish, "Wish", |generator| {
    let mut schema = json_schema!({
        "description": "What a caller wishes: something about the request, something about its service or its services.",
        "type": "object",
        "additionalProperties": false,
    });
    let mut properties = serde_json::Map::new();
    for part in [
        RequestWish::json_schema(generator),
        ServiceWish::json_schema(generator),
    ] {
        if let Some(Json::Object(of_part)) = part.get("properties") {
            properties.extend(of_part.clone());
        }
    }
    let services = generator.subschema_for::<Option<Vec<ServiceWish>>>();
    properties.insert("services".into(), services.into());
    schema.insert("properties".into(), properties.into());
    schema
});
