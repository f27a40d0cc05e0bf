//! Ranges of windows after a connection loss, and items that move between pages.

use serde_json::{Value, json};

use super::conversation_list::{LIST, active, loaded, no_messages, side_edited, subscribe};
use super::kit::*;
use crate::SubscriptionId;
use crate::changes::Changes;
use crate::options::Limits;
use crate::wire::Request;

fn alice() -> Value {
    json!({"alice": user("alice", "Alice")})
}

/// Answers GETs of messages from `newest` down to 1 until none is pending.
fn answer_messages(kit: &mut Kit, newest: i64) {
    while answer_page(kit, "c", newest) {}
}

/// Answers one GET of messages. Returns `false` if none is pending.
pub(super) fn answer_page(kit: &mut Kit, conversation: &str, newest: i64) -> bool {
    let path = format!("/me/conversations/{conversation}/messages");
    let mut open = kit.open.iter();
    let Some((_, request)) = open.find(|(_, r)| r.path == path && is_get(r)) else {
        return false;
    };
    let data: Value = serde_json::from_str(&request.data).unwrap();
    let from = match data["cursor"].as_str() {
        Some(cursor) => cursor.parse().unwrap(),
        None => newest,
    };
    let to = (from - data["limit"].as_i64().unwrap().min(100) + 1).max(1);
    let cursor = (to > 1).then(|| (to - 1).to_string());
    let body = page(&messages(from, to), cursor.as_deref());
    kit.answer(&format!("GET {path}"), &body);
    true
}

pub(super) fn is_get(request: &Request) -> bool {
    request.method.to_string() == "GET"
}

/// Subscribes and loads `count` of the messages from `newest` down to 1.
pub(super) fn shown(kit: &mut Kit, newest: i64, count: usize) -> SubscriptionId {
    shown_in(kit, "c", newest, count)
}

/// Does the same in another conversation.
pub(super) fn shown_in(
    kit: &mut Kit,
    conversation: &str,
    newest: i64,
    count: usize,
) -> SubscriptionId {
    let id = kit.messages(conversation);
    kit.drain();
    answer_page(kit, conversation, newest);
    if kit.count(id) == 0 {
        kit.answer(USERS, &alice());
    }
    while kit.window(id).len() < count {
        let more = (count - kit.window(id).len()).min(100);
        kit.load_more(id, more);
        kit.drain();
        while answer_page(kit, conversation, newest) {}
    }
    id
}

#[test]
fn complete_window_grown_while_offline_stays_complete() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 140, 140);
    assert!(kit.window(id).loaded_all());
    kit.reconnect();
    answer_messages(&mut kit, 145);
    assert_eq!(kit.window(id).len(), 145);
    assert!(kit.window(id).loaded_all());
}

#[test]
fn window_grown_while_offline_keeps_its_oldest_item() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 200, 130);
    assert_eq!(kit.ids(id).last().unwrap(), "m71");
    kit.reconnect();
    answer_messages(&mut kit, 240);
    assert_eq!(kit.ids(id).last().unwrap(), "m71");
    assert_eq!(kit.window(id).len(), 170);
    assert!(!kit.window(id).loaded_all() && kit.changes[&id] != Changes::Gap);
}

#[test]
fn unchanged_window_is_refetched_with_one_request() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 200, 30);
    kit.reconnect();
    kit.answer(MESSAGES, &page(&messages(200, 171), Some("170")));
    let is_page = |request: &Request| is_get(request) && request.path.ends_with("/messages");
    assert!(!kit.open.iter().any(|(_, request)| is_page(request)));
    assert_eq!(kit.count(id), 1);
}

#[test]
fn window_beyond_the_refetch_limit_reports_a_gap() {
    let mut kit = Kit::with_limits(|limits| limits.refetch = 60);
    let id = shown(&mut kit, 200, 50);
    kit.reconnect();
    answer_messages(&mut kit, 300);
    assert_eq!(kit.changes[&id], Changes::Gap);
    assert_eq!(kit.ids(id).first().unwrap(), "m300");
    assert_eq!(kit.window(id).len(), 100);
    kit.publish(&[created(&message("m301", "alice", 301))]);
    assert_ne!(kit.changes[&id], Changes::Gap);
}

#[test]
fn conversations_moving_above_the_cursor_are_kept() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 45, 16, Some("16"));
    kit.load_more(id, 25);
    kit.drain();
    let rest: Vec<_> = (1..=15).rev().map(active).collect();
    kit.answer(LIST, &page(&rest, None));
    no_messages(&mut kit, 1..=15);
    assert_eq!(kit.ids(id).len(), 45);

    kit.reconnect();
    let first: Vec<_> = (16..=45).rev().map(active).collect();
    kit.answer(LIST, &page(&first, Some("16")));
    // Ten conversations of the second page move to the front before the page is read.
    let moved: Vec<_> = (1..=10)
        .map(|n| side_edited(n, json!({"lastMessageAt": 100 + n})))
        .collect();
    kit.publish(&moved);
    let rest: Vec<_> = (11..=15).rev().map(active).collect();
    kit.answer(LIST, &page(&rest, None));
    for n in 1..=10 {
        let mut side = active(n);
        side["lastMessageAt"] = json!(100 + n);
        kit.answer(&format!("GET /me/conversations/c{n}"), &side);
    }
    no_messages(&mut kit, 1..=45);
    assert_eq!(kit.ids(id).len(), 45);
    assert_eq!(kit.ids(id)[..2], ["c10", "c9"]);
}

#[test]
fn unseen_conversation_in_a_complete_list_is_fetched() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 3, 1, None);
    kit.publish(&[side_edited(9, json!({"lastMessageAt": 9}))]);
    kit.answer("GET /me/conversations/c9", &active(9));
    no_messages(&mut kit, 9..=9);
    assert_eq!(kit.ids(id), ["c9", "c3", "c2", "c1"]);
}

#[test]
fn conversation_missing_from_the_pages_is_verified() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 3, 1, None);
    kit.reconnect();
    kit.answer(LIST, &page(&[active(3), active(1)], None));
    no_messages(&mut kit, 1..=3);
    assert_eq!(kit.count(id), 1);
    let path = "GET /me/conversations/c2";
    kit.refuse(path, 403, "NOT_A_PARTICIPANT");
    assert_eq!(kit.ids(id), ["c3", "c1"]);

    let other = subscribe(&mut kit);
    kit.drain();
    assert_eq!(kit.ids(other), ["c3", "c1"]);
}

#[test]
fn refetch_limit_is_two_thousand_by_default() {
    assert_eq!(Limits::default().refetch, 2_000);
}

#[test]
fn window_that_lost_all_items_keeps_its_range() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    let left = |n| json!({"type": "side.deleted", "conversationId": format!("c{n}")});
    kit.publish(&(11..=30).map(left).collect::<Vec<_>>());
    assert_eq!(kit.ids(id), [""; 0]);
    kit.reconnect();
    // Some conversations have come back, and older ones follow.
    let sides: Vec<_> = (1..=20).rev().map(active).collect();
    kit.answer(LIST, &page(&sides, Some("x")));
    no_messages(&mut kit, 1..=20);
    let expected: Vec<_> = (12..=20).rev().map(|n| format!("c{n}")).collect();
    assert_eq!(kit.ids(id), expected);
}

#[test]
fn conversation_moving_while_a_full_list_is_paged_is_kept() {
    let mut kit = Kit::with_limits(|limits| limits.window = 31);
    let id = loaded(&mut kit, 31, 12, Some("12"));
    kit.load_more(id, 11);
    kit.drain();
    let rest: Vec<_> = (1..=11).rev().map(active).collect();
    kit.answer(LIST, &page(&rest, None));
    no_messages(&mut kit, 1..=11);
    assert_eq!(kit.ids(id).len(), 31);

    kit.reconnect();
    let first: Vec<_> = (4..=33).rev().map(active).collect();
    kit.answer(LIST, &page(&first, Some("4")));
    // The last conversation moves to the front before its page is read.
    kit.publish(&[side_edited(1, json!({"lastMessageAt": 100}))]);
    kit.answer(LIST, &page(&[active(3), active(2)], None));
    let mut moved = active(1);
    moved["lastMessageAt"] = json!(100);
    kit.answer("GET /me/conversations/c1", &moved);
    no_messages(&mut kit, 1..=33);
    let expected = [1].into_iter().chain((4..=33).rev());
    let expected: Vec<_> = expected.map(|n| format!("c{n}")).collect();
    assert_eq!(kit.ids(id), expected);
}

#[test]
fn conversation_moving_up_a_full_list_is_kept() {
    let mut kit = Kit::with_limits(|limits| limits.window = 20);
    let id = loaded(&mut kit, 30, 11, Some("x"));
    // The last conversation gets a message whose sender is unknown.
    let sent = json!({
        "type": "message.created",
        "conversationId": "c11",
        "messageId": "m",
        "state": message("m", "bob", 50),
    });
    kit.publish(&[sent, side_edited(11, json!({"lastMessageAt": 50}))]);
    // Meanwhile, another one enters the list.
    kit.publish(&[side_edited(5, json!({"lastMessageAt": 60}))]);
    let mut moved = active(5);
    moved["lastMessageAt"] = json!(60);
    kit.answer("GET /me/conversations/c5", &moved);
    no_messages(&mut kit, [5]);
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    let expected = [5, 11].into_iter().chain((13..=30).rev());
    let expected: Vec<_> = expected.map(|n| format!("c{n}")).collect();
    assert_eq!(kit.ids(id), expected);
}
