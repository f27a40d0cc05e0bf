//! Where two JSON values differ.

use serde_json::Value;

/// How many differences are worth telling of one topic.
const TOLD: usize = 6;

/// The differences, each as the path and both values; none when the values are equal.
pub(super) fn differences(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("$", ours, theirs, &mut found);
    let more = found.len().saturating_sub(TOLD);
    found.truncate(TOLD);
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

/// Numbers compare by value: JavaScript writes 2.0 as 2.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => ours == theirs,
    }
}
