//! A single conversation with its last message.

use std::sync::Arc;

use serde_json::json;

use super::kit::*;
use crate::snapshot::Snapshot;

/// Subscribes to `c`, whose last message is `m1` by alice.
fn loaded(kit: &mut Kit) -> crate::SubscriptionId {
    let id = kit.conversation("c");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    kit.answer(MESSAGES, &page(&messages(1, 1), Some("x")));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.count(id), 1);
    id
}

#[test]
fn conversation_includes_its_last_message() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    assert_eq!(
        kit.drain(),
        [
            "SUBSCRIBE /me/conversations/c {}",
            "SUBSCRIBE /me/conversations/c/messages {}",
            "GET /me/conversations/c {}",
            r#"GET /me/conversations/c/messages {"limit":1}"#,
        ]
    );
    kit.answer(SIDE, &side("c"));
    assert_eq!(kit.count(id), 0);
    kit.answer(MESSAGES, &page(&messages(1, 1), Some("x")));
    assert_eq!(kit.count(id), 0);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.last(id)["lastMessage"]["id"], "m1");
    assert_eq!(kit.last(id)["lastMessage"]["sender"]["name"], "Alice");
}

#[test]
fn message_and_conversation_change_in_one_update() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    let read = json!({"type": "side.edited", "conversationId": "c",
                      "diff": {"lastMessageAt": 2, "unreadMessageCount": 1, "isUnread": true}});
    kit.publish(&[created(&message("m2", "bob", 2)), read]);
    // The update waits for bob.
    assert_eq!(kit.count(id), 1);
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.count(id), 2);
    assert_eq!(kit.last(id)["lastMessage"]["sender"]["name"], "Bob");
    assert_eq!(kit.last(id)["unreadMessageCount"], 1);
}

#[test]
fn old_message_is_not_the_last_message() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.publish(&[created(&message("m2", "alice", 2))]);
    assert_eq!(kit.count(id), 2);
    kit.publish(&[edited("m1", json!({"editedAt": 9}))]);
    kit.publish(&[deleted("m1")]);
    assert_eq!(kit.count(id), 2);
}

#[test]
fn last_message_deleted_shows_the_previous_one() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    let mut gone = deleted("m1");
    gone["newLastMessage"] = message("m0", "alice", 0);
    kit.publish(&[gone]);
    assert_eq!(kit.last(id)["lastMessage"]["id"], "m0");
    let mut gone = deleted("m0");
    gone["newLastMessage"] = json!(null);
    kit.publish(&[gone]);
    assert_eq!(kit.last(id)["lastMessage"], json!(null));
    assert_eq!(kit.count(id), 3);
}

#[test]
fn deletion_without_next_last_message_refetches() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    let sent = kit.publish(&[deleted("m1")]);
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/messages {"limit":1,"cursor":"x"}"#]
    );
    // Until then the previous snapshot stays visible.
    let read = json!({"type": "side.edited", "conversationId": "c", "diff": {"isUnread": true}});
    kit.publish(&[read]);
    assert_eq!(kit.count(id), 1);
    kit.answer(MESSAGES, &page(&[message("m0", "alice", 0)], None));
    assert_eq!(kit.last(id)["lastMessage"]["id"], "m0");
}

#[test]
fn last_message_edit_updates_the_conversation() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.publish(
        &[json!({"type": "conversation.edited", "conversationId": "c",
        "diff": {"subject": "Tea", "custom": {"a": "1"}, "welcomeMessages": ["hi"]}})],
    );
    kit.publish(&[json!({"type": "side.edited", "conversationId": "c",
        "diff": {"readUntil": 7, "everyoneReadUntil": 6}})]);
    kit.publish(&[
        json!({"type": "participant.edited", "conversationId": "c", "userId": "me",
        "diff": {"access": "Read", "notify": "MentionsOnly"}}),
    ]);
    let last = kit.last(id);
    assert_eq!(
        (&last["subject"], &last["custom"]),
        (&json!("Tea"), &json!({"a": "1"}))
    );
    assert_eq!(
        (&last["readUntil"], &last["everyoneReadUntil"]),
        (&json!(7), &json!(6))
    );
    assert_eq!(
        (&last["access"], &last["notify"]),
        (&json!("Read"), &json!("MentionsOnly"))
    );
    assert_eq!(kit.count(id), 4);
}

#[test]
fn access_of_another_participant_is_ignored() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.publish(&[
        json!({"type": "participant.edited", "conversationId": "c", "userId": "bob",
        "diff": {"access": "Read", "notify": false}}),
    ]);
    assert_eq!(kit.count(id), 1);
}

#[test]
fn edits_before_the_answer_are_applied() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    kit.drain();
    kit.publish(&[json!({"type": "side.edited", "conversationId": "c",
                         "diff": {"unreadMessageCount": 3}})]);
    kit.answer(SIDE, &side("c"));
    kit.answer(MESSAGES, &page(&[], None));
    assert_eq!(kit.last(id)["unreadMessageCount"], 3);
}

#[test]
fn leave_and_join_update_all_conversation_views() {
    let mut kit = Kit::new();
    let conversation = loaded(&mut kit);
    let messages = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&[], None));
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c"})]);
    assert_eq!(kit.last(conversation), json!(null));
    assert_eq!(kit.last(messages), json!(null));
    let joined = json!({"type": "side.created", "conversationId": "c", "state": side("c")});
    let sent = kit.publish(&[joined]);
    assert_eq!(sent, [r#"GET /me/conversations/c/messages {"limit":30}"#]);
    kit.answer(MESSAGES, &page(&self::messages(1, 1), None));
    assert_eq!(kit.last(conversation)["lastMessage"]["id"], "m1");
    assert_eq!(kit.ids(messages), ["m1"]);
}

#[test]
fn conversation_absent_is_null_until_created() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    kit.drain();
    kit.refuse(SIDE, 404, "CONVERSATION_NOT_FOUND");
    kit.refuse(MESSAGES, 404, "CONVERSATION_NOT_FOUND");
    assert_eq!(kit.last(id), json!(null));
    kit.publish(&[json!({"type": "side.created", "conversationId": "c", "state": side("c")})]);
    kit.answer(MESSAGES, &page(&[], None));
    assert_eq!(kit.last(id)["id"], "c");
}

#[test]
fn conversation_part_refused_ends_the_subscription() {
    for (refused, other) in [(SIDE, MESSAGES), (MESSAGES, SIDE)] {
        let mut kit = Kit::new();
        let id = kit.conversation("c");
        kit.drain();
        kit.refuse(refused, 403, "FORBIDDEN");
        assert!(kit.ended[&id].is_some(), "{refused} before {other}");
        kit.wait(60);
        kit.wait(60);
        assert!(kit.live.is_idle(), "{refused} before {other}");
    }
}

#[test]
fn window_and_last_message_share_messages() {
    let mut kit = Kit::new();
    let conversation = loaded(&mut kit);
    let messages = kit.messages("c");
    let sent = kit.drain();
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/messages {"limit":29,"cursor":"x"}"#]
    );
    kit.answer(MESSAGES, &page(&self::messages(0, -28), None));
    assert_eq!(kit.window(messages).len(), 30);
    let Some(Snapshot::Conversation(Some(conversation))) = kit.seen[&conversation].last() else {
        panic!("no conversation");
    };
    let last = conversation.last_message.as_ref().unwrap();
    assert!(Arc::ptr_eq(last, kit.window(messages).first().unwrap()));
}

#[test]
fn conversation_in_no_list_is_released() {
    let mut kit = Kit::new();
    loaded(&mut kit);
    for n in 2..200 {
        kit.publish(&[created(&message(&format!("m{n}"), "alice", n))]);
    }
    let messages = kit.messages("c");
    kit.drain();
    assert_eq!(kit.window(messages).len(), 30);
    assert!(!kit.window(messages).loaded_all());
    // The old cursor would leave a gap.
    let more = kit.load_more(messages, 5);
    assert_eq!(
        kit.drain(),
        [r#"GET /me/conversations/c/messages {"limit":35}"#]
    );
    kit.answer(MESSAGES, &page(&self::messages(199, 165), Some("y")));
    assert_eq!(kit.window(messages).len(), 35);
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn conversation_of_hidden_messages_has_no_last_one() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    kit.refuse(MESSAGES, 404, "CONVERSATION_NOT_FOUND");
    assert_eq!(kit.last(id)["id"], "c");
    assert_eq!(kit.last(id)["lastMessage"], json!(null));
}
