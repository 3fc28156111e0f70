//! Arbitrary facts about the ports and processes that requests are about.

use alloc::vec::Vec;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::histories::requests::{any_holder, any_port, any_ports};
use crate::{Facts, Name, Occupancy, Occupant, Port, Timestamp};

fn any_occupant() -> impl Strategy<Value = Occupant> {
    (
        option::weighted(0.8, any_holder()),
        prop_oneof![2 => Just(Vec::new()), 1 => vec(any_holder(), 1..=2)],
        option::weighted(0.3, Just(Name::literal("node"))),
    )
        .prop_map(|(holder, ancestors, name)| Occupant {
            holder,
            ancestors,
            name,
            state: None,
        })
}

pub(super) fn any_occupancy() -> impl Strategy<Value = Occupancy> {
    vec((any_port(), option::weighted(0.7, any_occupant())), 0..=5).prop_map(|entries| {
        let mut occupancy = Occupancy::default();
        for (port, occupant) in entries {
            occupancy.insert(port, occupant);
        }
        occupancy
    })
}

pub(super) fn any_facts() -> BoxedStrategy<Facts> {
    (
        0_u64..=2_000,
        any_occupancy(),
        any_ports(),
        option::weighted(0.3, select(alloc::vec![1, 1024, 3002])),
        btree_set(any_holder(), 0..=3),
        proptest::bool::weighted(0.1),
    )
        .prop_map(
            |(now, occupied, system_reserved, unprivileged_start, dead, host_is_gone)| Facts {
                now: Timestamp::from_millis(now),
                occupied,
                system_reserved,
                unprivileged_start: unprivileged_start.map(Port::literal),
                dead,
                host_is_gone,
            },
        )
        .boxed()
}
