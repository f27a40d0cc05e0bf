//! Single participants, typing and presence.

use serde_json::{Value, json};

use super::kit::*;
use crate::snapshot::Topic;

const BOB: &str = "GET /me/conversations/c/participants/bob";
const TYPING: &str = "GET /me/conversations/c/typing";

fn bob(kit: &mut Kit) -> crate::SubscriptionId {
    let topic = Topic::Participant {
        conversation: "c".try_into().unwrap(),
        user: "bob".try_into().unwrap(),
    };
    kit.subscribe(topic)
}

fn typing(kit: &mut Kit) -> crate::SubscriptionId {
    let conversation = "c".try_into().unwrap();
    kit.subscribe(Topic::Typing { conversation })
}

fn changed(diff: Value) -> Value {
    json!({"type": "typing.changed", "conversationId": "c", "diff": diff})
}

#[test]
fn participant_joins_changes_leaves_and_returns() {
    let mut kit = Kit::new();
    let id = bob(&mut kit);
    kit.drain();
    kit.refuse(BOB, 404, "PARTICIPANT_NOT_FOUND");
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.last(id), json!(null));
    let joined = json!({"type": "participant.created", "conversationId": "c", "userId": "bob",
                        "state": participant("bob", 3)});
    kit.publish(std::slice::from_ref(&joined));
    assert_eq!(kit.last(id)["joinedAt"], 3);
    kit.publish(&[
        json!({"type": "participant.edited", "conversationId": "c", "userId": "bob",
                         "diff": {"notify": false}}),
    ]);
    assert_eq!(kit.last(id)["notify"], false);
    kit.publish(&[renamed("bob", "Robert")]);
    assert_eq!(kit.last(id)["user"]["name"], "Robert");
    kit.publish(&[json!({"type": "participant.deleted", "conversationId": "c", "userId": "bob"})]);
    assert_eq!(kit.last(id), json!(null));
    kit.publish(&[joined]);
    assert_eq!(kit.last(id)["joinedAt"], 3);
}

#[test]
fn participant_is_visible_after_rejoining() {
    let mut kit = Kit::new();
    let id = bob(&mut kit);
    kit.drain();
    kit.answer(BOB, &participant("bob", 3));
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c"})]);
    assert_eq!(kit.last(id), json!(null));
    let joined = json!({"type": "side.created", "conversationId": "c", "state": side("c")});
    assert_eq!(kit.publish(&[joined]), [format!("{BOB} {{}}")]);
    kit.answer(BOB, &participant("bob", 3));
    assert_eq!(kit.last(id)["joinedAt"], 3);
}

#[test]
fn typing_is_few_longest_first_then_many_once() {
    let mut kit = Kit::new();
    let id = typing(&mut kit);
    assert_eq!(kit.drain().len(), 2);
    kit.answer(
        TYPING,
        &json!({"many": false, "usersTyping": {"a": 5, "b": 4, "me": 1}}),
    );
    kit.answer(USERS, &json!({"a": user("a", "A"), "b": user("b", "B")}));
    let names = |kit: &Kit| -> Vec<String> {
        let users = kit.last(id)["users"].clone();
        let name = |user: &Value| user["name"].as_str().unwrap().to_owned();
        users.as_array().unwrap().iter().map(name).collect()
    };
    assert_eq!(names(&kit), ["B", "A"]);
    kit.publish(&[changed(json!({"usersTyping": {"b": null}}))]);
    assert_eq!(names(&kit), ["A"]);
    kit.publish(&[changed(json!({"many": true}))]);
    assert_eq!(kit.last(id), json!({"many": true}));
    kit.publish(&[changed(json!({"many": true}))]);
    assert_eq!(kit.count(id), 3);
    kit.publish(&[changed(json!({"many": false, "usersTyping": {"b": 9}}))]);
    assert_eq!(names(&kit), ["B"]);
}

#[test]
fn typing_appears_with_its_event() {
    let mut kit = Kit::new();
    let id = typing(&mut kit);
    kit.drain();
    kit.refuse(TYPING, 403, "NOT_A_PARTICIPANT");
    assert_eq!(kit.last(id), json!(null));
    let sent = kit.publish(&[
        json!({"type": "side.created", "conversationId": "c", "state": side("c")}),
        json!({"type": "typing.available", "conversationId": "c",
               "state": {"many": false, "usersTyping": {}}}),
    ]);
    assert_eq!(sent, [""; 0]);
    assert_eq!(kit.last(id), json!({"many": false, "users": []}));
}

#[test]
fn presence_updates_with_changes_and_user() {
    let mut kit = Kit::new();
    let id = kit.subscribe(Topic::Online {
        user: "bob".try_into().unwrap(),
    });
    assert_eq!(
        kit.drain(),
        [
            "SUBSCRIBE /users/bob/online {}",
            r#"SUBSCRIBE /users {"ids":["bob"]}"#,
            "GET /users/bob/online {}",
            r#"GET /users {"ids":["bob"],"includePrivateFields":false}"#,
        ]
    );
    kit.refuse("GET /users/bob/online", 404, "USER_NOT_FOUND");
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.last(id), json!(null));
    let sent = kit
        .publish(&[json!({"type": "user.created", "userId": "bob", "state": user("bob", "Bob")})]);
    assert_eq!(sent, ["GET /users/bob/online {}"]);
    kit.answer("GET /users/bob/online", &json!({"isConnected": false}));
    assert_eq!(kit.last(id)["isConnected"], false);
    kit.publish(&[
        json!({"type": "user.online.changed", "userId": "bob", "diff": {"isConnected": true}}),
    ]);
    kit.publish(&[renamed("bob", "Robert")]);
    assert_eq!(kit.last(id)["isConnected"], true);
    assert_eq!(kit.last(id)["user"]["name"], "Robert");
    assert_eq!(kit.count(id), 4);
}

#[test]
fn other_refusal_ends_the_subscription() {
    let mut kit = Kit::new();
    let (bob, typing) = (bob(&mut kit), typing(&mut kit));
    kit.drain();
    kit.refuse(TYPING, 402, "PLAN_LIMIT");
    assert!(kit.ended[&typing].is_some());
    assert!(!kit.ended.contains_key(&bob));
    kit.refuse(BOB, 400, "INVALID_ID");
    assert!(kit.ended[&bob].is_some());
    assert_eq!((kit.count(bob), kit.count(typing)), (0, 0));
}

#[test]
fn rejoining_user_receives_typing() {
    let mut kit = Kit::new();
    let id = typing(&mut kit);
    kit.drain();
    kit.refuse(TYPING, 403, "NOT_A_PARTICIPANT");
    assert_eq!(kit.last(id), json!(null));
    let sent =
        kit.publish(&[json!({"type": "side.created", "conversationId": "c", "state": side("c")})]);
    assert_eq!(sent, ["GET /me/conversations/c/typing {}"]);
    kit.answer(TYPING, &json!({"many": true}));
    assert_eq!(kit.last(id), json!({"many": true}));
}

#[test]
fn change_of_absent_entity_is_not_fetched() {
    let mut kit = Kit::new();
    let id = bob(&mut kit);
    kit.drain();
    kit.refuse(BOB, 404, "PARTICIPANT_NOT_FOUND");
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    let edited = json!({"type": "participant.edited", "conversationId": "c", "userId": "bob",
                        "diff": {"notify": false}});
    assert_eq!(kit.publish(&[edited]), [""; 0]);
    assert_eq!((kit.count(id), kit.last(id)), (1, json!(null)));
}

#[test]
fn session_event_changes_no_view() {
    let mut kit = Kit::new();
    let ids = topics().map(|topic| kit.subscribe(topic));
    kit.drain();
    let expired = json!({"type": "session.expired"});
    let restarting = json!({"type": "upstream.restarting"});
    assert_eq!(kit.publish(&[expired, restarting]), [""; 0]);
    for id in ids {
        assert_eq!(kit.count(id), 0);
        assert!(!kit.ended.contains_key(&id));
    }
}
