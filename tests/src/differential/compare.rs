//! The differences between two JSON values.

use serde_json::Value;

/// The maximum number of reported differences of a topic.
const MAX_REPORTED: usize = 6;

/// Returns the differences, each with its path and both values.
pub(super) fn differences(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("$", ours, theirs, &mut found);
    let more = found.len().saturating_sub(MAX_REPORTED);
    found.truncate(MAX_REPORTED);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found
}

fn walk(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => walk(&format!("{path}.{key}"), value, other, found),
                    None => found.push(format!("{path}.{key}: ours {value}, theirs absent")),
                }
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                found.push(format!("{path}.{key}: ours absent, theirs {value}"));
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                found.push(format!(
                    "{path}: ours has {} items, theirs {}",
                    a.len(),
                    b.len()
                ));
            }
            for (i, (value, other)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}[{i}]"), value, other, found);
            }
        }
        _ if same(ours, theirs) => {}
        _ => found.push(format!("{path}: ours {ours}, theirs {theirs}")),
    }
}

/// Returns `true` if two values are equal. Numbers compare by value, because JavaScript writes 2.0
/// as 2.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => ours == theirs,
    }
}
