//! Frames with an unreadable event or item.

use fastrand::Rng;
use serde_json::{Value, json};

use super::wire;

/// The members that an event needs if it has them.
const REQUIRED: [&str; 8] = [
    "state",
    "diff",
    "newLastMessage",
    "conversationId",
    "messageId",
    "userId",
    "emoji",
    "createdAt",
];

/// Returns a publish with a required member of one event replaced. Returns `None` for other frames
/// and for events without such a member.
pub(super) fn with_unreadable_event(frame: &str, rng: &mut Rng) -> Option<String> {
    let mut frame: Vec<Value> = serde_json::from_str(frame).ok()?;
    let (head, events) = frame.split_at_mut_checked(2)?;
    if head[1] != "PUBLISH" || events.is_empty() {
        return None;
    }
    let event = events[rng.usize(..events.len())].as_object_mut()?;
    let members = REQUIRED.iter().filter(|name| event.contains_key(**name));
    let members: Vec<_> = members.collect();
    let name = *rng.choice(&members)?;
    event.insert((*name).to_owned(), json!(true));
    serde_json::to_string(&frame).ok()
}

/// Returns the answer to a request with an additional, unreadable item. Returns `None` for answers
/// that are no page and no map of users.
pub(super) fn with_unreadable_item(request: &str, answer: &str, rng: &mut Rng) -> Option<String> {
    let mut frame: Vec<Value> = serde_json::from_str(answer).ok()?;
    let body = frame.get_mut(2)?;
    let junk = [json!(7), json!(null), json!("x"), json!([[]]), json!({})];
    let junk = rng.choice(junk)?;
    if let Some(items) = body.get_mut("data").and_then(Value::as_array_mut) {
        items.insert(rng.usize(..=items.len()), junk);
    } else if wire::path(request) == Some("/users") {
        body.as_object_mut()?.insert("junk".to_owned(), junk);
    } else {
        return None;
    }
    serde_json::to_string(&frame).ok()
}
