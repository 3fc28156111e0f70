//! What is wished, and what comes of it on this machine.

use std::fs;

use portlease_core::{Holder, IfRunning, Request};
use portlease_probe::identity;
use serde_json::{Value as Json, json};

use crate::{Config, ConfigSources, Error, Reservation, Wish};

#[track_caller]
fn request(wish: &Json) -> Request {
    let wish = Wish::read(&wish.to_string()).unwrap();
    Reservation::wished(&wish, None).unwrap().build().unwrap()
}

#[test]
fn a_command_names_its_framework() {
    for (command, framework) in [("npx vite --host", "vite"), ("next dev", "next")] {
        let request = request(&json!({"projectId": "shop", "runCommand": command}));
        assert_eq!(&*request.services[0].framework, framework);
    }
}

#[test]
fn an_unusable_variable_is_a_warning() {
    let wish = json!({"projectId": "shop", "envVar": {"name": "PORT", "value": "abc"}});
    let unusable = Wish::read(&wish.to_string()).unwrap();
    let reservation = Reservation::wished(&unusable, None).unwrap();
    assert_eq!(reservation.warnings().len(), 1);
}

#[test]
fn whoever_will_listen() {
    let holder = |wish: Json| request(&json!({"projectId": "shop", "holder": wish}));
    let own = Some(Holder::Process(identity::this_process()));
    assert_eq!(holder(json!("self")).holder, own);
    assert_eq!(holder(json!({"pid": std::process::id()})).holder, own);
    let nobody = holder(json!("nobody"));
    assert_eq!(
        (nobody.holder, nobody.if_running),
        (None, IfRunning::Attach)
    );
}

#[test]
fn what_is_wrong_is_told_as_everywhere() {
    for (wish, code, words) in [
        (
            json!({"holder": {"pid": u32::MAX}}),
            "INVALID_ARGUMENT",
            "holder.pid: There is no process",
        ),
        (
            json!({"framework": "nexxt"}),
            "INVALID_ARGUMENT",
            "Did you mean \"next\"?",
        ),
        (json!({"port": 70_000}), "INVALID_PORT", "70000"),
        (
            json!({"preset": "none"}),
            "UNKNOWN_PRESET",
            "It has webServer",
        ),
        (json!({"services": []}), "NO_SERVICES", "names no service"),
    ] {
        let refused = |wish: &Json| -> Result<Reservation, Error> {
            let mut whole = json!({"projectId": "shop"});
            whole
                .as_object_mut()
                .unwrap()
                .extend(wish.as_object().unwrap().clone());
            let reservation = Reservation::wished(&Wish::read(&whole.to_string())?, None)?;
            reservation.clone().build()?;
            Ok(reservation)
        };
        let error = refused(&wish).expect_err("it is no good");
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// The configuration of a folder with this file, and the folder's path.
fn configured(text: &str) -> (tempfile::TempDir, Config, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("portlease.toml"), text).unwrap();
    fs::write(folder.path().join("vite.config.js"), "").unwrap();
    let sources = ConfigSources::of_folder(folder.path()).variables([]);
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, sources.read().unwrap(), path)
}

const CONFIGURED: &str = "
project = 'shop'
exclude = [4001]
[services.api]
preferred = [4000]
range = '4000-4009'
priority = 2
[services.live]
inheritFrom = 'api'
[pools]
red = '6000-6009'
";

#[test]
fn configuration_applies_below_the_wish() {
    let (_folder, config, path) = configured(CONFIGURED);
    let request = |wish: Json| {
        let wish = Wish::read(&wish.to_string()).unwrap();
        Reservation::wished(&wish, Some(&config))
            .unwrap()
            .build()
            .unwrap()
    };
    let plain = request(json!({"cwd": path}));
    assert_eq!(&*plain.project, "shop");
    let api = &plain.services[0];
    assert_eq!(
        (&*api.name, api.priority, &*api.framework),
        ("api", 2, "vite")
    );
    assert_eq!(api.range.to_string(), "4000–4009");

    let other = request(
        json!({"cwd": path, "projectId": "other", "preferred": [4005], "basePort": 5000, "priority": 0}),
    );
    assert_eq!(&*other.project, "other");
    let api = &other.services[0];
    let preferred: Vec<u16> = api.preferred.iter().map(|port| port.get()).collect();
    assert_eq!(preferred, [4005, 4000]);
    assert_eq!(
        (api.range.to_string(), api.priority),
        ("5000–5100".to_owned(), 0)
    );

    let live = request(json!({"cwd": path, "service": "live"}));
    let names: Vec<&str> = live.services.iter().map(|service| &*service.name).collect();
    assert_eq!(
        names,
        ["live", "api"],
        "it gets its port together with the one from which it inherits"
    );
}

#[test]
fn a_wish_without_a_folder_has_only_what_holds_for_the_machine() {
    let (_folder, config, _path) = configured(CONFIGURED);
    let wish = Wish::read(r#"{"projectId": "other", "exclude": [4002]}"#).unwrap();
    assert_eq!(wish.folder(), None);
    let request = Reservation::wished(&wish, Some(&config))
        .unwrap()
        .build()
        .unwrap();
    let service = &request.services[0];
    assert_eq!((&*service.name, &*service.framework), ("web", "default"));
    assert!(request.pools.get("red").is_some());
    let excluded: Vec<u16> = request
        .exclude
        .iter()
        .map(portlease_core::Port::get)
        .collect();
    assert_eq!(excluded, [4001, 4002]);
}
