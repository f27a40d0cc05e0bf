//! Reads with `get`.

use serde_json::json;

use super::kit::*;
use crate::live::interface::Get;

fn id<T: for<'a> TryFrom<&'a str>>(id: &str) -> T {
    T::try_from(id).unwrap_or_else(|_| panic!("empty"))
}

const M1: &str = "GET /me/conversations/c/messages/m1";
const BOB: &str = "GET /me/conversations/c/participants/bob";
const MYSELF: &str = "GET /me/conversations/c/participants/me";
const REACTIONS: &str = "GET /me/conversations/c/messages/m1/reactions/%F0%9F%91%8D";

#[test]
fn get_user_uses_the_store() {
    let mut kit = Kit::new();
    let first = kit.get(Get::User(id("bob")));
    let same = kit.get(Get::User(id("bob")));
    assert_eq!(kit.drain().len(), 2);
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.reply(first)["name"], "Bob");
    assert_eq!(kit.reply(same)["name"], "Bob");
    let again = kit.get(Get::User(id("bob")));
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.reply(again)["name"], "Bob");
    assert_eq!(kit.wait(30), ["UNSUBSCRIBE /users/bob {}"]);
}

#[test]
fn get_conversation_uses_the_stores() {
    let mut kit = Kit::new();
    let get = kit.get(Get::Conversation(id("c")));
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
    kit.answer(MESSAGES, &page(&[], None));
    assert_eq!(kit.reply(get)["id"], "c");
    let again = kit.get(Get::Conversation(id("c")));
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.reply(again)["id"], "c");
}

#[test]
fn get_participant_includes_the_user() {
    let mut kit = Kit::new();
    let get = kit.get(Get::Participant(id("c"), id("bob")));
    assert_eq!(
        kit.drain(),
        [
            "SUBSCRIBE /me/conversations/c/participants/bob {}",
            r#"SUBSCRIBE /users {"ids":["bob"]}"#,
            "GET /me/conversations/c/participants/bob {}",
            r#"GET /users {"ids":["bob"],"includePrivateFields":false}"#,
        ]
    );
    kit.answer(BOB, &participant("bob", 7));
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.reply(get)["user"]["name"], "Bob");
    assert_eq!(kit.reply(get)["joinedAt"], 7);
}

#[test]
fn get_participant_by_outsider_is_refused() {
    let mut kit = Kit::new();
    let topic = crate::Topic::Participant {
        conversation: id("c"),
        user: id("bob"),
    };
    let subscription = kit.subscribe(topic);
    check_refused_reads(&mut kit, 403, "NOT_A_PARTICIPANT");
    assert_eq!(kit.last(subscription), json!(null));
}

/// Reads two participants, refuses both reads, and checks the results.
fn check_refused_reads(kit: &mut Kit, status: u16, code: &str) {
    let get = kit.get(Get::Participant(id("c"), id("bob")));
    let own = kit.get(Get::Participant(id("c"), id("me")));
    kit.drain();
    kit.refuse(BOB, status, code);
    kit.refuse(MYSELF, status, code);
    assert!(kit.resolved[&get].is_err());
    assert_eq!(kit.reply(own), json!(null));
}

#[test]
fn get_participant_without_conversation_is_refused() {
    let mut kit = Kit::new();
    check_refused_reads(&mut kit, 404, "CONVERSATION_NOT_FOUND");
}

#[test]
fn get_participant_after_leaving_is_refused() {
    let mut kit = Kit::new();
    let subscriptions = ["bob", "me"].map(|user| {
        let (conversation, user) = (id("c"), id(user));
        kit.subscribe(crate::Topic::Participant { conversation, user })
    });
    kit.drain();
    kit.refuse(BOB, 404, "PARTICIPANT_NOT_FOUND");
    kit.answer(MYSELF, &participant("me", 5));
    kit.answer(
        USERS,
        &json!({"me": user("me", "Me"), "bob": user("bob", "Bob")}),
    );
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c"})]);
    let get = kit.get(Get::Participant(id("c"), id("bob")));
    let own = kit.get(Get::Participant(id("c"), id("me")));
    kit.drain();
    assert!(kit.resolved[&get].is_err());
    assert_eq!(kit.reply(own), json!(null));
    assert_eq!(kit.last(subscriptions[1]), json!(null));

    kit.publish(&[json!({"type": "side.created", "conversationId": "c", "state": side("c")})]);
    let get = kit.get(Get::Participant(id("c"), id("bob")));
    kit.drain();
    kit.answer(BOB, &participant("bob", 7));
    assert_eq!(kit.reply(get)["joinedAt"], 7);
}

#[test]
fn get_participant_absent_is_null() {
    let mut kit = Kit::new();
    let get = kit.get(Get::Participant(id("c"), id("bob")));
    kit.drain();
    kit.refuse(BOB, 404, "PARTICIPANT_NOT_FOUND");
    assert_eq!(kit.reply(get), json!(null));
}

#[test]
fn get_first_reactions_returns_ten() {
    let mut kit = Kit::new();
    let get = kit.get(Get::FirstReactions(id("c"), id("m1"), id("👍")));
    assert_eq!(
        kit.drain(),
        [
            "SUBSCRIBE /me/conversations/c/messages/m1/reactions/%F0%9F%91%8D {}",
            r#"GET /me/conversations/c/messages/m1/reactions/%F0%9F%91%8D {"limit":30}"#,
        ]
    );
    let reactions: Vec<_> = (0..30)
        .map(|n| json!({"userId": format!("u{n}"), "createdAt": n}))
        .collect();
    let users: serde_json::Map<_, _> = (0..30)
        .map(|n| (format!("u{n}"), user(&format!("u{n}"), "U")))
        .collect();
    kit.answer(REACTIONS, &page(&reactions, Some("x")));
    kit.answer(USERS, &users.into());
    let reply = kit.reply(get);
    assert_eq!(reply.as_array().unwrap().len(), 10);
    assert_eq!(
        (&reply[9]["user"]["id"], &reply[9]["createdAt"]),
        (&json!("u9"), &json!(9))
    );
}

#[test]
fn get_reactions_of_absent_message_is_null() {
    let mut kit = Kit::new();
    let get = kit.get(Get::FirstReactions(id("c"), id("m1"), id("👍")));
    kit.drain();
    kit.refuse(REACTIONS, 404, "MESSAGE_NOT_FOUND");
    assert_eq!(kit.reply(get), json!(null));
}

#[test]
fn get_message_bypasses_the_stores() {
    let mut kit = Kit::new();
    let get = kit.get(Get::Message(id("c"), id("m1")));
    assert_eq!(kit.drain(), ["GET /me/conversations/c/messages/m1 {}"]);
    let sent = kit.answer(M1, &reply_to(message("m1", "alice", 1), "m0"));
    assert_eq!(
        sent,
        [
            "GET /me/conversations/c/messages/m0 {}",
            r#"GET /users {"ids":["alice"],"includePrivateFields":false}"#,
        ]
    );
    kit.answer(
        "GET /me/conversations/c/messages/m0",
        &message("m0", "bob", 0),
    );
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    let reply = kit.reply(get);
    assert_eq!(reply["sender"]["name"], "Alice");
    assert_eq!(reply["referencedMessage"]["sender"]["name"], "Bob");
    assert!(kit.live.is_idle());
}

#[test]
fn get_message_hidden_is_null_other_refusal_fails() {
    for (status, code, is_null) in [
        (404, "MESSAGE_NOT_FOUND", true),
        (403, "NOT_A_PARTICIPANT", true),
        (403, "OTHER", false),
    ] {
        let mut kit = Kit::new();
        let get = kit.get(Get::Message(id("c"), id("m1")));
        kit.drain();
        kit.refuse(M1, status, code);
        assert_eq!(kit.resolved[&get].is_ok(), is_null, "{code}");
        assert!(kit.live.is_idle());
    }
}

#[test]
fn get_message_without_quote_or_sender_succeeds() {
    let mut kit = Kit::new();
    let get = kit.get(Get::Message(id("c"), id("m1")));
    kit.drain();
    kit.answer(M1, &reply_to(message("m1", "alice", 1), "m0"));
    kit.refuse(
        "GET /me/conversations/c/messages/m0",
        404,
        "MESSAGE_NOT_FOUND",
    );
    kit.refuse(USERS, 400, "WHY");
    let reply = kit.reply(get);
    assert_eq!(
        (&reply["sender"], &reply["referencedMessage"]),
        (&json!(null), &json!(null))
    );
}

#[test]
fn get_message_in_flight_is_sent_again_after_a_loss() {
    let mut kit = Kit::new();
    let get = kit.get(Get::Message(id("c"), id("m1")));
    kit.drain();
    kit.answer(M1, &message("m1", "alice", 1));
    let sent = kit.reconnect();
    assert_eq!(sent, ["GET /me/conversations/c/messages/m1 {}"]);
    kit.answer(M1, &message("m1", "alice", 1));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.reply(get)["sender"]["name"], "Alice");
}

#[test]
fn get_unsent_and_cancelled_is_never_sent() {
    let mut kit = Kit::new();
    for get in [
        Get::User(id("bob")),
        Get::Conversation(id("c")),
        Get::Participant(id("c"), id("bob")),
        Get::Message(id("c"), id("m1")),
        Get::FirstReactions(id("c"), id("m1"), id("👍")),
    ] {
        let request = kit.get(get.clone());
        assert_eq!(kit.live.pending_requests(), 1);
        assert_eq!(kit.live.cancel(kit.now, request), Some(false));
        assert_eq!(kit.drain(), [""; 0], "{get:?}");
        assert!(kit.live.is_idle(), "{get:?}");
        let request = kit.get(get.clone());
        kit.drain();
        assert_eq!(kit.live.cancel(kit.now, request), Some(true), "{get:?}");
        assert_eq!(kit.live.cancel(kit.now, request), None);
        kit.reconnect();
        assert!(kit.live.is_idle(), "{get:?}");
    }
    assert!(kit.resolved.is_empty());
}

#[test]
fn end_fails_all_gets_and_releases_memory() {
    let mut kit = Kit::new();
    let gets = [
        kit.get(Get::User(id("bob"))),
        kit.get(Get::Message(id("c"), id("m1"))),
    ];
    let subscription = kit.messages("c");
    let more = kit.load_more(subscription, 5);
    kit.drain();
    kit.live.end(&crate::SessionError::Shutdown.into());
    assert_eq!(kit.drain(), [""; 0]);
    for request in gets.into_iter().chain([more]) {
        assert!(kit.resolved[&request].is_err());
    }
    assert!(kit.ended[&subscription].is_some());
    assert!(kit.live.is_idle());
    assert_eq!(
        (kit.live.pending_requests(), kit.live.subscriptions()),
        (0, 0)
    );
    assert_eq!(kit.live.poll_timeout(), None);
}

#[test]
fn get_system_message_has_no_senders() {
    let mut kit = Kit::new();
    let get = kit.get(Get::Message(id("c"), id("m1")));
    kit.drain();
    let system = |id: &str| {
        let mut system = message(id, "bob", 1);
        system["senderId"] = json!(null);
        system["type"] = json!("SystemMessage");
        system
    };
    let sent = kit.answer(M1, &reply_to(system("m1"), "m0"));
    assert_eq!(sent, ["GET /me/conversations/c/messages/m0 {}"]);
    kit.answer("GET /me/conversations/c/messages/m0", &system("m0"));
    let reply = kit.reply(get);
    assert_eq!(reply["sender"], json!(null));
    assert_eq!(reply["referencedMessage"]["id"], "m0");
    assert_eq!(reply["referencedMessage"]["sender"], json!(null));
}

#[test]
fn get_message_known_sender_is_not_fetched() {
    let mut kit = Kit::new();
    kit.user("alice");
    kit.drain();
    let alice = json!({"alice": user("alice", "Alice")});
    kit.answer(USERS, &alice);
    let get = kit.get(Get::Message(id("c"), id("m1")));
    kit.drain();
    assert_eq!(kit.answer(M1, &message("m1", "alice", 1)), [""; 0]);
    assert_eq!(kit.reply(get)["sender"]["name"], "Alice");
    // After a loss all data must be fetched again.
    kit.reconnect();
    let get = kit.get(Get::Message(id("c"), id("m1")));
    kit.drain();
    let sent = kit.answer(M1, &message("m1", "alice", 1));
    assert_eq!(sent.len(), 1);
    kit.answer(USERS, &alice);
    kit.answer(USERS, &alice);
    assert_eq!(kit.reply(get)["sender"]["name"], "Alice");
}
