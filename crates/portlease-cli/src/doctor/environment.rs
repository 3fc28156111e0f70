//! The environment variables that change what Portlease does.

use std::env;

use portlease::{PortVariable, without_password};

use super::Finding;

const CHECK: &str = "environment";

/// What else is listened to; each does what its name says.
const OTHERS: [&str; 3] = ["PORTLEASE_REGISTRY", "VERBOSE_PORT_ALLOCATOR", "NO_COLOR"];

pub(super) fn examine() -> Vec<Finding> {
    let mut findings = vec![port("PORT")];
    for name in OTHERS {
        if let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) {
            let message = format!("{name} is {:?}", without_password(&value.to_string_lossy()));
            findings.push(Finding::ok(CHECK, message));
        }
    }
    findings
}

fn port(name: &str) -> Finding {
    let variable = PortVariable::read(name);
    if let Some(unusable) = variable.warning() {
        let remedy = format!("unset {name}");
        return Finding::warning(CHECK, unusable.to_string(), &remedy);
    }
    match variable.explicit() {
        Some(explicit) => {
            let message = format!(
                "{name} is {}, which is tried before all other ports",
                explicit.port
            );
            Finding::ok(CHECK, message)
        }
        None => Finding::ok(CHECK, format!("{name} is not set")),
    }
}
