//! JSON that is nearly right: bytes alone seldom are JSON at all, and hardly ever the JSON that somebody wants.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Choices;

/// Reads a document: the bytes themselves where they begin as one, else the template with changes that the bytes choose.
/// None where it is refused, which is as good.
pub fn document<T: DeserializeOwned>(template: &str, bytes: &[u8]) -> Option<T> {
    if bytes.first() == Some(&b'{') {
        return serde_json::from_slice(bytes).ok();
    }
    let mut value: Value = serde_json::from_str(template).expect("a template is JSON");
    let mut choices = Choices::new(bytes);
    // With more changes hardly any document would still be accepted.
    for _ in 0..choices.below(6) {
        edit(&mut value, &mut choices);
    }
    // Through text, as documents come.
    serde_json::from_str(&value.to_string()).ok()
}

fn edit(document: &mut Value, choices: &mut Choices<'_>) {
    let mut before = document.clone();
    let place = place(document, choices);
    if choices.byte().is_multiple_of(2) {
        return take_over(place, &before, choices);
    }
    let donor = self::place(&mut before, choices).clone();
    match choices.byte() % 6 {
        0 => *place = other(choices),
        1 => *place = donor,
        2 => nudge(place, choices),
        3 => drop_one(place, choices),
        4 => add(place, donor, choices),
        _ => swap(place, choices),
    }
}

/// Gives a field what it has elsewhere: of such are two leases with one port, and a memory of somebody else's.
fn take_over(place: &mut Value, document: &Value, choices: &mut Choices<'_>) {
    let Value::Object(fields) = place else { return };
    let chosen = choices.below(fields.len());
    let Some((name, value)) = fields.iter_mut().nth(chosen) else {
        return;
    };
    let mut others = Vec::new();
    namesakes(document, name, &mut others);
    *value = (*choices.of(&others)).clone();
}

/// All values under this name.
fn namesakes<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => {
            found.extend(fields.get(name));
            fields.values().collect()
        }
        _ => Vec::new(),
    };
    for child in children {
        namesakes(child, name, found);
    }
}

/// Some value in the document, at any depth.
fn place<'v>(value: &'v mut Value, choices: &mut Choices<'_>) -> &'v mut Value {
    let children = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    if children == 0 || choices.byte().is_multiple_of(6) {
        return value;
    }
    let chosen = choices.below(children);
    let child = match value {
        Value::Array(items) => items.get_mut(chosen),
        Value::Object(fields) => fields.values_mut().nth(chosen),
        _ => None,
    };
    place(child.expect("it was counted"), choices)
}

/// A value that readers might stumble over.
fn other(choices: &mut Choices<'_>) -> Value {
    match choices.below(16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(choices.short()),
        3 => json!(choices.number()),
        4 => json!(choices.number().cast_signed()),
        5 => json!(0),
        6 => json!(65535),
        7 => json!(65536),
        8 => json!((1_u64 << 53) - 1),
        9 => json!(1.5),
        10 => json!(""),
        11 => json!("x".repeat(choices.below(1100))),
        12 => json!(String::from_utf8_lossy(choices.bytes(12))),
        13 => json!([]),
        14 => json!({}),
        _ => json!([choices.short(), choices.short()]),
    }
}

/// Changes a number by little, which leaves a document more likely right than changing it by much.
fn nudge(value: &mut Value, choices: &mut Choices<'_>) {
    if let Some(number) = value.as_i64() {
        let by = i64::from(choices.byte()) - 128;
        *value = json!(number.saturating_add(by));
    }
}

fn drop_one(value: &mut Value, choices: &mut Choices<'_>) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.remove(choices.below(items.len()));
        }
        Value::Object(fields) => {
            let key = fields.keys().nth(choices.below(fields.len())).cloned();
            key.and_then(|key| fields.remove(&key));
        }
        _ => {}
    }
}

fn add(value: &mut Value, donor: Value, choices: &mut Choices<'_>) {
    match value {
        Value::Array(items) if items.len() < 64 => {
            let twin = items.get(choices.below(items.len())).cloned();
            items.push(twin.unwrap_or(donor));
        }
        Value::Object(fields) => {
            let key = String::from_utf8_lossy(choices.bytes(4)).into_owned();
            fields.insert(key, donor);
        }
        _ => {}
    }
}

fn swap(value: &mut Value, choices: &mut Choices<'_>) {
    if let Value::Array(items) = value
        && !items.is_empty()
    {
        let (one, other) = (choices.below(items.len()), choices.below(items.len()));
        items.swap(one, other);
    }
}
