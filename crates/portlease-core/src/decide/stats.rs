//! How the ports are used.

use core::cmp::Reverse;

use crate::{Facts, Leases, NamedRange, PortSet, PortUsage, RangeUsage, Stats, StatsQuery};

pub(crate) fn stats(leases: &Leases, query: &StatsQuery, facts: &Facts) -> Stats {
    let mut occupied_only = facts.occupied.ports().clone();
    occupied_only -= leases.ports();
    let ranges = query
        .ranges
        .iter()
        .map(|named| range_usage(named, leases, &occupied_only))
        .collect();
    let top = usize::try_from(query.top).unwrap_or(usize::MAX);
    let by_grants = |usage: &PortUsage| (usage.grants, usage.port);
    let mut busiest = leases.usage();
    busiest.sort_unstable_by_key(|usage| (Reverse(usage.grants), usage.port));
    let mut least_used = busiest.clone();
    least_used.sort_unstable_by_key(by_grants);
    busiest.truncate(top);
    least_used.truncate(top);
    Stats {
        ranges,
        busiest,
        least_used,
        counters: leases.counters(),
    }
}

fn range_usage(named: &NamedRange, leases: &Leases, occupied_only: &PortSet) -> RangeUsage {
    let leased = leases.ports().count_in(named.range);
    let occupied = occupied_only.count_in(named.range);
    RangeUsage {
        name: named.name.clone(),
        range: named.range,
        leased,
        occupied,
        free: named.range.len() - leased - occupied,
    }
}
