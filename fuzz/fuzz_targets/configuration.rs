//! `portlease.toml` and the part of `package.json` that is about ports, as anybody may have written them.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use portlease::Config;
use portlease_fuzz::registry;

fuzz_target!(|bytes: &[u8]| {
    let folder = registry::folder();
    let (name, text) = if bytes.first() == Some(&b'{') {
        let text = [&b"{\"portlease\": "[..], bytes, b"}"].concat();
        ("package.json", text)
    } else {
        ("portlease.toml", bytes.to_vec())
    };
    let path = folder.path().join(name);
    fs::write(&path, &text).expect("there is room");
    match Config::of_file(&path) {
        Ok(config) => {
            let shown = config.entries();
            assert!(shown.iter().all(|setting| !setting.key.is_empty()));
            let _ = config.registry();
            let _ = config.reservation(&[]).build();
        }
        Err(error) => {
            if let Some(place) = error.place() {
                let span = place.span();
                assert!(span.start <= span.end && span.end <= place.text().len());
                let lines = place.text().matches('\n').count() + 1;
                assert!(place.line_and_column().0 <= lines);
            }
        }
    }
});
