//! No field of a row can be left out unnoticed.

use portlease_core::{Capability, LeaseState, Name, PortRange, Tier, Timestamp};

use crate::check;
use crate::fault::Fault;

macro_rules! missed {
    ($($test:ident: $fault:expr;)*) => {
        $(
            #[test]
            fn $test() {
                check($fault, &["a_long_history_ends_as_the_decisions_say"]);
            }
        )*
    };
}

missed! {
    framework: Fault::StoresLease(|lease| lease.framework = Name::literal("default"));
    generation: Fault::StoresLease(|lease| lease.generation = lease.generation.next());
    state: Fault::StoresLease(|lease| lease.state = LeaseState::Reserved);
    holder: Fault::StoresLease(|lease| lease.holder = None);
    listener: Fault::StoresLease(|lease| lease.listener = None);
    range: Fault::StoresLease(|lease| lease.range = PortRange::only(lease.port));
    tier: Fault::StoresLease(|lease| lease.tier = Tier::Scan);
    priority: Fault::StoresLease(|lease| lease.priority = 0);
    requires: Fault::StoresLease(|lease| lease.requires = Vec::new());
    order_of_requires: Fault::StoresLease(|lease| lease.requires.sort_unstable());
    followers: Fault::StoresLease(|lease| lease.followers = Vec::new());
    requires_of_followers: Fault::StoresLease(|lease| {
        for follower in &mut lease.followers {
            follower.requires = vec![Capability::Http];
        }
    });
    granted_at: Fault::StoresLease(|lease| lease.granted_at = lease.renewed_at);
    renewed_at: Fault::StoresLease(|lease| lease.renewed_at = lease.granted_at);
    instance: Fault::StoresLease(|lease| lease.key.instance = 1);

    port_of_a_memory: Fault::StoresMemory(|memory| {
        memory.port = memory.port.next().unwrap_or(memory.port);
    });
    instance_of_a_memory: Fault::StoresMemory(|memory| memory.key.instance = 1);
    released_at: Fault::StoresMemory(|memory| memory.released_at = Timestamp::default());

    reuses: Fault::Counts(|counters| counters.reuses = 0);
    conflicts: Fault::Counts(|counters| counters.conflicts = 0);
    moves: Fault::Counts(|counters| counters.moves = 0);
    refusals: Fault::Counts(|counters| counters.refusals = 0);
    releases: Fault::Counts(|counters| counters.releases = 0);
    swept: Fault::Counts(|counters| counters.swept = 0);

    usage: Fault::ForgetsUsage;
    last_swept: Fault::ForgetsSweeps;
}
