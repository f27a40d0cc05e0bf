//! The positions in the records of the inbox. None of them moves back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use talk_proto::storage::Record;
use talk_proto::{Timestamp, encode_component};

use super::INBOX;
use crate::broken::broken;

/// The prefix of the keys of starts and positions.
const PREFIX: &str = "inbox/";
/// The rule that these checks verify.
const RULE: &str = "a stored position never moves back";

/// The position of each conversation.
#[derive(Default)]
pub(super) struct Positions(BTreeMap<String, Position>);

/// The position in a conversation.
struct Position {
    from: i64,
    /// The passed messages at `from`, and the acknowledged ones after it.
    passed: BTreeSet<String>,
}

impl Positions {
    pub(super) fn of_records(records: &[Record]) -> Self {
        let mut positions = Self::default();
        for record in records {
            positions.put(&record.key, &record.value);
        }
        positions
    }

    /// Handles a stored record. A position that moves back has no effect.
    pub(super) fn put(&mut self, key: &str, value: &str) {
        let path = key.strip_prefix(PREFIX);
        let path = path.and_then(|path| path.strip_prefix(INBOX));
        let Some(conversation) = path.and_then(|path| path.strip_prefix('/')) else {
            return;
        };
        let value: Value = serde_json::from_str(value).unwrap_or_default();
        let Some(from) = value["from"].as_i64() else {
            broken("a position has a time", key);
        };
        let passed = ids(&value, "seen").into_iter().chain(ids(&value, "acked"));
        let mut position = Position {
            from,
            passed: passed.collect(),
        };
        if let Some(before) = self.0.remove(conversation) {
            position.from = from.max(before.from);
            position.passed.extend(before.passed);
        }
        self.0.insert(conversation.to_owned(), position);
    }

    /// Returns `true` if the message is acknowledged.
    pub(super) fn cover(&self, conversation: &str, time: Timestamp, message: &str) -> bool {
        let position = self.0.get(&encode_component(conversation).to_string());
        position.is_some_and(|position| {
            time.as_millis() < position.from || position.passed.contains(message)
        })
    }
}

fn ids(value: &Value, field: &str) -> BTreeSet<String> {
    let list = value[field].as_array().into_iter().flatten();
    list.filter_map(|id| Some(id.as_str()?.to_owned()))
        .collect()
}

/// Checks a record that replaces another one.
pub(super) fn check_put(key: &str, before: Option<&String>, after: &str) {
    let Some(path) = key.strip_prefix(PREFIX) else {
        return;
    };
    let Some(before) = before else {
        return;
    };
    let [old, new] = [before, after].map(|value| -> Value {
        serde_json::from_str(value).unwrap_or_else(|_| broken("a position is JSON", value))
    });
    let is_moved_back = if path.contains('/') {
        is_behind(&old, &new)
    } else {
        let is_equal = |field: &str| old[field] == new[field];
        let is_kept = is_equal("from") && is_equal("began");
        !is_kept || new["mark"].as_i64() < old["mark"].as_i64()
    };
    if is_moved_back {
        broken(RULE, format!("{key}: {before} became {after}"));
    }
}

/// Returns `true` if the new position does not cover each message that the old one covers.
fn is_behind(old: &Value, new: &Value) -> bool {
    let (was, is) = (old["from"].as_i64(), new["from"].as_i64());
    is < was || is == was && !ids(old, "seen").is_subset(&ids(new, "seen"))
}

/// Checks the deletion of a record.
pub(super) fn check_delete(key: &str) {
    if key.starts_with(PREFIX) {
        broken(RULE, format!("{key} is deleted"));
    }
}
