//! Arbitrary requests over a few ports, projects and processes, so that they meet often.

use alloc::vec::Vec;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::{
    Capability, Container, Explicit, Holder, IfRunning, LeaseKey, Name, Pool, Pools, Port,
    PortRange, PortSet, Process, Request, Service,
};

const PROJECTS: [&str; 2] = ["shop", "blog"];
const SERVICES: [&str; 4] = ["web", "api", "ws", "db"];

/// Few enough to collide, and the ones with rules of their own: browsers refuse 6000, 80 can be
/// privileged, 65535 is the last.
pub(crate) fn any_port() -> BoxedStrategy<Port> {
    prop_oneof![
        12 => 3000_u16..=3009,
        1 => select(alloc::vec![80, 6000, 65535]),
    ]
    .prop_map(Port::literal)
    .boxed()
}

pub(crate) fn any_range() -> BoxedStrategy<PortRange> {
    (any_port(), 1_u16..=5)
        .prop_map(|(first, count)| PortRange::starting_at(first, count))
        .boxed()
}

pub(crate) fn any_project() -> impl Strategy<Value = Name> {
    select(PROJECTS.as_slice()).prop_map(Name::literal)
}

pub(crate) fn any_service_name() -> impl Strategy<Value = Name> {
    select(SERVICES.as_slice()).prop_map(Name::literal)
}

pub(crate) fn any_framework() -> impl Strategy<Value = Name> {
    prop_oneof![5 => Just("default"), 1 => Just("vite")].prop_map(Name::literal)
}

pub(crate) fn any_key() -> BoxedStrategy<LeaseKey> {
    let instance = prop_oneof![6 => Just(1_u32), 2 => Just(2), 1 => Just(0)];
    (any_project(), any_service_name(), instance)
        .prop_map(|(project, service, instance)| LeaseKey {
            project,
            service,
            instance,
        })
        .boxed()
}

pub(crate) fn any_holder() -> BoxedStrategy<Holder> {
    prop_oneof![
        6 => (1_u32..=4).prop_map(process),
        1 => Just(Holder::Container(Container {
            engine: Name::literal("docker"),
            id: Name::literal("0123456789abcdef"),
        })),
    ]
    .boxed()
}

/// A process whose identity is known in all its parts, or in as few as a system can tell.
pub(crate) fn process(pid: u32) -> Holder {
    let is_known = pid % 2 == 1;
    Holder::Process(Process {
        pid,
        started: is_known.then_some(u64::from(pid) * 100),
        boot: is_known.then(|| Name::literal("boot")),
        namespace: is_known.then_some(4_026_531_836),
    })
}

pub(crate) fn any_capabilities() -> impl Strategy<Value = Vec<Capability>> {
    use Capability::{Http, Https, Tcp, Websocket};
    prop_oneof![
        4 => Just(Vec::new()),
        2 => Just(alloc::vec![Tcp]),
        1 => subsequence(alloc::vec![Http, Https, Websocket, Tcp], 1..=4),
    ]
}

fn any_explicit() -> impl Strategy<Value = Explicit> {
    (any_port(), any::<bool>()).prop_map(|(port, strict)| Explicit { port, strict })
}

/// Boxed, because the type that describes it would otherwise not fit on the stack of a test.
fn any_service(name: Name) -> BoxedStrategy<Service> {
    (
        any_framework(),
        option::weighted(0.25, any_explicit()),
        prop_oneof![2 => Just(Vec::new()), 1 => vec(any_port(), 1..=3)],
        any_range(),
        option::weighted(0.3, any_port()),
        option::weighted(0.2, any_port()),
        prop_oneof![3 => Just(Vec::new()), 1 => vec(any_range(), 1..=2)],
        option::weighted(0.15, any_range()),
        -1_i32..=1,
        any_capabilities(),
        prop_oneof![8 => Just(Vec::new()), 1 => vec(any_service_name(), 1..=2)],
        option::weighted(0.12, any_service_name()),
    )
        .prop_map(
            move |(
                framework,
                explicit,
                preferred,
                range,
                default,
                start,
                spillover,
                emergency,
                priority,
                requires,
                conflicts,
                inherit_from,
            )| Service {
                name: name.clone(),
                framework,
                explicit,
                preferred,
                range,
                default,
                start,
                spillover,
                emergency,
                priority,
                requires,
                conflicts,
                inherit_from,
            },
        )
        .boxed()
}

fn any_services(count: core::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<Service>> {
    let services = SERVICES.map(|name| any_service(Name::literal(name)));
    (
        services,
        subsequence(alloc::vec![0, 1, 2, 3], count).prop_shuffle(),
    )
        .prop_map(|(services, chosen)| {
            chosen
                .into_iter()
                .map(|index: usize| services[index].clone())
                .collect()
        })
}

pub(crate) fn any_strategy() -> impl Strategy<Value = crate::Strategy> {
    use crate::Strategy::{Aggressive, Conservative, Minimal};
    select(alloc::vec![Minimal, Conservative, Aggressive])
}

fn any_if_running() -> impl Strategy<Value = IfRunning> {
    use IfRunning::{Another, Attach, Takeover};
    select(alloc::vec![Attach, Another, Takeover])
}

pub(crate) fn any_ports() -> impl Strategy<Value = PortSet> {
    prop_oneof![
        3 => Just(PortSet::new()),
        1 => btree_set(any_port(), 1..=3).prop_map(|ports| ports.into_iter().collect()),
    ]
}

fn any_pools() -> impl Strategy<Value = Pools> {
    let pools = (2999_u16..=3006, 0_u16..=4, 0_u16..=3).prop_map(|(first, red, blue)| {
        let pool = |name, first, more| Pool {
            name: Name::literal(name),
            range: PortRange::literal(first, first + more),
        };
        let red = pool("red", first, red);
        let next = red.range.last().get() + 1;
        Pools::new(alloc::vec![red, pool("blue", next, blue)]).expect("one ends before the other")
    });
    prop_oneof![5 => Just(Pools::default()), 1 => pools]
}

/// The pool that is asked for, mostly one that there is.
fn any_pool() -> impl Strategy<Value = Option<Name>> {
    let name = prop_oneof![4 => Just("red"), 3 => Just("blue"), 1 => Just("green")];
    option::weighted(0.5, name.prop_map(Name::literal))
}

/// A request for so many services with everything that a request can say.
pub(crate) fn any_request(services: core::ops::RangeInclusive<usize>) -> BoxedStrategy<Request> {
    (
        any_project(),
        any_services(services),
        option::weighted(0.7, any_holder()),
        any_if_running(),
        prop::bool::weighted(0.12),
        prop::bool::weighted(0.12),
        any_strategy(),
        prop::bool::weighted(0.8),
        any_ports(),
        (any_pools(), any_pool()),
    )
        .prop_map(
            |(
                project,
                services,
                holder,
                if_running,
                force_new,
                skip_port_check,
                strategy,
                auto_reassign,
                exclude,
                (pools, pool),
            )| Request {
                project,
                services,
                holder,
                if_running,
                force_new,
                skip_port_check,
                reclaim: false,
                strategy,
                auto_reassign,
                max_retries: 10,
                exclude,
                pool: pool.filter(|_| !pools.is_empty()),
                pools,
                planned: None,
            },
        )
        .boxed()
}
