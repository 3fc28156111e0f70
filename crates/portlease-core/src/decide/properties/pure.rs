//! The same input gives the same decision, wherever the input travelled in between.

use alloc::vec::Vec;
use core::fmt;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::config;
use super::facts::any_facts;
use super::situations::{Case, any_case, any_leases};
use crate::histories::requests::{any_holder, any_request};

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn prop_same_input_same_decision(case in any_case()) {
        prop_assert_eq!(case.decide(), case.clone().decide());
    }

    #[test]
    fn prop_a_case_that_travelled_is_decided_alike(case in any_case()) {
        let travelled = Case {
            leases: travel(&case.leases),
            command: travel(&case.command),
            facts: travel(&case.facts),
        };
        prop_assert_eq!(bytes(&case.decide()), bytes(&travelled.decide()));
    }

    #[test]
    fn prop_the_scope_of_a_command_is_enough(case in any_case()) {
        let part = Case { leases: case.leases.within(&case.command.scope()), ..case.clone() };
        prop_assert_eq!(part.decide(), case.decide());
    }

    #[test]
    fn prop_questions_change_nothing(case in any_case()) {
        if case.command.is_read_only() {
            let decision = case.decide().expect("a question is answered");
            prop_assert_eq!(decision.changes, alloc::vec![]);
        }
    }

    #[test]
    fn prop_values_survive_json(
        (leases, request, facts, holder) in (any_leases(), any_request(1..=4), any_facts(), any_holder()),
        case in any_case(),
    ) {
        prop_assert_eq!(travel(&leases), leases);
        prop_assert_eq!(travel(&request), request);
        prop_assert_eq!(travel(&facts), facts);
        prop_assert_eq!(travel(&holder), holder);
        prop_assert_eq!(travel(&case.command), case.command.clone());
        match case.decide() {
            Ok(decision) => prop_assert_eq!(travel(&decision), decision),
            Err(refusal) => prop_assert_eq!(travel(&refusal), refusal),
        }
    }

    #[test]
    fn prop_a_refusal_is_a_sentence(case in any_case()) {
        if let Err(refusal) = case.decide() {
            let sentence = alloc::format!("{refusal}");
            prop_assert!(sentence.ends_with('.') && sentence.len() > 20, "{}", sentence);
            let json = serde_json::to_value(&refusal).unwrap();
            prop_assert_eq!(&json["code"], refusal.code());
        }
    }
}

fn travel<T: Serialize + DeserializeOwned + fmt::Debug>(value: &T) -> T {
    serde_json::from_slice(&bytes(value)).expect("what was written can be read")
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("every value can be written")
}
