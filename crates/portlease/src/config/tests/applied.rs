//! What a configuration makes of a request.

use portlease_core::{Capability, Name, Request, Strategy};

use super::*;
use crate::Registry;

fn request(text: &str, services: &[&str]) -> Request {
    let (_folder, config) = project(text).read();
    let names: Vec<Name> = services.iter().map(|name| Name::literal(name)).collect();
    config.unwrap().reservation(&names).build().unwrap()
}

fn names(request: &Request) -> Vec<&str> {
    request
        .services
        .iter()
        .map(|service| &*service.name)
        .collect()
}

#[test]
fn everything_about_a_service() {
    let request = request(
        "[services.web]
        framework = 'vite'
        preferred = [4000, 4001]
        range = '4000-4100'
        spillover = ['5000-5010', '6000-6010']
        emergency = '7000-7010'
        priority = 3
        requires = ['https', 'websocket']
        conflicts = ['api']
        [services.api]",
        &[],
    );
    let web = &request.services[0];
    assert_eq!(&*web.framework, "vite");
    let preferred: Vec<u16> = web.preferred.iter().map(|port| port.get()).collect();
    assert_eq!(preferred, [4000, 4001]);
    let ranges: Vec<String> = web.ranges().map(|range| range.to_string()).collect();
    assert_eq!(ranges, ["4000–4100", "5000–5010", "6000–6010", "7000–7010"]);
    assert_eq!(web.priority, 3);
    assert_eq!(web.requires, [Capability::Https, Capability::Websocket]);
    assert_eq!(web.conflicts, [Name::literal("api")]);
}

#[test]
fn everything_about_a_project() {
    let request = request(
        "project = 'shop'
        strategy = 'aggressive'
        autoReassign = false
        maxRetries = 2
        exclude = [3000, '3002-3004']
        pool = 'red'
        [pools]
        red = '3000-3033'
        blue = '3034-3066'",
        &[],
    );
    assert_eq!(&*request.project, "shop");
    assert_eq!(request.strategy, Strategy::Aggressive);
    assert!(!request.auto_reassign);
    assert_eq!(request.max_retries, 2);
    let excluded: Vec<u16> = request
        .exclude
        .iter()
        .map(portlease_core::Port::get)
        .collect();
    assert_eq!(excluded, [3000, 3002, 3003, 3004]);
    assert_eq!(request.pool.as_deref(), Some("red"));
    assert_eq!(request.pools.iter().count(), 2);
}

#[test]
fn without_any_configuration_a_request_is_as_ever() {
    let (folder, config) = Said::default().read();
    let config = config.unwrap();
    let shop = folder.path().join("shop");
    let plain = crate::Reservation::of_folder(&shop).build().unwrap();
    assert_eq!(config.reservation(&[]).build().unwrap(), plain);
}

const THREE: &str = "
[services.web]
[services.api]
[services.live]
inheritFrom = 'api'
";

#[test]
fn the_declared_services_in_their_order_unless_others_are_named() {
    assert_eq!(names(&request("", &[])), ["web"]);
    assert_eq!(names(&request(THREE, &[])), ["web", "api", "live"]);
    assert_eq!(names(&request(THREE, &["api"])), ["api"]);
    assert_eq!(names(&request(THREE, &["other"])), ["other"]);
}

#[test]
fn a_service_brings_the_one_whose_port_it_shares() {
    let request = request(THREE, &["live"]);
    assert_eq!(names(&request), ["live", "api"]);
    assert_eq!(request.services[0].inherit_from.as_deref(), Some("api"));
}

#[test]
fn the_users_file_declares_no_services_but_tells_about_them() {
    let said = Said {
        user: "[services.web]\npriority = 7\n[services.other]",
        ..Said::default()
    };
    let (_folder, config) = said.read();
    let request = config.unwrap().reservation(&[]).build().unwrap();
    assert_eq!(names(&request), ["web"]);
    assert_eq!(request.services[0].priority, 7);
}

#[test]
fn the_three_ways_to_a_range() {
    let range = |text: &str| {
        let text = format!("[services.web]\n{text}\n[presets.development]\nqueue = '9000-9005'");
        request(&text, &[]).services[0].range.to_string()
    };
    assert_eq!(range("range = '4000-4010'"), "4000–4010");
    assert_eq!(range("basePort = 4000"), "4000–4100");
    assert_eq!(range("basePort = 4000\nmaxPort = 4005"), "4000–4005");
    assert_eq!(range("framework = 'next'\nmaxPort = 3005"), "3000–3005");
    assert_eq!(range("preset = 'queue'"), "9000–9005");
}

#[test]
fn a_profile_has_presets_of_its_own() {
    let said = Said {
        project: "[services.api]\npreset = 'apiServer'",
        variables: &[("PORTLEASE_PROFILE", "production")],
        ..Said::default()
    };
    let (_folder, config) = said.read();
    let config = config.unwrap();
    assert_eq!(config.profile(), "production");
    let request = config.reservation(&[]).build().unwrap();
    assert_eq!(request.services[0].range.to_string(), "3000–3010");
}

#[test]
fn frameworks_of_ones_own() {
    let service = |text: &str, framework: &str| {
        let text = format!("[services.web]\nframework = '{framework}'\n{text}");
        let service = request(&text, &[]).services.remove(0);
        let default = service.default.map_or(0, portlease_core::Port::get);
        format!("{} {} {default}", service.framework, service.range)
    };
    assert_eq!(
        service("[frameworks.mine]\ndefault = 4500", "mine"),
        "mine 4500–4600 4500"
    );
    assert_eq!(
        service(
            "[frameworks.mine]\nrange = '4500-4510'\naliases = ['my-own']",
            "my-own"
        ),
        "mine 4500–4510 4500"
    );
    assert_eq!(
        service("[frameworks.nextjs]\ndefault = 3050", "next"),
        "next 3000–3100 3050"
    );
    assert_eq!(
        service("[frameworks.next]\ndefault = 4500", "nextjs"),
        "next 4500–4600 4500"
    );
    assert_eq!(
        service("[frameworks.next]\naliases = ['n']", "n"),
        "next 3000–3100 3000"
    );
    assert_eq!(
        service("[frameworks.next]\nrange = '2990-3010'", "next"),
        "next 2990–3010 3000"
    );
}

#[test]
fn the_registry_lies_beside_the_file_that_names_it() {
    let registry = |said: &Said<'_>| {
        let (folder, config) = said.read();
        let registry = config.unwrap().registry().unwrap();
        short(&format!("{registry:?}"), folder.path())
    };
    let named = project("registry = 'sqlite:state/ports.db'");
    assert_eq!(registry(&named), "File(\"shop/state/ports.db\")");
    assert_eq!(registry(&project("registry = 'memory:'")), "Memory");
    assert_eq!(registry(&Said::default()), "Default");
    let overruled = Said {
        variables: &[("PORTLEASE_REGISTRY", "sqlite:here.db")],
        ..named
    };
    assert_eq!(registry(&overruled), "File(\"here.db\")");
    assert!(matches!(
        Registry::from_url("sqlite:/a"),
        Ok(Registry::File(_))
    ));
}

#[test]
fn what_nobody_says_is_shown_too() {
    let (folder, config) = Said::default().read();
    let entries = config.unwrap().entries();
    let project = entries.iter().find(|entry| entry.key == "project").unwrap();
    let root = folder.path().join("shop").canonicalize().unwrap();
    assert_eq!(project.value, root.to_str().unwrap());
    assert_eq!(project.origin.to_string(), "default");
    assert!(entries.iter().any(|entry| entry.key == "registry"));
}

#[test]
fn the_times_and_counts_that_hold_without_saying() {
    let config = Said::default().read().1.unwrap();
    assert_eq!(config.timeout().as_secs(), 120);
    assert_eq!(config.grace().as_secs(), 10);
    assert_eq!(config.max_retries(), 10);
    assert_eq!(config.if_running(), portlease_core::IfRunning::Another);
}
