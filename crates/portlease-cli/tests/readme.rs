//! The commands that the README shows, as they stand there.

#![cfg(unix)]

mod support;

use rustix::process::Signal;
use support::{Running, Sandbox};

const README: &str = include_str!("../../../README.md");

/// A project whose `npm run dev` listens on both of its ports.
const DEV: &str = "for (const port of [process.env.PORT, process.env.API_PORT].filter(Boolean)) \
                   require('node:http').createServer((_, answer) => answer.end()).listen(port)";

#[test]
fn every_command_of_the_readme_works() {
    let commands: Vec<Vec<String>> = README
        .lines()
        .filter(|line| line.starts_with("portlease "))
        // What needs an engine is tried where there is one: in `containers.rs`.
        .filter(|line| !line.contains(" docker "))
        .map(|line| shlex::split(line).expect("its quotes end"))
        .collect();
    assert!(commands.len() >= 5, "{commands:?}");
    let sandbox = Sandbox::new();
    sandbox.write("package.json", r#"{"scripts": {"dev": "node dev.js"}}"#);
    sandbox.write("dev.js", DEV);
    for words in commands {
        let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        if words[0] == "run" {
            let mut running = Running::of(sandbox.portlease(&words));
            running.ready();
            running.signal(Signal::TERM);
            running.end();
        } else if words[0] == "serve" {
            let mut running = Running::of(sandbox.portlease(&words));
            running.hear("http://localhost:");
            running.signal(Signal::TERM);
            assert_eq!(running.end().0.code(), Some(0));
        } else {
            let ended = sandbox.ended(&words);
            let nobody_is_there = words[0] == "who" && ended.code == Some(4);
            assert!(
                ended.code == Some(0) || nobody_is_there,
                "{words:?}: {ended:?}"
            );
        }
    }
}

#[test]
fn the_configuration_of_the_readme_is_understood() {
    let toml = README.split("```toml\n").nth(1).expect("it shows one");
    let toml = toml.split("```").next().unwrap();
    let sandbox = Sandbox::new();
    sandbox.write("portlease.toml", toml);
    let checked = sandbox.ended(&["config", "check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
}
