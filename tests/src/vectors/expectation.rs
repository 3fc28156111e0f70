//! What is expected of an answer, in a few words.

use serde_json::{Value as Json, json};

/// What of the answer is not as expected.
///
/// `expected` is an object. A key that begins with a slash is the place of a value in the answer. Of the others,
///
/// | key | is |
/// |---|---|
/// | `port`, `tier`, `outcome`, `range` | what the first service gets |
/// | `ports`, `tiers`, `outcomes` | what each service gets |
/// | `moves` | the ports from which and to which others move |
/// | `is` | the whole answer, when it is no error |
/// | `code`, `details` | of the error |
/// | `says` | a part of the error's sentence |
pub(super) fn problems(expected: &Json, answer: &str) -> Vec<String> {
    let answer: Json = match serde_json::from_str(answer) {
        Ok(answer) => answer,
        Err(error) => return vec![format!("the answer is no JSON: {error}")],
    };
    let expectations = expected.as_object().into_iter().flatten();
    expectations
        .filter_map(|(key, expected)| problem(key, expected, &answer))
        .collect()
}

fn problem(key: &str, expected: &Json, answer: &Json) -> Option<String> {
    let found = found(key, answer);
    let is_so = match (key, expected, &found) {
        ("says", Json::String(part), Json::String(text)) => text.contains(&**part),
        _ => *expected == found,
    };
    (!is_so).then(|| format!("{key} is {found} and not {expected}"))
}

fn found(key: &str, answer: &Json) -> Json {
    let at = |place: &str| answer.pointer(place).cloned().unwrap_or_default();
    let granted = || {
        let services = answer.pointer("/ok/reserved/services");
        services.and_then(Json::as_array).into_iter().flatten()
    };
    let first = |place: &str| {
        let granted = granted().next();
        granted
            .and_then(|granted| granted.pointer(place))
            .cloned()
            .unwrap_or_default()
    };
    let each = |place: &str| -> Json {
        granted()
            .map(|granted| granted.pointer(place).cloned())
            .collect()
    };
    match key {
        "port" => first("/lease/port"),
        "tier" => first("/lease/tier"),
        "range" => first("/lease/range"),
        "framework" => first("/lease/framework"),
        "outcome" => first("/outcome"),
        "ports" => each("/lease/port"),
        "tiers" => each("/lease/tier"),
        "outcomes" => each("/outcome"),
        "moves" => {
            let moves = answer
                .pointer("/ok/reserved/moves")
                .and_then(Json::as_array);
            let moves = moves.into_iter().flatten();
            moves
                .map(|moved| json!([moved["from"], moved["to"]]))
                .collect()
        }
        "is" => at("/ok"),
        "code" => at("/error/code"),
        "details" => at("/error/details"),
        "says" => at("/error/message"),
        place => at(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &Json, count: usize) {
        let answer = json!({"ok": {"reserved": {"services": [{"outcome": "new", "lease": {"port": 3000}}]}}});
        let problems = problems(expected, &answer.to_string());
        assert_eq!(problems.len(), count, "{problems:?}");
    }

    #[test]
    fn what_is_not_so_is_a_problem() {
        check(
            &json!({"port": 3000, "ports": [3000], "outcome": "new", "moves": []}),
            0,
        );
        check(
            &json!({"port": 3001, "ports": [3000], "outcome": "reused"}),
            2,
        );
        check(&json!({"/ok/reserved/services/0/lease/port": 3000}), 0);
        check(&json!({"/ok/nothing": 3000}), 1);
        check(&json!({"code": "INVALID_PORT", "says": "port"}), 2);
        assert_eq!(problems(&json!({}), "no JSON").len(), 1);
    }
}
