//! Random histories, of which the leases are those that the decisions leave.

use proptest_state_machine::{StateMachineTest, prop_state_machine};

use super::config;
use crate::decide;
use crate::histories::history::History;
use crate::histories::machine::{Event, Machine};

prop_state_machine! {
    #![proptest_config(config(1))]

    #[test]
    fn prop_histories_keep_every_promise(sequential 1..=40 => History);
}

impl StateMachineTest for History {
    type SystemUnderTest = Self;
    type Reference = Machine;

    fn init_test(_: &Machine) -> Self {
        Self::default()
    }

    fn apply(mut history: Self, machine: &Machine, event: Event) -> Self {
        let lived = history.goes_on(machine, event, &mut |leases, command, facts| {
            Ok(decide(leases, command, facts))
        });
        assert_eq!(lived, Ok(()));
        history
    }
}
