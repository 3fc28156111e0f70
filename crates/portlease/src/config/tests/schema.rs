//! The schema says what the types say, and so does the page about configuration.

use serde_json::Value;

use super::super::layers::SCALARS;
use super::super::schema;
use super::*;

const PAGE: &str = include_str!("../../../../../docs/configuration.md");

#[test]
fn the_keys_with_variables_are_those_without_parts() {
    let schema = schema();
    let keys = schema["properties"].as_object().unwrap();
    let has_parts = |schema: &Value| schema["type"] == "object" || schema["type"] == "array";
    let mut plain: Vec<&str> = keys
        .iter()
        .filter(|(_, schema)| !has_parts(schema))
        .map(|(key, _)| &**key)
        .collect();
    let mut scalars = SCALARS;
    scalars.sort_unstable();
    plain.sort_unstable();
    assert_eq!(plain, scalars);
}

#[test]
fn the_choices_are_those_of_the_types() {
    let schema = schema();
    let choices = |path: &str| schema.pointer(path).unwrap().to_string();
    assert_eq!(
        choices("/properties/strategy/enum"),
        r#"["conservative","minimal","aggressive"]"#
    );
    assert_eq!(
        choices("/definitions/ServiceSettings/properties/requires/items/enum"),
        r#"["http","https","websocket","tcp"]"#
    );
}

#[test]
fn nothing_is_null_and_everything_is_described() {
    let schema = schema();
    assert!(!schema.to_string().contains("null"), "{schema}");
    let definitions = ["ServiceSettings", "FrameworkSettings", "Profile"];
    let tables = definitions.map(|name| &schema["definitions"][name]);
    for table in tables.into_iter().chain([&schema]) {
        for (key, property) in table["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{key}");
        }
    }
}

#[test]
fn a_profile_chooses_no_profile() {
    let schema = schema();
    let profile = &schema["definitions"]["Profile"]["properties"];
    for key in ["host", "profile", "profiles"] {
        assert!(profile[key].is_null(), "{key}");
    }
    assert!(profile["grace"].is_object());
    let profiles = &schema["properties"]["profiles"]["additionalProperties"]["$ref"];
    assert_eq!(profiles, "#/definitions/Profile");
}

#[test]
fn the_examples_of_the_page_are_read() {
    let blocks = |language: &str| {
        let start = format!("```{language}\n");
        let blocks: Vec<&str> = PAGE.split(&*start).skip(1).collect();
        let text = |block: &&'static str| block.split("```").next().unwrap();
        blocks.iter().map(text).collect::<Vec<&str>>()
    };
    let [whole] = blocks("toml")[..] else {
        panic!("the page has one complete example")
    };
    let schema = schema();
    let (_folder, config) = project(whole).read();
    let entries = config.unwrap().entries();
    for key in schema["properties"].as_object().unwrap().keys() {
        let is_shown = entries
            .iter()
            .any(|entry| entry.key.split('.').next() == Some(key));
        // The example is a project's file, and no profile.
        let is_elsewhere = ["host", "profiles"].contains(&key.as_str());
        assert!(is_shown || is_elsewhere, "the example has no {key}");
        assert!(
            PAGE.contains(&format!("`{key}`")),
            "the page says nothing about {key}"
        );
    }
    for key in schema["definitions"]["ServiceSettings"]["properties"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            PAGE.contains(&format!("`{key}`")),
            "the page says nothing about {key}"
        );
    }
    let [package] = blocks("json")[..] else {
        panic!("the page has one example of package.json")
    };
    let said = Said {
        package,
        ..Said::default()
    };
    assert!(!said.entries().is_empty());
}
