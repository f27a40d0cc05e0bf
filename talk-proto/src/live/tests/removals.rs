//! Reasons for the removal of items from lists.

use serde_json::json;

use super::conversation_list::{LIST, active, loaded, no_messages, side_edited, subscribe};
use super::kit::*;
use crate::changes::{Changes, Removal, RemovalReason};
use crate::command::SubscriptionId;
use crate::snapshot::Topic;

fn removed(kit: &Kit, id: SubscriptionId) -> Vec<(usize, RemovalReason)> {
    let Changes::List(changes) = &kit.changes[&id] else {
        panic!("a list has no steps");
    };
    let removed = changes.removed.iter();
    removed
        .map(|Removal { index, reason, .. }| (*index, *reason))
        .collect()
}

#[test]
fn conversation_with_a_new_message_moves() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 3, 1, None);
    kit.publish(&[side_edited(1, json!({"lastMessageAt": 9}))]);
    assert_eq!(kit.ids(id), ["c1", "c3", "c2"]);
    assert_eq!(removed(&kit, id), [(2, RemovalReason::Moved { to: 0 })]);
}

#[test]
fn conversation_left_by_the_user_is_left() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 3, 1, None);
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c2"})]);
    assert_eq!(removed(&kit, id), [(1, RemovalReason::Left)]);
}

#[test]
fn conversation_no_longer_matching_is_filtered() {
    let mut kit = Kit::new();
    let filter = serde_json::from_value(json!({"isUnread": true})).unwrap();
    let id = kit.subscribe(Topic::Conversations { filter });
    kit.drain();
    let mut side = active(1);
    side["isUnread"] = json!(true);
    kit.answer(LIST, &page(&[side], None));
    no_messages(&mut kit, 1..=1);
    kit.publish(&[side_edited(1, json!({"isUnread": false}))]);
    assert_eq!(removed(&kit, id), [(0, RemovalReason::Filtered)]);
}

#[test]
fn conversation_moving_beyond_the_window_is_evicted() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    kit.publish(&[side_edited(20, json!({"lastMessageAt": 5}))]);
    assert_eq!(removed(&kit, id), [(10, RemovalReason::Evicted)]);
}

#[test]
fn conversation_gone_after_a_loss_is_left() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    kit.drain();
    kit.answer(LIST, &page(&[active(2), active(1)], None));
    no_messages(&mut kit, 1..=2);
    kit.reconnect();
    kit.answer(LIST, &page(&[active(2)], None));
    no_messages(&mut kit, 1..=2);
    kit.refuse("GET /me/conversations/c1", 404, "CONVERSATION_NOT_FOUND");
    assert_eq!(removed(&kit, id), [(1, RemovalReason::Left)]);
}

#[test]
fn message_beyond_the_cap_is_evicted() {
    let mut kit = Kit::with_limits(|limits| limits.window = 30);
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(30, 1), Some("x")));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.publish(&[created(&message("m31", "alice", 31))]);
    assert_eq!(removed(&kit, id), [(29, RemovalReason::Evicted)]);
}

#[test]
fn message_deleted_while_offline_is_deleted() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(30, 1), Some("x")));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.reconnect();
    let mut now = messages(30, 0);
    now.remove(3);
    kit.answer(MESSAGES, &page(&now, Some("x")));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(removed(&kit, id), [(3, RemovalReason::Deleted)]);
}

#[test]
fn participant_removed_is_left() {
    let mut kit = Kit::new();
    let conversation = "c".try_into().unwrap();
    let id = kit.subscribe(Topic::Participants { conversation });
    kit.drain();
    let participants = [participant("bob", 2), participant("alice", 1)];
    kit.answer(
        "GET /me/conversations/c/participants",
        &page(&participants, None),
    );
    let users = json!({"alice": user("alice", "Alice"), "bob": user("bob", "Bob")});
    kit.answer(USERS, &users);
    kit.publish(&[json!({"type": "participant.deleted", "conversationId": "c", "userId": "bob"})]);
    assert_eq!(removed(&kit, id), [(0, RemovalReason::Left)]);
}
