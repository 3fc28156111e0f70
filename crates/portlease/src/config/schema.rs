//! The JSON Schema by which editors help to write the configuration.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::check::NOT_IN_PROFILES;
use super::settings::Settings;

/// The schema of `portlease.toml`, and of the value of the key `portlease` in `package.json`.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<Settings>().to_value();
    plain(&mut schema);
    // A profile is a configuration that chooses no profile itself, and names no machine.
    let mut profile = schema["properties"].clone();
    if let Some(keys) = profile.as_object_mut() {
        for key in NOT_IN_PROFILES {
            keys.remove(key);
        }
    }
    schema["definitions"]["Profile"] = serde_json::json!({
        "description": "What holds when the profile is chosen.",
        "type": "object",
        "properties": profile,
        "additionalProperties": false,
    });
    schema["properties"]["profiles"]["additionalProperties"]["$ref"] =
        "#/definitions/Profile".into();
    schema
}

/// Without what Rust says of its types: that a value may be left out is not that it may be null, which TOML does not have.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            keys.retain(|key, value| key != "format" || !value.is_string());
            if let Some(Value::Array(kinds)) = keys.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    keys.insert("type".to_owned(), only);
                }
            }
            keys.values_mut().for_each(plain);
        }
        Value::Array(values) => values.iter_mut().for_each(plain),
        _ => {}
    }
}
