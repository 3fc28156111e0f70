use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Ports that meet often: few enough to collide, and around the edges of words and of the range.
fn any_port() -> impl Strategy<Value = Port> {
    prop_oneof![1_u16..200, 3000_u16..3100, 65400_u16.., 1_u16..].prop_map(Port::literal)
}

fn any_ports() -> impl Strategy<Value = BTreeSet<Port>> {
    prop_oneof![
        proptest::collection::btree_set(any_port(), 0..60),
        any_range().prop_map(|range| range.iter().collect()),
    ]
}

fn any_range() -> impl Strategy<Value = PortRange> {
    (any_port(), 1_u16..300).prop_map(|(first, count)| PortRange::starting_at(first, count))
}

fn set(ports: &BTreeSet<Port>) -> PortSet {
    ports.iter().copied().collect()
}

/// The bitmap and the ordinary set hold the same ports, whichever way the bitmap is asked.
fn check(actual: &PortSet, expected: &BTreeSet<Port>) {
    assert_eq!(
        actual.iter().collect::<Vec<_>>(),
        expected.iter().copied().collect::<Vec<_>>()
    );
    assert_eq!(actual.len() as usize, expected.len());
    assert_eq!(actual.is_empty(), expected.is_empty());
    assert_eq!(
        *actual,
        set(expected),
        "equal sets compare equal however they came about"
    );
}

#[derive(Debug, Clone)]
enum Step {
    Insert(Port),
    Remove(Port),
    InsertRange(PortRange),
    RetainRange(PortRange),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any_port().prop_map(Step::Insert),
        4 => any_port().prop_map(Step::Remove),
        1 => any_range().prop_map(Step::InsertRange),
        1 => any_range().prop_map(Step::RetainRange),
    ]
}

proptest! {
    #[test]
    fn prop_changes_match_an_ordinary_set(steps in proptest::collection::vec(any_step(), 0..40)) {
        let (mut actual, mut expected) = (PortSet::new(), BTreeSet::new());
        for step in steps {
            match step {
                Step::Insert(port) => prop_assert_eq!(actual.insert(port), expected.insert(port)),
                Step::Remove(port) => prop_assert_eq!(actual.remove(port), expected.remove(&port)),
                Step::InsertRange(range) => {
                    actual.insert_range(range);
                    expected.extend(range.iter());
                }
                Step::RetainRange(range) => {
                    actual.retain_range(range);
                    expected.retain(|port| range.contains(*port));
                }
            }
            check(&actual, &expected);
        }
    }

    #[test]
    fn prop_algebra_matches_an_ordinary_set(left in any_ports(), right in any_ports()) {
        let mut union = set(&left);
        union |= &set(&right);
        check(&union, &left.union(&right).copied().collect());
        let mut intersection = set(&left);
        intersection &= &set(&right);
        check(&intersection, &left.intersection(&right).copied().collect());
        let mut difference = set(&left);
        difference -= &set(&right);
        check(&difference, &left.difference(&right).copied().collect());
    }

    #[test]
    fn prop_searches_match_an_ordinary_set(ports in any_ports(), start in any_port(), range in any_range()) {
        let actual = set(&ports);
        let next = ports.range(start..).next().copied();
        prop_assert_eq!(actual.next_from(start), next);
        prop_assert_eq!(actual.first(), ports.first().copied());
        prop_assert_eq!(actual.next_wrapping(start), next.or(ports.first().copied()));
        let absent = (start.get()..=u16::MAX).map(Port::literal).find(|port| !ports.contains(port));
        prop_assert_eq!(actual.next_absent_from(start), absent);
        prop_assert_eq!(actual.count_in(range) as usize, ports.iter().filter(|port| range.contains(**port)).count());
        prop_assert_eq!(actual.contains(start), ports.contains(&start));
    }

    #[test]
    fn prop_ranges_are_the_set_and_never_touch(ports in any_ports()) {
        let ranges: Vec<PortRange> = set(&ports).ranges().collect();
        check(&ranges.iter().copied().collect(), &ports);
        for pair in ranges.windows(2) {
            prop_assert!(pair[0].last().get() + 1 < pair[1].first().get());
        }
    }

    #[test]
    fn prop_json_keeps_a_set(ports in any_ports()) {
        let json = serde_json::to_string(&set(&ports)).unwrap();
        check(&serde_json::from_str(&json).unwrap(), &ports);
    }
}

#[test]
fn the_whole_range_of_ports_fits() {
    let all = PortSet::from(PortRange::ALL);
    assert_eq!(all.len(), 65535);
    assert_eq!(all.next_absent_from(Port::MIN), None);
    assert_eq!(all.ranges().collect::<Vec<_>>(), [PortRange::ALL]);
    assert_eq!(PortSet::new().next_absent_from(Port::MAX), Some(Port::MAX));
}

#[test]
fn json_is_short_and_strict() {
    let set: PortSet = serde_json::from_str("[4000, [3000, 3002], [3002, 3003]]").unwrap();
    assert_eq!(serde_json::to_string(&set).unwrap(), "[[3000,3003],4000]");
    for unusable in [
        "[0]",
        "[65536]",
        "[[3,2]]",
        "[[1,2,3]]",
        "[-1]",
        "[\"80\"]",
        "80",
        "{}",
    ] {
        assert!(
            serde_json::from_str::<PortSet>(unusable).is_err(),
            "{unusable}"
        );
    }
}

#[test]
fn a_set_shows_its_ranges() {
    let set: PortSet = serde_json::from_str("[4000, [3000, 3003]]").unwrap();
    assert_eq!(alloc::format!("{set:?}"), "{3000–3003, 4000}");
}

#[test]
fn an_error_says_what_a_set_looks_like() {
    let message = |json| alloc::format!("{}", serde_json::from_str::<PortSet>(json).unwrap_err());
    assert!(message("80").contains("a list of ports and ranges, such as [3000, [4000, 4010]]"));
    assert!(message("[\"80\"]").contains("a port from 1 to 65535 or a pair of them"));
}
