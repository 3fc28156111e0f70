//! The operating system, as far as ports are concerned.

use std::net::{Ipv6Addr, UdpSocket};

use portlease::core::{Catalog, Port, PortRange, PortSet, Presets};
use portlease::probe::{Guarantee, Hold, OccupantDetails, Probe, settings};

use super::Finding;
use crate::subjects::known_ports;

pub(super) fn examine() -> Vec<Finding> {
    let known = known_ports(&Catalog::builtin(), &Presets::builtin());
    let mut findings = vec![hold(Hold::guarantee())];
    findings.push(match settings::system_reserved() {
        Ok(reserved) => system_reserved(&reserved, &known),
        Err(error) => Finding::failed("reserved", error),
    });
    findings.push(match settings::ephemeral_range() {
        Ok(range) => ephemeral(range, &known),
        Err(error) => Finding::failed("ephemeral", error),
    });
    findings.push(match settings::unprivileged_start() {
        Ok(start) => unprivileged(start, &known),
        Err(error) => Finding::failed("privileged", error),
    });
    findings.push(ipv6(UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()));
    if cfg!(target_os = "macos") {
        findings.push(airplay(&on_airplays_ports()));
    }
    findings
}

fn hold(guarantee: Guarantee) -> Finding {
    match guarantee {
        Guarantee::UntilReleased => Finding::ok(
            "hold",
            "a leased port stays claimed in the kernel until its server listens",
        ),
        Guarantee::UntilOpened if cfg!(target_os = "linux") => Finding::warning(
            "hold",
            "This kernel does not keep a port while its server starts, so another program can take it in that moment",
            "Nothing needs to be done: it is noticed, and the server gets another port. Sandboxes such as gVisor behave so.",
        ),
        Guarantee::UntilOpened => Finding::ok(
            "hold",
            "a leased port stays claimed in the kernel until its server is started",
        ),
    }
}

fn system_reserved(reserved: &PortSet, known: &PortSet) -> Finding {
    let kept = common(reserved, known);
    if kept.is_empty() {
        let message = format!(
            "{} ports are kept by the system, none that dev servers use",
            reserved.len()
        );
        return Finding::ok("reserved", message);
    }
    let remedy = if cfg!(windows) {
        "`net stop winnat`, then `net start winnat` often moves what Hyper-V excluded; `netsh int ipv4 show excludedportrange protocol=tcp` lists it."
    } else {
        "They are left out. `sysctl net.ipv4.ip_local_reserved_ports` shows who is meant."
    };
    let message = format!(
        "The system keeps ports that dev servers use: {}",
        list(&kept)
    );
    Finding::warning("reserved", message, remedy)
}

fn ephemeral(range: PortRange, known: &PortSet) -> Finding {
    let lost = common(&range.into(), known);
    if lost.is_empty() {
        return Finding::ok("ephemeral", format!("outgoing connections use {range}"));
    }
    let message = format!(
        "Outgoing connections use {range} and can take the ports of dev servers: {}",
        list(&lost)
    );
    let remedy = if cfg!(target_os = "linux") {
        "sudo sysctl net.ipv4.ip_local_port_range='32768 60999'"
    } else {
        "Move the range to 49152-65535, which is the default."
    };
    Finding::warning("ephemeral", message, remedy)
}

fn unprivileged(start: Option<Port>, known: &PortSet) -> Finding {
    let Some(start) = start else {
        return Finding::ok("privileged", "every port may be bound");
    };
    let below = Port::new(start.get() - 1).and_then(|last| PortRange::new(Port::MIN, last));
    let closed = below
        .map(|range| common(&range.into(), known))
        .unwrap_or_default();
    if closed.is_empty() {
        return Finding::ok("privileged", format!("ports from {start} on may be bound"));
    }
    let message = format!(
        "Only ports from {start} on may be bound, not {}",
        list(&closed)
    );
    let remedy = "sudo sysctl net.ipv4.ip_unprivileged_port_start=1024";
    Finding::warning("privileged", message, remedy)
}

fn ipv6(is_on: bool) -> Finding {
    if is_on {
        Finding::ok("ipv6", "on")
    } else {
        Finding::ok("ipv6", "off: servers are reached on 127.0.0.1 alone")
    }
}

const AIRPLAYS: [Port; 2] = [Port::literal(5000), Port::literal(7000)];

fn on_airplays_ports() -> Vec<(Port, Vec<OccupantDetails>)> {
    let probe = Probe::new();
    let who = |port| (port, probe.who(port, []).unwrap_or_default());
    AIRPLAYS.map(who).into()
}

fn airplay(occupants: &[(Port, Vec<OccupantDetails>)]) -> Finding {
    let is_airplay = |who: &OccupantDetails| {
        // The system cuts the names of programs at different lengths.
        who.name
            .as_deref()
            .is_some_and(|name| name.starts_with("ControlC"))
    };
    let ports = occupants.iter().filter(|(_, on)| on.iter().any(is_airplay));
    let ports: PortSet = ports.map(|(port, _)| *port).collect();
    if ports.is_empty() {
        return Finding::ok("airplay", "AirPlay Receiver holds no port");
    }
    Finding::warning(
        "airplay",
        format!(
            "AirPlay Receiver holds {}, and answers browsers with 403",
            list(&ports)
        ),
        "System Settings, General, AirDrop & Handoff: turn AirPlay Receiver off, or let Portlease go around it.",
    )
}

fn common(one: &PortSet, other: &PortSet) -> PortSet {
    let mut common = one.clone();
    common &= other;
    common
}

/// `3000–3100, 4321`
fn list(ports: &PortSet) -> String {
    let ranges = ports.ranges().map(|range| match range.len() {
        1 => range.first().to_string(),
        _ => range.to_string(),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn check(finding: &Finding, level: Level, words: &str) {
        assert_eq!(finding.level, level, "{finding:?}");
        assert!(finding.message.contains(words), "{finding:?}");
        assert_eq!(finding.remedy.is_some(), level != Level::Ok, "{finding:?}");
    }

    fn known() -> PortSet {
        PortSet::from_iter([
            PortRange::literal(3000, 3100),
            PortRange::literal(5173, 5273),
        ])
    }

    #[test]
    fn the_kernel_keeps_a_port_or_does_not() {
        check(
            &hold(Guarantee::UntilReleased),
            Level::Ok,
            "until its server listens",
        );
        let weaker = if cfg!(target_os = "linux") {
            Level::Warning
        } else {
            Level::Ok
        };
        check(&hold(Guarantee::UntilOpened), weaker, "server");
    }

    #[test]
    fn what_the_system_keeps() {
        let reserved =
            |first, last| system_reserved(&PortRange::literal(first, last).into(), &known());
        check(&reserved(8000, 8100), Level::Ok, "101 ports");
        check(&reserved(2990, 3001), Level::Warning, "use: 3000–3001");
    }

    #[test]
    fn outgoing_connections_among_the_ports_of_dev_servers() {
        let range = |first, last| ephemeral(PortRange::literal(first, last), &known());
        check(&range(32768, 60999), Level::Ok, "32768–60999");
        check(&range(1024, 65535), Level::Warning, "3000–3100, 5173–5273");
    }

    #[test]
    fn ports_that_need_privileges() {
        let start = |port| unprivileged(Port::new(port), &known());
        check(&unprivileged(None, &known()), Level::Ok, "every port");
        check(&start(1024), Level::Ok, "from 1024 on");
        check(&start(1), Level::Ok, "from 1 on");
        check(&start(3002), Level::Warning, "not 3000–3001");
    }

    #[test]
    fn ipv6_may_be_off() {
        check(&ipv6(true), Level::Ok, "on");
        check(&ipv6(false), Level::Ok, "127.0.0.1 alone");
    }

    #[test]
    fn airplay_on_its_ports() {
        let on = |port, name: &str| {
            let details = OccupantDetails {
                name: Some(name.to_owned()),
                ..OccupantDetails::default()
            };
            (Port::literal(port), vec![details])
        };
        check(&airplay(&[]), Level::Ok, "no port");
        check(&airplay(&[on(5000, "python3")]), Level::Ok, "no port");
        let both = [on(5000, "ControlCenter"), on(7000, "ControlCe")];
        check(&airplay(&both), Level::Warning, "holds 5000, 7000");
    }
}
