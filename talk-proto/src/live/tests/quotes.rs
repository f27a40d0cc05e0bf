//! Quoted messages.

use serde_json::json;

use super::kit::*;

const M0: &str = "GET /me/conversations/c/messages/m0";

/// Subscribes to messages of which `m1` quotes `m0`, which is beyond the window.
fn quoting(kit: &mut Kit) -> crate::SubscriptionId {
    let id = kit.messages("c");
    kit.drain();
    let quoting = reply_to(message("m1", "alice", 1), "m0");
    let sent = kit.answer(MESSAGES, &page(&[quoting], None));
    assert_eq!(
        sent,
        [
            r#"SUBSCRIBE /users {"ids":["alice"]}"#,
            "GET /me/conversations/c/messages/m0 {}",
            r#"GET /users {"ids":["alice"],"includePrivateFields":false}"#,
        ]
    );
    id
}

fn shown(kit: &mut Kit) -> crate::SubscriptionId {
    let id = quoting(kit);
    kit.answer(M0, &reply_to(message("m0", "bob", 0), "m-1"));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.count(id), 0);
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.count(id), 1);
    id
}

#[test]
fn quote_behind_the_window_is_fetched() {
    let mut kit = Kit::new();
    let id = shown(&mut kit);
    let quote = &kit.last(id)[0]["referencedMessage"];
    assert_eq!(
        (&quote["id"], &quote["sender"]["name"]),
        (&json!("m0"), &json!("Bob"))
    );
    // A quote within the quote is shown as an ID only.
    assert_eq!(quote["referencedMessageId"], "m-1");
}

#[test]
fn quote_is_live() {
    let mut kit = Kit::new();
    let id = shown(&mut kit);
    kit.publish(&[edited("m0", json!({"custom": {"a": "b"}}))]);
    assert_eq!(
        kit.last(id)[0]["referencedMessage"]["custom"],
        json!({"a": "b"})
    );
    kit.publish(&[deleted("m-1")]);
    assert_eq!(
        kit.last(id)[0]["referencedMessage"]["referencedMessageId"],
        json!(null)
    );
    kit.publish(&[renamed("bob", "Robert")]);
    assert_eq!(
        kit.last(id)[0]["referencedMessage"]["sender"]["name"],
        "Robert"
    );
    kit.publish(&[deleted("m0")]);
    assert_eq!(kit.last(id)[0]["referencedMessage"], json!(null));
    assert_eq!(kit.count(id), 5);
}

#[test]
fn quote_in_the_window_is_not_fetched() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let quoting = reply_to(message("m1", "alice", 1), "m0");
    let sent = kit.answer(MESSAGES, &page(&[quoting, message("m0", "alice", 0)], None));
    assert_eq!(sent.len(), 2);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.last(id)[0]["referencedMessage"]["id"], "m0");
    kit.publish(&[deleted("m0")]);
    assert_eq!(kit.last(id)[0]["referencedMessage"], json!(null));
    assert_eq!(kit.ids(id), ["m1"]);
}

#[test]
fn quote_refused_is_null_and_ends_nothing() {
    for (status, code) in [(404, "MESSAGE_NOT_FOUND"), (403, "FORBIDDEN"), (400, "WHY")] {
        let mut kit = Kit::new();
        let id = quoting(&mut kit);
        kit.refuse(M0, status, code);
        kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
        assert_eq!(kit.last(id)[0]["referencedMessage"], json!(null), "{code}");
        assert!(kit.ended.is_empty());
    }
}

#[test]
fn quote_events_during_fetch_are_kept() {
    let mut kit = Kit::new();
    let id = quoting(&mut kit);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.publish(&[edited("m0", json!({"editedAt": 5}))]);
    kit.answer(M0, &message("m0", "alice", 0));
    assert_eq!(kit.last(id)[0]["referencedMessage"]["editedAt"], 5);
}

#[test]
fn quote_deleted_during_fetch_is_null() {
    let mut kit = Kit::new();
    let id = quoting(&mut kit);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.publish(&[deleted("m0")]);
    assert_eq!(kit.last(id)[0]["referencedMessage"], json!(null));
    kit.answer(M0, &message("m0", "alice", 0));
    assert_eq!(kit.count(id), 1);
}

#[test]
fn quote_unreferenced_releases_its_sender() {
    let mut kit = Kit::new();
    shown(&mut kit);
    kit.publish(&[deleted("m1")]);
    let sent = kit.wait(30);
    assert_eq!(
        sent,
        ["UNSUBSCRIBE /users/alice {}", "UNSUBSCRIBE /users/bob {}"]
    );
}

#[test]
fn quote_of_itself_is_harmless() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(
        MESSAGES,
        &page(&[reply_to(message("m1", "alice", 1), "m1")], None),
    );
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.last(id)[0]["referencedMessage"]["id"], "m1");
    kit.publish(&[renamed("alice", "Eve")]);
    kit.publish(&[deleted("m1")]);
    assert_eq!(kit.last(id), json!([]));
}

#[test]
fn quote_of_system_message_has_no_sender() {
    let mut kit = Kit::new();
    let id = quoting(&mut kit);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    let mut system = message("m0", "bob", 0);
    system["senderId"] = json!(null);
    kit.answer(M0, &system);
    let quote = &kit.last(id)[0]["referencedMessage"];
    assert_eq!(
        (&quote["id"], &quote["sender"]),
        (&json!("m0"), &json!(null))
    );
}

#[test]
fn quote_deleted_during_refetch_is_removed() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let quoting = reply_to(message("m1", "alice", 1), "m0");
    kit.answer(
        MESSAGES,
        &page(&[quoting.clone(), message("m0", "bob", 0)], None),
    );
    kit.answer(
        USERS,
        &json!({"alice": user("alice", "A"), "bob": user("bob", "B")}),
    );
    assert_eq!(kit.last(id)[0]["referencedMessage"]["id"], "m0");
    kit.reconnect();
    kit.answer(MESSAGES, &page(&[quoting], None));
    kit.answer(
        USERS,
        &json!({"alice": user("alice", "A"), "bob": user("bob", "B")}),
    );
    kit.refuse(M0, 404, "MESSAGE_NOT_FOUND");
    assert_eq!(kit.ids(id), ["m1"]);
    assert_eq!(kit.last(id)[0]["referencedMessage"], json!(null));
}

#[test]
fn quote_answer_for_another_message_is_ignored() {
    let mut kit = Kit::new();
    let id = quoting(&mut kit);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.answer(M0, &message("another", "alice", 0));
    assert_eq!(kit.last(id)[0]["referencedMessage"], json!(null));
}

#[test]
fn quote_events_before_a_page_are_kept() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let mut window = messages(30, 1);
    window[0] = reply_to(window[0].take(), "m0");
    kit.answer(MESSAGES, &page(&window, Some("x")));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.load_more(id, 1);
    kit.drain();
    kit.publish(&[edited("m0", json!({"editedAt": 5}))]);
    kit.answer(MESSAGES, &page(&[message("m-1", "alice", -1)], Some("y")));
    kit.answer(M0, &message("m0", "alice", 0));
    assert_eq!(kit.last(id)[0]["referencedMessage"]["editedAt"], 5);
}

#[test]
fn last_message_waits_for_its_quote_after_a_loss() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    kit.drain();
    let last = page(&[reply_to(message("m1", "alice", 1), "m0")], None);
    let alice = json!({"alice": user("alice", "Alice")});
    kit.answer(SIDE, &side("c"));
    kit.answer(MESSAGES, &last);
    kit.answer(USERS, &alice);
    kit.answer(M0, &message("m0", "alice", 0));
    assert_eq!(kit.count(id), 1);
    kit.reconnect();
    let mut unread = side("c");
    unread["isUnread"] = json!(true);
    kit.answer(SIDE, &unread);
    kit.answer(USERS, &alice);
    kit.answer(MESSAGES, &last);
    assert_eq!(kit.count(id), 1, "the quote may have changed");
    let mut quoted = message("m0", "alice", 0);
    quoted["custom"] = json!({"a": "b"});
    kit.answer(M0, &quoted);
    assert_eq!(kit.count(id), 2);
    assert_eq!(kit.last(id)["isUnread"], true);
    let quote = &kit.last(id)["lastMessage"]["referencedMessage"];
    assert_eq!(quote["custom"], json!({"a": "b"}));
}
