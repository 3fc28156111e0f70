//! Whatever is written, it is read or refused.

use proptest::prelude::*;

use super::*;

/// Names that mean something, that nearly do, and that do not.
fn word() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "project",
        "registry",
        "host",
        "profile",
        "profiles",
        "strategy",
        "services",
        "frameworks",
        "pools",
        "pool",
        "presets",
        "exclude",
        "timeout",
        "production",
        "development",
        "web",
        "api",
        "next",
        "range",
        "basePort",
        "maxPort",
        "preset",
        "preferred",
        "inheritFrom",
        "conflicts",
        "variable",
        "requires",
        "default",
        "aliases",
    ];
    prop_oneof![8 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => "[a-zß]{0,3}"]
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (-2..70_000_i64).prop_map(|number| number.to_string()),
        (0..70_000_u32, 0..70_000_u32).prop_map(|(first, last)| format!("'{first}-{last}'")),
        word().prop_map(|word| format!("'{word}'")),
        proptest::sample::select(vec![
            "true",
            "1.5",
            "1979-05-27",
            "nan",
            "memory:",
            "99999999999999999999",
            "\"\\u0000\""
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3)
                .prop_map(|list| format!("[{}]", list.join(", "))),
            proptest::collection::vec((word(), inner), 0..3).prop_map(|entries| {
                let entries: Vec<String> = entries
                    .into_iter()
                    .map(|(key, value)| format!("'{key}' = {value}"))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

fn line() -> impl Strategy<Value = String> {
    let path = || proptest::collection::vec(word(), 1..4).prop_map(|words| words.join("."));
    prop_oneof![
        3 => (path(), value()).prop_map(|(path, value)| format!("{path} = {value}")),
        1 => path().prop_map(|path| format!("[{path}]")),
        1 => Just("# ß".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn prop_any_text_is_read_or_refused_at_a_place_in_it(lines in proptest::collection::vec(line(), 0..5)) {
        let text = lines.join("\n");
        let (_folder, read) = project(&text).read();
        match read {
            Ok(config) => {
                config.entries();
                let _ = config.registry();
                let _ = config.reservation(&[]).build();
            }
            Err(error) => {
                let (line, _) = error.place().expect("it is about this file").line_and_column();
                prop_assert!(line <= text.lines().count().max(1), "{error}");
            }
        }
    }

    #[test]
    fn prop_any_package_json_is_read_or_refused(inside in "[\\[\\]{}:,\"a1 \n]{0,24}") {
        let package = format!("{{\"portlease\": {inside}}}");
        let said = Said { package: &package, ..Said::default() };
        if let Err(error) = said.read().1 {
            let place = error.place().expect("it is about this file");
            prop_assert!(place.span().end <= package.len(), "{error}");
        }
    }
}
