//! The decision alone: what a request costs when the leases are in memory.

use std::cell::RefCell;

use portlease_core::{
    Catalog, Change, Command, Decision, Facts, Lease, LeaseKey, Leases, Name, Port, PortRange,
    PortSet, Refusal, Release, Reply, Request, Service, Timestamp, decide,
};

use crate::measure::{Effort, Timing, time};
use crate::report::{Report, Row, Unit, ratio};

const BENCH: &str = "core";

const EFFORT: Effort = Effort {
    warm_up: 500,
    samples: 20_000,
};

pub(crate) fn run(report: &mut Report) {
    let counts = [10, 1_000, 10_000];
    let timings = counts.map(|count| reserve_and_release(report, count));
    last_free_port(report);
    full_range(report);
    twenty_services(report);
    report.remark(
        "ours: decide, and apply the changes to the leases in memory. One operation is one sample."
            .into(),
    );
    report.remark(
        "floor of reserve and release: write the same rows into the same indexes without any decision.".into(),
    );
    report.remark(
        "floor of the searches: find the port, or its absence, in the bitmap of what is taken."
            .into(),
    );
    let clock = time(EFFORT, |_| (), |()| (), |(), ()| ());
    report.remark(format!(
        "Each figure includes reading the clock: {:.2} µs.",
        Unit::Micros.of(clock.p50)
    ));
    let ratio = ratio(timings[2], timings[0]);
    report.remark(format!(
        "Reserve with 10,000 leases costs {ratio:.2} times what it costs with 10."
    ));
}

/// Requests of projects that are new, so that none is answered with the lease that is there.
fn reserve_and_release(report: &mut Report, count: u16) -> Timing {
    let leases = RefCell::new(spread(count));
    let facts = facts();
    let request = |turn: usize| Command::Reserve(web(&format!("/home/ada/projects/new-{turn}")));

    let ours = time(
        EFFORT,
        request,
        |command| reserve(&leases, command, &facts),
        |_, decision| undo(&leases, &decision),
    );
    let prepared = |turn: usize| {
        decide(&leases.borrow(), &request(turn), &facts)
            .expect("there is room")
            .changes
    };
    let floor = time(
        EFFORT,
        prepared,
        |changes| leases.borrow_mut().apply_all(changes),
        |changes, ()| undo_all(&leases, &changes),
    );
    report.row(Row {
        bench: BENCH,
        case: format!("reserve, {count} leases"),
        unit: Unit::Micros,
        ours,
        floor,
        peers: Vec::new(),
    });

    let granted = |turn: usize| {
        let decision = reserve(&leases, &request(turn), &facts);
        let lease = lease_of(&decision);
        (
            Command::Release(Release::granted(lease.key.clone(), lease.generation)),
            lease,
        )
    };
    let forget = |lease: Lease| leases.borrow_mut().apply(&Change::Forget(lease.key));
    let release_ours = time(
        EFFORT,
        granted,
        |(command, _)| reserve(&leases, command, &facts),
        |(_, lease), _| forget(lease),
    );
    let prepared = |turn: usize| {
        let (command, lease) = granted(turn);
        (
            decide(&leases.borrow(), &command, &facts)
                .expect("the owner releases")
                .changes,
            lease,
        )
    };
    let release_floor = time(
        EFFORT,
        prepared,
        |(changes, _)| leases.borrow_mut().apply_all(changes),
        |(_, lease), ()| forget(lease),
    );
    report.row(Row {
        bench: BENCH,
        case: format!("release, {count} leases"),
        unit: Unit::Micros,
        ours: release_ours,
        floor: release_floor,
        peers: Vec::new(),
    });
    ours
}

/// Of the 7,000 ports of three ranges only the highest is free; the others are leased.
fn last_free_port(report: &mut Report) {
    let leases = RefCell::new(filled(PortRange::literal(3000, 9998)));
    let facts = facts();
    let request =
        |turn: usize| Command::Reserve(seven_thousand(&format!("/home/ada/projects/new-{turn}")));
    let ours = time(
        EFFORT,
        request,
        |command| reserve(&leases, command, &facts),
        |_, decision| undo(&leases, &decision),
    );
    let floor = bitmap_search(leases.borrow().ports(), Some(Port::literal(9999)));
    report.row(Row {
        bench: BENCH,
        case: "the last free port of 7,000".into(),
        unit: Unit::Micros,
        ours,
        floor,
        peers: Vec::new(),
    });
}

/// All 7,000 ports are leased: the refusal counts them and names the first.
fn full_range(report: &mut Report) {
    let leases = filled(PortRange::literal(3000, 9999));
    let facts = facts();
    let request =
        |turn: usize| Command::Reserve(seven_thousand(&format!("/home/ada/projects/new-{turn}")));
    let refused = |command: &Command| -> Refusal {
        decide(&leases, command, &facts).expect_err("all ports are taken")
    };
    let ours = time(EFFORT, request, refused, |_, _| ());
    let floor = bitmap_search(leases.ports(), None);
    report.row(Row {
        bench: BENCH,
        case: "a full range of 7,000 refused".into(),
        unit: Unit::Micros,
        ours,
        floor,
        peers: Vec::new(),
    });
}

fn twenty_services(report: &mut Report) {
    let leases = RefCell::new(spread(1_000));
    let facts = facts();
    let catalog = Catalog::builtin();
    let request = |turn: usize| {
        let service = |index: usize| {
            Service::new(
                Name::literal(&format!("service-{index}")),
                catalog.or_default("next"),
            )
        };
        let project = Name::literal(&format!("/home/ada/projects/new-{turn}"));
        Command::Reserve(Request::new(project, (0..20).map(service).collect()))
    };
    let ours = time(
        EFFORT,
        request,
        |command| reserve(&leases, command, &facts),
        |_, decision| undo(&leases, &decision),
    );
    let prepared = |turn: usize| {
        decide(&leases.borrow(), &request(turn), &facts)
            .expect("there is room")
            .changes
    };
    let floor = time(
        EFFORT,
        prepared,
        |changes| leases.borrow_mut().apply_all(changes),
        |changes, ()| undo_all(&leases, &changes),
    );
    report.row(Row {
        bench: BENCH,
        case: "a set of 20 services, 1000 leases".into(),
        unit: Unit::Micros,
        ours,
        floor,
        peers: Vec::new(),
    });
}

fn bitmap_search(taken: &PortSet, expected: Option<Port>) -> Timing {
    let range = PortRange::literal(3000, 9999);
    let search = |(): &()| {
        let mut free = PortSet::from(range);
        free -= taken;
        free.first()
    };
    time(
        EFFORT,
        |_| (),
        search,
        |(), found| assert_eq!(found, expected),
    )
}

fn reserve(leases: &RefCell<Leases>, command: &Command, facts: &Facts) -> Decision {
    let decision = decide(&leases.borrow(), command, facts).expect("there is room");
    leases.borrow_mut().apply_all(&decision.changes);
    decision
}

fn undo(leases: &RefCell<Leases>, decision: &Decision) {
    undo_all(leases, &decision.changes);
}

fn undo_all(leases: &RefCell<Leases>, changes: &[Change]) {
    for change in changes {
        if let Change::Grant(lease) = change {
            leases.borrow_mut().apply(&Change::End(lease.key.clone()));
        }
    }
}

fn lease_of(decision: &Decision) -> Lease {
    match &decision.reply {
        Reply::Reserved(reserved) => reserved.services[0].lease.clone(),
        reply => panic!("a reserve is not answered with {reply:?}"),
    }
}

fn web(project: &str) -> Request {
    let service = Service::new(Name::literal("web"), Catalog::builtin().or_default("next"));
    Request::new(Name::literal(project), vec![service])
}

fn seven_thousand(project: &str) -> Request {
    let mut request = web(project);
    let service = &mut request.services[0];
    service.range = PortRange::literal(3000, 3999);
    service.spillover = vec![
        PortRange::literal(4000, 4999),
        PortRange::literal(5000, 9999),
    ];
    // A database's port, so that none of the 7,000 is closed for another reason.
    service.requires = vec![portlease_core::Capability::Tcp];
    request
}

pub(crate) fn facts() -> Facts {
    Facts::at(Timestamp::from_millis(1_700_000_000_000))
}

/// So many leases of other projects, spread over the ports above the requested range.
pub(crate) fn spread(count: u16) -> Leases {
    let step = (65_535 - 4_000) / count;
    leased((0..count).map(|index| Port::literal(4_000 + index * step)))
}

fn filled(range: PortRange) -> Leases {
    leased(range.iter())
}

fn leased(ports: impl Iterator<Item = Port>) -> Leases {
    let template = decide(
        &Leases::default(),
        &Command::Reserve(web("/template")),
        &facts(),
    )
    .expect("there is room");
    let template = lease_of(&template);
    let mut leases = Leases::default();
    for port in ports {
        let key = LeaseKey::new(
            Name::literal(&format!("/home/ada/projects/{port}")),
            Name::literal("web"),
        );
        let generation = leases.last_generation().next();
        leases.apply(&Change::Grant(Lease {
            key,
            port,
            generation,
            ..template.clone()
        }));
    }
    leases
}
