//! A subscription waits for the end of others that cover the same events, because the server would
//! end it too.

use serde_json::json;

use super::kit::*;
use crate::SubscriptionId;
use crate::snapshot::Topic;

fn list(kit: &mut Kit) -> SubscriptionId {
    kit.subscribe(Topic::Conversations { filter: None })
}

fn typing(kit: &mut Kit, conversation: &str) -> SubscriptionId {
    let conversation = conversation.try_into().unwrap();
    kit.subscribe(Topic::Typing { conversation })
}

/// Ends a subscription that was sent but has no snapshot yet.
fn close(kit: &mut Kit, id: SubscriptionId, unsubscribe: &str) {
    kit.drain();
    kit.unsubscribe(id);
    kit.drain();
    assert_eq!(kit.wait(40), [format!("{unsubscribe} {{}}")]);
}

#[test]
fn subscribe_waits_for_unsubscribe_of_conversation() {
    const END: &str = "UNSUBSCRIBE /me/conversations/c/messages";
    let mut kit = Kit::new();
    let messages = kit.messages("c");
    close(&mut kit, messages, END);
    typing(&mut kit, "c");
    kit.messages("c");
    assert_eq!(kit.drain(), [""; 0]);
    typing(&mut kit, "d");
    assert_eq!(kit.drain().len(), 2);
    let sent = kit.answer(END, &json!({}));
    assert_eq!(
        sent,
        [
            "SUBSCRIBE /me/conversations/c/typing {}",
            "SUBSCRIBE /me/conversations/c/messages {}",
            "GET /me/conversations/c/typing {}",
            r#"GET /me/conversations/c/messages {"limit":30}"#,
        ]
    );
}

#[test]
fn lists_and_conversations_wait_for_each_other() {
    let mut kit = Kit::new();
    let id = list(&mut kit);
    close(&mut kit, id, "UNSUBSCRIBE /me/conversations");
    typing(&mut kit, "c");
    kit.user("bob");
    assert_eq!(
        kit.drain().len(),
        2,
        "users are told of by events of their own"
    );
    let sent = kit.answer("UNSUBSCRIBE /me/conversations", &json!({}));
    assert_eq!(sent[0], "SUBSCRIBE /me/conversations/c/typing {}");

    let mut kit = Kit::new();
    let id = typing(&mut kit, "c");
    close(&mut kit, id, "UNSUBSCRIBE /me/conversations/c/typing");
    list(&mut kit);
    assert_eq!(kit.drain(), [""; 0]);
    let sent = kit.answer("UNSUBSCRIBE /me/conversations/c/typing", &json!({}));
    assert_eq!(sent[0], "SUBSCRIBE /me/conversations {}");

    let mut kit = Kit::new();
    let id = list(&mut kit);
    close(&mut kit, id, "UNSUBSCRIBE /me/conversations");
    list(&mut kit);
    assert_eq!(kit.drain(), [""; 0]);
    let sent = kit.answer("UNSUBSCRIBE /me/conversations", &json!({}));
    assert_eq!(sent[0], "SUBSCRIBE /me/conversations {}");
}

#[test]
fn user_subscribe_waits_only_for_its_unsubscribe() {
    let mut kit = Kit::new();
    let id = kit.user("bob");
    close(&mut kit, id, "UNSUBSCRIBE /users/bob");
    kit.user("bob");
    assert_eq!(kit.drain(), [""; 0]);
    kit.user("ann");
    assert_eq!(kit.drain().len(), 2);
    let sent = kit.answer("UNSUBSCRIBE /users/bob", &json!({}));
    assert_eq!(
        sent,
        [
            r#"SUBSCRIBE /users {"ids":["bob"]}"#,
            r#"GET /users {"ids":["bob"],"includePrivateFields":false}"#,
        ]
    );
}

#[test]
fn user_two_unsubscribes_are_both_awaited() {
    const END: &str = "UNSUBSCRIBE /me/conversations/c/typing";
    let mut kit = Kit::new();
    let messages = kit.messages("c");
    let id = typing(&mut kit, "c");
    kit.drain();
    kit.unsubscribe(messages);
    kit.unsubscribe(id);
    kit.drain();
    assert_eq!(kit.wait(40).len(), 2);
    list(&mut kit);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.answer(END, &json!({})), [""; 0]);
    let sent = kit.answer("UNSUBSCRIBE /me/conversations/c/messages", &json!({}));
    assert_eq!(sent[0], "SUBSCRIBE /me/conversations {}");
}

#[test]
fn unsubscribe_while_waiting_sends_nothing() {
    const END: &str = "UNSUBSCRIBE /users/bob";
    let mut kit = Kit::new();
    let id = kit.user("bob");
    close(&mut kit, id, END);
    let id = kit.user("bob");
    kit.drain();
    kit.unsubscribe(id);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.answer(END, &json!({})), [""; 0]);
    assert_eq!(kit.wait(60), [""; 0]);
    assert!(kit.live.is_idle());
}

#[test]
fn new_connection_waits_for_no_unsubscribe() {
    let mut kit = Kit::new();
    let id = typing(&mut kit, "c");
    close(&mut kit, id, "UNSUBSCRIBE /me/conversations/c/typing");
    typing(&mut kit, "c");
    assert_eq!(kit.drain(), [""; 0]);
    let sent = kit.reconnect();
    assert_eq!(sent[0], "SUBSCRIBE /me/conversations/c/typing {}");
}

#[test]
fn unsubscribe_of_one_user_releases_no_other() {
    let mut kit = Kit::new();
    let ids = ["ann", "bob"].map(|user| kit.user(user));
    kit.drain();
    for id in ids {
        kit.unsubscribe(id);
    }
    kit.drain();
    assert_eq!(kit.wait(40).len(), 2);
    for user in ["ann", "bob"] {
        kit.user(user);
    }
    assert_eq!(kit.drain(), [""; 0]);
    for (user, end) in [
        ("bob", "UNSUBSCRIBE /users/bob"),
        ("ann", "UNSUBSCRIBE /users/ann"),
    ] {
        let sent = kit.answer(end, &json!({}));
        assert_eq!(sent[0], format!(r#"SUBSCRIBE /users {{"ids":["{user}"]}}"#));
    }
}
