//! Users and the snapshots that show them.

use std::sync::Arc;

use serde_json::json;

use super::kit::*;
use crate::live::interface::Get;
use crate::snapshot::Snapshot;

#[test]
fn user_shows_creation_and_every_change() {
    let mut kit = Kit::new();
    let id = kit.user("bob");
    assert_eq!(
        kit.drain(),
        [
            r#"SUBSCRIBE /users {"ids":["bob"]}"#,
            r#"GET /users {"ids":["bob"],"includePrivateFields":false}"#,
        ]
    );
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.last(id), json!(null));
    kit.publish(&[renamed("bob", "Bobby")]);
    assert_eq!(kit.count(id), 1, "nobody has a new name");
    kit.publish(&[json!({"type": "user.created", "userId": "bob", "state": user("bob", "Bob")})]);
    assert_eq!(kit.last(id)["name"], "Bob");
    kit.publish(&[renamed("bob", "Robert")]);
    assert_eq!(kit.last(id)["name"], "Robert");
    assert_eq!(kit.count(id), 3);
}

#[test]
fn event_before_the_answer_is_applied() {
    let mut kit = Kit::new();
    let id = kit.user("bob");
    kit.drain();
    kit.publish(&[renamed("bob", "Robert")]);
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.last(id)["name"], "Robert");
    assert_eq!(kit.count(id), 1);
}

#[test]
fn users_of_one_drain_share_a_request() {
    let mut kit = Kit::new();
    kit.user("x");
    kit.user("a");
    kit.user("x");
    let sent = kit.drain();
    assert_eq!(sent[0], r#"SUBSCRIBE /users {"ids":["x","a"]}"#);
    kit.user("b");
    assert_eq!(kit.drain()[0], r#"SUBSCRIBE /users {"ids":["b"]}"#);
}

#[test]
fn user_request_has_at_most_1000_ids() {
    let mut kit = Kit::offline();
    for n in 0..2001 {
        kit.user(&format!("u{n}"));
    }
    assert_eq!(kit.drain(), [""; 0]);
    let sent = kit.reconnect();
    assert_eq!(sent.len(), 6);
    assert!(
        sent[..3]
            .iter()
            .all(|request| request.starts_with("SUBSCRIBE /users"))
    );
    assert_eq!(sent[2], r#"SUBSCRIBE /users {"ids":["u2000"]}"#);
}

#[test]
fn batches_before_connection_are_all_subscribed() {
    let mut kit = Kit::offline();
    kit.user("a");
    kit.drain();
    kit.user("b");
    kit.drain();
    kit.live.handle_ready(kit.now);
    assert_eq!(kit.drain()[0], r#"SUBSCRIBE /users {"ids":["a","b"]}"#);
}

#[test]
fn user_refused_ends_subscription_and_fails_get() {
    let mut kit = Kit::new();
    let id = kit.user("bob");
    let get = kit.get(Get::User("bob".try_into().unwrap()));
    kit.drain();
    kit.refuse(USERS, 400, "INVALID_ID");
    assert!(kit.ended[&id].is_some());
    assert!(kit.resolved[&get].is_err());
}

#[test]
fn user_rename_updates_every_view() {
    let mut kit = Kit::new();
    let messages = kit.messages("c");
    let conversation = kit.conversation("c");
    let alice = kit.user("alice");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    let quoting = reply_to(message("m2", "bob", 2), "m1");
    kit.answer(MESSAGES, &page(&[quoting, message("m1", "alice", 1)], None));
    let users = json!({"alice": user("alice", "Alice"), "bob": user("bob", "Bob")});
    kit.answer(USERS, &users);
    kit.answer(USERS, &users);
    assert_eq!(kit.last(messages)[0]["sender"]["name"], "Bob");

    kit.publish(&[renamed("alice", "Eve")]);
    assert_eq!(kit.last(alice)["name"], "Eve");
    assert_eq!(kit.last(messages)[1]["sender"]["name"], "Eve");
    assert_eq!(
        kit.last(messages)[0]["referencedMessage"]["sender"]["name"],
        "Eve"
    );
    let last = &kit.last(conversation)["lastMessage"];
    assert_eq!(last["referencedMessage"]["sender"]["name"], "Eve");
    for id in [messages, conversation, alice] {
        assert_eq!(kit.count(id), 2);
    }
}

#[test]
fn user_shares_one_allocation() {
    let mut kit = Kit::new();
    let messages = kit.messages("c");
    let alice = kit.user("alice");
    kit.drain();
    kit.answer(MESSAGES, &page(&self::messages(2, 1), None));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    let Some(Snapshot::User(Some(alice))) = kit.seen[&alice].last() else {
        panic!("no user");
    };
    for message in kit.window(messages).iter() {
        assert!(Arc::ptr_eq(message.sender.as_ref().unwrap(), alice));
    }
}

/// An answer that contains the user is newer than the creation; one that does not is older.
#[test]
fn user_created_before_an_empty_answer_is_kept() {
    let created = json!({"type": "user.created", "userId": "bob", "state": user("bob", "First")});
    for (answer, name) in [
        (json!({"bob": user("bob", "Later")}), "Later"),
        (json!({}), "First"),
    ] {
        let mut kit = Kit::new();
        let id = kit.user("bob");
        kit.drain();
        kit.publish(std::slice::from_ref(&created));
        kit.answer(USERS, &answer);
        assert_eq!(kit.last(id)["name"], name);
        assert_eq!(kit.count(id), 1);
    }
}
