use serde_json::{Value, json};

use super::support::World;

fn ids(page: &Value) -> Vec<&str> {
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|side| side["id"].as_str().unwrap())
        .collect()
}

#[test]
fn get_conversation_returns_side() {
    let mut world = World::new();
    let alice = world.connect("alice");
    world.ok(alice, "POST", "/users/alice", json!({ "name": "Alice" }));
    world.ok(
        alice,
        "POST",
        "/conversations/a%2Fb",
        json!({
            "subject": "S", "welcomeMessages": ["hi"], "custom": { "k": "v", "n": null },
            "access": "Read",
        }),
    );
    world.act(
        alice,
        "a%2Fb",
        "POST",
        "alice",
        json!({ "access": "Read", "notify": "MentionsOnly" }),
    );
    let side = world.ok(alice, "GET", "/me/conversations/a%2Fb", json!({}));
    let (created, joined) = (
        side["createdAt"].as_u64().unwrap(),
        side["joinedAt"].as_u64().unwrap(),
    );
    assert!(created < joined, "every time is later than the one before");
    assert_eq!(
        side,
        json!({
            "id": "a/b", "subject": "S", "photoUrl": null, "welcomeMessages": ["hi"],
            "custom": { "k": "v" },
            "createdAt": created, "joinedAt": joined, "lastMessageAt": joined,
            "unreadMessageCount": 0,
            "isUnread": false, "readUntil": joined, "everyoneReadUntil": joined, "access": "Read",
            "notify": "MentionsOnly",
        })
    );
}

#[test]
fn create_existing_conversation_is_refused() {
    let (mut world, alice, _) = World::of_friends();
    let refused = world.refused(
        alice,
        "POST",
        "/conversations/c",
        json!({ "subject": "new" }),
    );
    assert_eq!(refused, (409, "CONVERSATION_ALREADY_EXISTS".into()));
    assert_eq!(
        world.ok(alice, "GET", "/me/conversations/c", json!({}))["subject"],
        Value::Null
    );
}

#[test]
fn set_conversation_notifies_each_participant_once() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(
        alice,
        &[
            "/me/conversations",
            "/me/conversations/c",
            "/me/conversations/c/messages",
        ],
    );
    world.subscribe(bob, &["/me/conversations/c/messages"]);
    let carol = world.connect("carol");
    world.subscribe(carol, &["/me/conversations", "/me/conversations/c"]);
    world.ok(
        bob,
        "PUT",
        "/conversations/c",
        json!({ "subject": "S", "custom": { "k": "v" } }),
    );
    world.ok(bob, "PUT", "/conversations/c", json!({ "subject": "S" }));
    assert_eq!(
        world.events(alice),
        [json!({
            "type": "conversation.edited", "conversationId": "c",
            "diff": { "subject": "S", "custom": { "k": "v" } },
        })]
    );
    assert_eq!(
        world.events(bob),
        [] as [Value; 0],
        "bob watches only messages"
    );
    assert_eq!(world.events(carol), [] as [Value; 0], "carol is not in it");
}

#[test]
fn get_conversation_non_participant_is_refused() {
    let (mut world, _, _) = World::of_friends();
    let carol = world.connect("carol");
    for path in [
        "",
        "/messages",
        "/messages/m",
        "/participants",
        "/participants/alice",
        "/typing",
    ] {
        let refused = world.refused(
            carol,
            "GET",
            &format!("/me/conversations/c{path}"),
            json!({}),
        );
        assert_eq!(refused, (403, "NOT_A_PARTICIPANT".into()));
        let refused = world.refused(
            carol,
            "GET",
            &format!("/me/conversations/none{path}"),
            json!({}),
        );
        assert_eq!(refused, (404, "CONVERSATION_NOT_FOUND".into()));
    }
}

#[test]
fn list_orders_by_latest_activity() {
    let (mut world, alice, bob) = World::of_friends();
    for c in ["d", "e"] {
        world.ok(alice, "POST", &format!("/conversations/{c}"), json!({}));
        world.add(alice, c, &["alice"]);
    }
    let list = world.ok(
        alice,
        "GET",
        "/me/conversations",
        json!({ "limit": 20, "filter": {} }),
    );
    assert_eq!(ids(&list), ["e", "d", "c"]);
    assert_eq!(list["cursor"], Value::Null);
    let message = world.say(bob, "c", "hi");
    let list = world.ok(
        alice,
        "GET",
        "/me/conversations",
        json!({ "limit": 20, "filter": {} }),
    );
    assert_eq!(ids(&list), ["c", "e", "d"]);
    world.ok(
        bob,
        "DELETE",
        &format!("/conversations/c/messages/{message}"),
        json!({}),
    );
    let list = world.ok(alice, "GET", "/me/conversations", json!({}));
    assert_eq!(
        ids(&list),
        ["e", "d", "c"],
        "without its only message it falls back"
    );
}

#[test]
fn list_cursor_survives_removed_item() {
    let (mut world, alice, _) = World::of_friends();
    for c in ["d", "e", "f", "g"] {
        world.ok(alice, "POST", &format!("/conversations/{c}"), json!({}));
        world.add(alice, c, &["alice"]);
    }
    let first = world.ok(
        alice,
        "GET",
        "/me/conversations",
        json!({ "limit": 2, "filter": {} }),
    );
    assert_eq!(ids(&first), ["g", "f"]);
    world.ok(
        alice,
        "DELETE",
        "/conversations/f/participants/alice",
        json!({}),
    );
    let second = world.ok(
        alice,
        "GET",
        "/me/conversations",
        json!({ "limit": 3, "cursor": first["cursor"] }),
    );
    assert_eq!(ids(&second), ["e", "d", "c"]);
    assert_eq!(second["cursor"], Value::Null, "that was all");
}

#[test]
fn list_invalid_limit_or_cursor_is_refused() {
    let (mut world, alice, _) = World::of_friends();
    for data in [
        json!({ "limit": 0 }),
        json!({ "limit": -1 }),
        json!({ "limit": "9" }),
        json!({ "limit": 1.5 }),
    ] {
        assert_eq!(
            world.refused(alice, "GET", "/me/conversations", data).0,
            400
        );
    }
    for cursor in ["", "x", "e30"] {
        let data = json!({ "limit": 2, "cursor": cursor });
        assert_eq!(
            world.refused(alice, "GET", "/me/conversations", data).0,
            400,
            "{cursor:?}"
        );
    }
    for n in 0..40 {
        world.ok(alice, "PUT", &format!("/conversations/n{n}"), json!({}));
        world.add(alice, &format!("n{n}"), &["alice"]);
    }
    let huge = json!({ "limit": 1e20 });
    world.ok(alice, "GET", "/me/conversations", huge);
    let page = world.ok(alice, "GET", "/me/conversations", json!({ "limit": 1000 }));
    assert_eq!(
        ids(&page).len(),
        30,
        "a large limit is cut to the documented one"
    );
}

#[test]
fn create_conversation_by_unknown_user_is_refused() {
    let mut world = World::new();
    let alice = world.connect("alice");
    for method in ["POST", "PUT"] {
        let refused = world.refused(alice, method, "/conversations/c", json!({}));
        assert_eq!(refused, (404, "USER_NOT_FOUND".to_owned()));
    }
    world.ok(alice, "PUT", "/users/alice", json!({ "name": "Alice" }));
    world.ok(alice, "POST", "/conversations/c", json!({}));
}
