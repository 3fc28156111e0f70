//! `package.json` and the command that starts a dev server, which anybody may have written.
#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use portlease::core::Catalog;
use portlease::{Evidence, Hints, Registry};
use portlease_fuzz::{Choices, registry};

const SCRIPTS: [&str; 4] = ["dev", "start", "a", "b"];

/// What commands are made of; a blank ends a word, and its absence makes one of two.
const PIECES: [&str; 34] = [
    " ",
    " ",
    " ",
    "npm run dev",
    "npm run dev; ",
    "npm ",
    "npm start",
    "yarn a",
    "bun run b",
    "npm",
    "run",
    "npx ",
    "env ",
    "A=1 ",
    "-x ",
    "node ",
    "node_modules/.bin/",
    "next dev",
    "vite",
    "vite preview",
    "astro@5",
    "concurrently ",
    "\"",
    "'",
    "\\",
    "&&",
    "|",
    ";",
    "\n",
    "@",
    ".cmd",
    "/",
    "=",
    "ü",
];

fuzz_target!(|bytes: &[u8]| {
    let mut choices = Choices::new(bytes);
    let root = registry::folder();
    let package = if bytes.first() == Some(&b'{') {
        bytes.to_vec()
    } else {
        let scripts = SCRIPTS.map(|name| (name.to_owned(), command(&mut choices).into()));
        let scripts: serde_json::Map<_, _> = scripts.into_iter().collect();
        serde_json::json!({ "scripts": scripts })
            .to_string()
            .into_bytes()
    };
    fs::write(root.path().join("package.json"), package).expect("there is room");
    for run_command in [
        "npm run dev".to_owned(),
        command(&mut choices),
        String::from_utf8_lossy(bytes).into_owned(),
    ] {
        check(
            &Hints {
                run_command: Some(run_command),
                ..Hints::default()
            },
            root.path(),
        );
    }
    check(&Hints::default(), root.path());
    let _ = Registry::from_url(&String::from_utf8_lossy(bytes));
});

/// Whatever is detected is in the catalogue, and is told by something that is there.
fn check(hints: &Hints, root: &Path) {
    let catalog = Catalog::builtin();
    let detected = hints.detect(&catalog, root);
    assert_eq!(
        catalog.get(&detected.framework.name),
        Some(&detected.framework)
    );
    match detected.evidence {
        Evidence::RunCommand => assert!(hints.run_command.is_some()),
        Evidence::Nothing => assert_eq!(&*detected.framework.name, "default"),
        Evidence::Dependency => {}
        other => panic!("{other:?} was not there"),
    }
}

fn command(choices: &mut Choices<'_>) -> String {
    let pieces = choices.below(20);
    let piece = |_| {
        let piece = choices.of(&PIECES);
        // Rows of the same are what a reader may follow too far.
        let is_row = choices.byte().is_multiple_of(8);
        piece.repeat(if is_row { choices.below(20) } else { 1 })
    };
    (0..pieces).map(piece).collect()
}
