//! Unreadable events, which cause one refetch of the entities that they concerned.

use serde_json::json;

use super::kit::*;
use crate::Topic;

const CONVERSATIONS: &str = "GET /me/conversations";

/// Returns a kit that shows the messages `m2` and `m1` of `c`.
fn kit_with_messages() -> (Kit, crate::SubscriptionId) {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(2, 1), None));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    (kit, id)
}

fn unreadable_message() -> serde_json::Value {
    json!({"type": "message.created", "conversationId": "c", "messageId": "m3", "state": 7})
}

#[test]
fn unreadable_messages_cause_one_refetch() {
    let (mut kit, id) = kit_with_messages();
    let burst = [unreadable_message(), unreadable_message()];
    let sent = kit.publish_unreadable(&burst);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].starts_with(MESSAGES), "{sent:?}");
    assert_eq!(kit.ids(id), ["m2", "m1"]);
    let mut items = messages(4, 1);
    items[0] = json!(7);
    let sent = kit.answer(MESSAGES, &page(&items, None));
    assert_eq!(sent, [""; 0]);
    assert_eq!(kit.ids(id), ["m3", "m2", "m1"]);
    assert_eq!(kit.damaged, 1);
}

#[test]
fn unreadable_event_while_loading_reloads_once_after() {
    let (mut kit, id) = kit_with_messages();
    kit.publish_unreadable(&[unreadable_message()]);
    for _ in 0..5 {
        assert_eq!(kit.publish_unreadable(&[unreadable_message()]), [""; 0]);
    }
    let sent = kit.answer(MESSAGES, &page(&messages(2, 1), None));
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(kit.answer(MESSAGES, &page(&messages(3, 1), None)), [""; 0]);
    assert_eq!(kit.ids(id), ["m3", "m2", "m1"]);
}

#[test]
fn unreadable_event_of_another_entity_fetches_nothing() {
    let (mut kit, _) = kit_with_messages();
    let sent = kit.publish_unreadable(&[
        json!({"type": "message.created", "conversationId": "d", "messageId": "m", "state": 7}),
        json!({"type": "typing.changed", "conversationId": "c", "diff": 7}),
        json!({"type": "user.edited", "userId": "bob", "diff": 7}),
    ]);
    assert_eq!(sent, [""; 0]);
}

#[test]
fn unreadable_user_event_refetches_the_user() {
    let (mut kit, id) = kit_with_messages();
    let edited = json!({"type": "user.edited", "userId": "alice", "diff": 7});
    let sent = kit.publish_unreadable(&[edited.clone(), edited]);
    let gets = sent.iter().filter(|request| request.starts_with(USERS));
    assert_eq!(gets.count(), 1, "{sent:?}");
    kit.answer(USERS, &json!({"alice": user("alice", "Alicia")}));
    assert_eq!(kit.last(id)[0]["sender"]["name"], "Alicia");
}

#[test]
fn unreadable_membership_adds_the_conversation() {
    let mut kit = Kit::new();
    let id = kit.subscribe(Topic::Conversations { filter: None });
    kit.drain();
    kit.answer(CONVERSATIONS, &page(&[], None));
    assert_eq!(kit.ids(id), [""; 0]);
    let joined = json!({"type": "side.created", "conversationId": "c", "state": 7});
    let sent = kit.publish_unreadable(&[joined]);
    assert!(sent[0].starts_with(SIDE), "{sent:?}");
    kit.answer(SIDE, &side("c"));
    kit.answer(MESSAGES, &page(&[], None));
    assert_eq!(kit.ids(id), ["c"]);
}

#[test]
fn unreadable_change_refetches_a_listed_conversation() {
    let mut kit = Kit::new();
    let id = kit.subscribe(Topic::Conversations { filter: None });
    kit.drain();
    kit.answer(CONVERSATIONS, &page(&[side("c")], None));
    kit.answer(MESSAGES, &page(&[], None));
    let changed = json!({"type": "conversation.edited", "conversationId": "c", "diff": 7});
    let sent = kit.publish_unreadable(&[changed]);
    assert_eq!(sent.len(), 1, "{sent:?}");
    let mut side = side("c");
    side["subject"] = json!("news");
    kit.answer(SIDE, &side);
    assert_eq!(kit.last(id)[0]["subject"], "news");
}
