//! What a planner is asked, in a browser or a control plane: by text from anywhere, and by JSON that is nearly right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portlease_core::{Planner, answer};
use portlease_fuzz::document;
use serde::Deserialize;
use serde_json::Value as Json;

const TEMPLATE: &str = include_str!("../seeds/plan/conversation.json");

/// A host, and what a planner is asked about it.
#[derive(Deserialize)]
struct Conversation {
    snapshot: Json,
    asks: Vec<Json>,
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        let (snapshot, questions) = text.split_once('\n').unwrap_or((r#"{"host":"a"}"#, text));
        let questions: Vec<String> = questions.lines().map(str::to_owned).collect();
        check(snapshot, &questions);
    }
    if let Some(conversation) = document::<Conversation>(TEMPLATE, bytes) {
        let questions: Vec<String> = conversation.asks.iter().map(Json::to_string).collect();
        check(&conversation.snapshot.to_string(), &questions);
    }
});

/// It answers or refuses, and says the same when it is asked the same again.
fn check(snapshot: &str, questions: &[String]) {
    let asked = || -> Vec<String> {
        let about_none = questions.iter().map(|question| answer(question));
        let about_host: Vec<String> = match Planner::read(snapshot) {
            Ok(mut planner) => questions
                .iter()
                .map(|question| planner.answer(question))
                .collect(),
            Err(problem) => vec![problem],
        };
        about_none.chain(about_host).collect()
    };
    let answers = asked();
    assert_eq!(answers, asked());
    for text in &answers {
        let answer: Json = serde_json::from_str(text).expect("an answer is JSON");
        let answer = answer.as_object().expect("an answer is an object");
        match answer.get("error") {
            None => assert!(answer.contains_key("ok"), "{text}"),
            Some(error) => assert!(error["code"].is_string() && error["details"].is_object()),
        }
        assert_eq!(answer.len(), 1, "{text}");
    }
    // A planner that was told of changes can be sent on.
    if let Ok(mut planner) = Planner::read(snapshot) {
        for question in questions {
            planner.answer(question);
        }
        let seen = serde_json::to_string(&planner.snapshot()).expect("a snapshot can be JSON");
        assert_eq!(
            Planner::read(&seen).map(|again| again.snapshot()),
            Ok(planner.snapshot())
        );
    }
}
