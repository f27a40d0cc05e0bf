//! Bounds of stored data: windows are limited by the options, and events that precede an answer by
//! the cost of a repeated request.

use serde_json::{Value, json};

use super::kit::*;
use crate::snapshot::{Snapshot, Topic};
use crate::{SubscriptionId, model::ConversationId};

const LIST: &str = "GET /me/conversations";
const PARTICIPANTS: &str = "GET /me/conversations/c/participants";

fn capped(window: usize) -> Kit {
    let mut kit = Kit::with_window(window);
    kit.live.handle_ready(kit.now);
    kit
}

fn conversation(id: &str) -> ConversationId {
    id.try_into().unwrap()
}

fn loaded_all(kit: &Kit, id: SubscriptionId) -> bool {
    match kit.seen[&id].last() {
        Some(Snapshot::Conversations(window)) => window.loaded_all(),
        Some(Snapshot::Participants(Some(window))) => window.loaded_all(),
        other => panic!("no list but {other:?}"),
    }
}

/// Checks that `load_more` requests nothing and is resolved.
fn is_full(kit: &mut Kit, id: SubscriptionId) {
    assert!(!loaded_all(kit, id));
    let more = kit.load_more(id, 5);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn list_above_the_cap_drops_oldest_conversations() {
    let mut kit = capped(3);
    let id = kit.subscribe(Topic::Conversations { filter: None });
    kit.drain();
    let active = |n: i64| {
        let mut side = side(&format!("c{n}"));
        side["lastMessageAt"] = json!(n);
        side
    };
    let no_messages = |kit: &mut Kit, n: i64| {
        let path = format!("GET /me/conversations/c{n}/messages");
        kit.answer(&path, &page(&[], None));
    };
    kit.answer(LIST, &page(&[active(3), active(2), active(1)], None));
    for n in 1..=3 {
        no_messages(&mut kit, n);
    }
    assert_eq!(kit.ids(id), ["c3", "c2", "c1"]);
    assert!(loaded_all(&kit, id));
    for n in 4..=5 {
        let (id, state) = (format!("c{n}"), active(n));
        kit.publish(&[json!({"type": "side.created", "conversationId": id, "state": state})]);
        no_messages(&mut kit, n);
    }
    assert_eq!(kit.ids(id), ["c5", "c4", "c3"]);
    is_full(&mut kit, id);
    // An evicted conversation comes back with new activity.
    let diff = json!({"lastMessageAt": 9});
    kit.publish(&[json!({"type": "side.edited", "conversationId": "c1", "diff": diff})]);
    let mut again = active(9);
    again["id"] = json!("c1");
    kit.answer("GET /me/conversations/c1", &again);
    assert_eq!(kit.ids(id), ["c1", "c5", "c4"]);
}

#[test]
fn participants_above_the_cap_drop_the_earliest() {
    let mut kit = capped(3);
    let id = kit.subscribe(Topic::Participants {
        conversation: conversation("c"),
    });
    kit.drain();
    let joined: Vec<_> = [3, 2, 1].map(|n| participant(&format!("p{n}"), n)).to_vec();
    kit.answer(PARTICIPANTS, &page(&joined, None));
    let users = |ids: &[&str]| -> Value {
        let users = ids.iter().map(|id| ((*id).to_owned(), user(id, id)));
        Value::Object(users.collect())
    };
    kit.answer(USERS, &users(&["p1", "p2", "p3"]));
    assert_eq!(kit.ids(id), ["p3", "p2", "p1"]);
    assert!(loaded_all(&kit, id));
    let state = participant("p4", 4);
    let joins = json!({"type": "participant.created", "conversationId": "c", "userId": "p4",
                       "state": state});
    kit.publish(&[joins]);
    kit.answer(USERS, &users(&["p4"]));
    assert_eq!(kit.ids(id), ["p4", "p3", "p2"]);
    is_full(&mut kit, id);
}

/// So many events precede the first answer that the answer is requested again. The pending answer
/// is older than the events that were discarded.
#[test]
fn early_events_above_the_cap_cause_a_refetch() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let (first, _) = kit.open[1].clone();
    let typed = |n: i64| edited("m1", json!({"custom": {"n": n.to_string()}}));
    let many: Vec<_> = (0..10_000).map(typed).collect();
    assert_eq!(kit.publish(&many), [""; 0]);
    let sent = kit.publish(&[typed(10_000)]);
    assert_eq!(sent, [r#"GET /me/conversations/c/messages {"limit":30}"#]);
    let late = serde_json::value::to_raw_value(&page(&messages(1, 1), None)).unwrap();
    kit.live.handle_answer(kit.now, first, Ok(Some(&late)));
    assert_eq!(kit.drain(), [""; 0]);
    kit.open.retain(|(fetch, _)| *fetch != first);
    kit.publish(&[typed(10_001)]);
    kit.answer(MESSAGES, &page(&messages(2, 1), None));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.count(id), 1);
    assert_eq!(kit.ids(id), ["m2", "m1"]);
    assert_eq!(kit.last(id)[1]["custom"], json!({"n": "10001"}));
}

#[test]
fn early_user_events_above_the_cap_cause_a_refetch() {
    let mut kit = Kit::new();
    let id = kit.user("bob");
    kit.drain();
    let (first, _) = kit.open[1].clone();
    let named = |n: i64| renamed("bob", &format!("Bob {n}"));
    let many: Vec<_> = (0..1000).map(named).collect();
    assert_eq!(kit.publish(&many), [""; 0]);
    let sent = kit.publish(&[named(1000)]);
    let ask = r#"GET /users {"ids":["bob"],"includePrivateFields":false}"#;
    assert_eq!(sent.last().map(String::as_str), Some(ask));
    let users = json!({"bob": user("bob", "Bob")});
    let late = serde_json::value::to_raw_value(&users).unwrap();
    kit.live.handle_answer(kit.now, first, Ok(Some(&late)));
    kit.drain();
    assert_eq!(kit.count(id), 0);
    kit.open.retain(|(fetch, _)| *fetch != first);
    kit.publish(&[named(1001)]);
    kit.answer(USERS, &users);
    assert_eq!(kit.last(id)["name"], "Bob 1001");
    assert_eq!(kit.count(id), 1);
}

#[test]
fn lingering_events_above_the_cap_refetch_on_attach() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.unsubscribe(id);
    let custom = edited("m1", json!({"custom": {"a": "b"}}));
    assert_eq!(kit.publish(&vec![custom; 10_001]), [""; 0]);
    kit.messages("c");
    let sent = kit.drain();
    assert_eq!(sent, [r#"GET /me/conversations/c/messages {"limit":30}"#]);
}

/// No answer is pending, so no event is logged.
#[test]
fn events_for_loaded_state_never_cause_a_refetch() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(2, 1), None));
    kit.answer(USERS, &json!({}));
    let other = edited("another", json!({"custom": {"a": "b"}}));
    let many = vec![other; 10_001];
    assert_eq!(kit.publish(&many), [""; 0]);
    assert_eq!((kit.count(id), kit.ids(id).len()), (1, 2));
}
