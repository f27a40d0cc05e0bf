//! State after a connection loss.

use std::sync::Arc;

use serde_json::json;

use super::kit::*;

fn loaded(kit: &mut Kit) -> crate::SubscriptionId {
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(30, 1), Some("x")));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    id
}

#[test]
fn reconnect_resubscribes_in_the_original_order() {
    let mut kit = Kit::new();
    kit.messages("z");
    kit.conversation("c");
    kit.user("bob");
    kit.drain();
    let sent = kit.reconnect();
    assert_eq!(
        sent,
        [
            "SUBSCRIBE /me/conversations/z/messages {}",
            "SUBSCRIBE /me/conversations/c {}",
            "SUBSCRIBE /me/conversations/c/messages {}",
            r#"SUBSCRIBE /users {"ids":["bob"]}"#,
            r#"GET /me/conversations/z/messages {"limit":30}"#,
            "GET /me/conversations/c {}",
            r#"GET /me/conversations/c/messages {"limit":1}"#,
            r#"GET /users {"ids":["bob"],"includePrivateFields":false}"#,
        ]
    );
}

#[test]
fn reconnect_with_changes_is_one_update() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    let before = kit.window(id).clone();
    let sent = kit.reconnect();
    assert!(sent.contains(&r#"GET /me/conversations/c/messages {"limit":30}"#.to_owned()));
    assert_eq!(kit.count(id), 1);
    let mut now = messages(32, 2);
    now[5]["custom"] = json!({"a": "b"});
    now.remove(7);
    kit.answer(MESSAGES, &page(&now, Some("y")));
    assert_eq!(kit.count(id), 1);
    kit.answer(MESSAGES, &page(&messages(1, 1), Some("z")));
    assert_eq!(kit.count(id), 2);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.count(id), 2);
    assert_eq!(kit.ids(id)[..3], ["m32", "m31", "m30"]);
    assert_eq!(kit.window(id).len(), 31);
    assert!(Arc::ptr_eq(
        kit.window(id).get(2).unwrap(),
        before.get(0).unwrap()
    ));
}

#[test]
fn reconnect_without_changes_causes_no_update() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    let conversation = kit.conversation("c");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    kit.reconnect();
    kit.answer(MESSAGES, &page(&messages(30, 1), Some("x")));
    kit.answer(SIDE, &side("c"));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!((kit.count(id), kit.count(conversation)), (1, 1));
}

#[test]
fn reconnect_refetches_attributes_counts_and_access() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    kit.answer(MESSAGES, &page(&[], None));
    kit.reconnect();
    let mut now = side("c");
    now["subject"] = json!("Tea");
    now["unreadMessageCount"] = json!(4);
    now["access"] = json!("Read");
    kit.answer(SIDE, &now);
    assert_eq!(kit.count(id), 1);
    kit.answer(MESSAGES, &page(&[], None));
    assert_eq!(kit.count(id), 2);
    now["lastMessage"] = json!(null);
    assert_eq!(kit.last(id), now);
}

#[test]
fn reconnect_refetches_users() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.reconnect();
    kit.answer(MESSAGES, &page(&messages(30, 1), Some("x")));
    kit.answer(USERS, &json!({"alice": user("alice", "Eve")}));
    assert_eq!(kit.last(id)[29]["sender"]["name"], "Eve");
    assert_eq!(kit.count(id), 2);
}

#[test]
fn reconnect_refetches_long_windows_in_pages() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.load_more(id, 100);
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(130, 31), Some("x")));
    kit.answer(MESSAGES, &page(&messages(30, 1), None));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.window(id).len(), 130);
    let sent = kit.reconnect();
    assert!(sent.contains(&r#"GET /me/conversations/c/messages {"limit":100}"#.to_owned()));
    let sent = kit.answer(MESSAGES, &page(&messages(130, 31), Some("y")));
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/messages {"limit":30,"cursor":"y"}"#]
    );
    kit.publish(&[created(&message("m131", "alice", 131)), deleted("m100")]);
    kit.answer(MESSAGES, &page(&messages(30, 1), None));
    assert_eq!(kit.window(id).len(), 130);
    assert_eq!(kit.window(id).first().unwrap().id, "m131");
    assert!(kit.window(id).loaded_all());
    assert_eq!(kit.count(id), 2);
}

#[test]
fn load_more_survives_a_loss() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    let more = kit.load_more(id, 10);
    kit.drain();
    let sent = kit.reconnect();
    assert!(sent.contains(&r#"GET /me/conversations/c/messages {"limit":40}"#.to_owned()));
    kit.answer(MESSAGES, &page(&messages(30, -9), Some("y")));
    assert_eq!(kit.window(id).len(), 40);
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn first_window_in_flight_arrives_after_a_loss() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(2, 1), None));
    kit.reconnect();
    kit.answer(MESSAGES, &page(&messages(3, 1), None));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.count(id), 1);
    assert_eq!(kit.ids(id), ["m3", "m2", "m1"]);
}

#[test]
fn reconnect_refetches_quotes_with_the_rest() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let m1 = reply_to(message("m1", "alice", 1), "m0");
    kit.answer(MESSAGES, &page(std::slice::from_ref(&m1), None));
    kit.answer(
        "GET /me/conversations/c/messages/m0",
        &message("m0", "alice", 0),
    );
    kit.answer(USERS, &json!({}));
    kit.reconnect();
    kit.answer(MESSAGES, &page(&[message("m2", "alice", 2), m1], None));
    assert_eq!(kit.count(id), 1);
    let mut m0 = message("m0", "alice", 0);
    m0["editedAt"] = json!(8);
    kit.answer("GET /me/conversations/c/messages/m0", &m0);
    assert_eq!(kit.count(id), 2);
    assert_eq!(kit.last(id)[1]["referencedMessage"]["editedAt"], 8);
}

#[test]
fn get_is_not_answered_with_state_before_a_loss() {
    let mut kit = Kit::new();
    kit.conversation("c");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    kit.answer(MESSAGES, &page(&[], None));
    kit.reconnect();
    let get = kit.get(crate::live::interface::Get::Conversation(
        "c".try_into().unwrap(),
    ));
    kit.drain();
    let mut now = side("c");
    now["subject"] = json!("Tea");
    kit.answer(SIDE, &now);
    assert!(kit.resolved.is_empty());
    kit.answer(MESSAGES, &page(&[], None));
    assert_eq!(kit.reply(get)["subject"], "Tea");
}

#[test]
fn removed_while_offline_has_no_access() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.reconnect();
    kit.refuse(MESSAGES, 403, "NOT_A_PARTICIPANT");
    assert_eq!(kit.last(id), json!(null));
}

/// A server should never do this, but its latest state is shown.
#[test]
fn reconnect_updates_a_changed_sender() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.reconnect();
    let mut messages = messages(5, 1);
    messages[0]["senderId"] = json!("bob");
    kit.answer(MESSAGES, &page(&messages, None));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.last(id)[0]["sender"]["name"], "Bob");
    assert_eq!(kit.last(id)[1]["sender"]["name"], "Alice");
}

#[test]
fn refetched_window_grows_only_for_its_caller() {
    let mut kit = Kit::new();
    let [a, b] = [kit.messages("c"), kit.messages("c")];
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(130, 101), Some("x")));
    let alice = json!({"alice": user("alice", "Alice")});
    kit.answer(USERS, &alice);
    kit.reconnect();
    kit.answer(MESSAGES, &page(&messages(160, 131), Some("y")));
    kit.answer(MESSAGES, &page(&messages(130, 101), Some("z")));
    kit.answer(USERS, &alice);
    assert_eq!((kit.ids(a).len(), kit.ids(b).len()), (60, 60));
    kit.load_more(b, 5);
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(100, 96), Some("w")));
    assert_eq!((kit.ids(a).len(), kit.ids(b).len()), (60, 65));
    assert_eq!(kit.ids(a)[59], "m101");
}
