use serde_json::{Value, json};
use talk_emulator::server::Settings;

use crate::server::support::World;

#[test]
fn conversation_put_creates_and_get_returns_it() {
    let mut world = World::new();
    world.provision(&["alice", "bob"]);
    let now = world.now();
    let body = json!({
        "participants": ["alice", "bob", "alice"],
        "subject": "Order 1",
        "custom": { "orderId": "1" },
    });
    assert_eq!(world.done("PUT", "/conversations/order_1", body), json!({}));
    let conversation = world.read("/conversations/order_1");
    let participant = |joined: &Value| {
        json!({
            "access": "ReadWrite", "notify": true, "isUnread": false,
            "joinedAt": joined, "readUntil": joined,
        })
    };
    let participants = &conversation["participants"];
    let [alice, bob] = ["alice", "bob"].map(|user| participants[user]["joinedAt"].clone());
    assert!(alice.as_u64() < bob.as_u64());
    let expected = json!({
        "id": "order_1", "subject": "Order 1", "topicId": null, "photoUrl": null,
        "welcomeMessages": null, "custom": { "orderId": "1" }, "lastMessage": null,
        "participants": { "alice": participant(&alice), "bob": participant(&bob) },
        "createdAt": now, "everyoneReadUntil": alice,
    });
    assert_eq!(conversation, expected);
}

#[test]
fn conversation_put_adds_participants_and_keeps_members() {
    let mut world = World::new();
    world.provision(&["alice", "bob"]);
    let body = json!({ "subject": "S", "photoUrl": "p", "welcomeMessages": ["Hi"] });
    world.done("PUT", "/conversations/c", body);
    let empty = world.read("/conversations/c");
    assert_eq!(empty["participants"], json!({}));
    assert_eq!(empty["everyoneReadUntil"], 0);
    for user in ["alice", "bob"] {
        let body = json!({ "participants": [user] });
        world.done("PUT", "/conversations/c", body);
    }
    let changed = world.read("/conversations/c");
    assert_eq!(changed["participants"].as_object().unwrap().len(), 2);
    assert_eq!(changed["subject"], "S");
    assert_eq!(changed["welcomeMessages"], json!(["Hi"]));
    let reset = json!({ "subject": null, "photoUrl": null, "welcomeMessages": null });
    world.done("PUT", "/conversations/c", reset);
    let changed = world.read("/conversations/c");
    for member in ["subject", "photoUrl", "welcomeMessages"] {
        assert_eq!(changed[member], Value::Null, "{member}");
    }
}

#[test]
fn conversation_put_invalid_body_applies_nothing() {
    let mut settings = Settings::default();
    settings.limits.participants = 2;
    let mut world = World::with(settings);
    world.provision(&["a", "b", "c"]);
    for (body, code) in [
        (json!({ "participants": ["a", "nobody"] }), "USER_NOT_FOUND"),
        (
            json!({ "participants": ["a", "b", "c"] }),
            "TOO_MANY_PARTICIPANTS",
        ),
        (json!({ "participants": "a" }), "INVALID_CONVERSATION"),
        (json!({ "subject": 1 }), "INVALID_CONVERSATION"),
        (json!({ "custom": [] }), "INVALID_CONVERSATION"),
        (json!([]), "INVALID_CONVERSATION"),
    ] {
        let answer = world.rejected("PUT", "/conversations/x", body.clone());
        assert_eq!(answer, (400, code.to_owned()), "{body}");
    }
    let absent = (404, "CONVERSATION_NOT_FOUND".to_owned());
    for method in ["GET", "DELETE"] {
        let answer = world.rejected(method, "/conversations/x", Value::Null);
        assert_eq!(answer, absent);
    }
}

#[test]
fn conversation_put_reaches_connected_clients() {
    let (mut world, alice, bob) = World::of_friends();
    let carol = world.connect("carol");
    world.subscribe(
        alice,
        &["/me/conversations", "/me/conversations/c/participants"],
    );
    world.subscribe(
        carol,
        &["/me/conversations/c", "/me/conversations/c/typing"],
    );
    world.forget_events(&[alice, bob, carol]);
    let body = json!({ "participants": ["alice", "carol"], "subject": "New" });
    world.done("PUT", "/conversations/c", body.clone());
    assert_eq!(
        world.event_types(carol),
        ["side.created", "typing.available"]
    );
    assert_eq!(
        world.event_types(alice),
        ["conversation.edited", "participant.created"]
    );
    world.done("PUT", "/conversations/c", body);
    assert!(world.events(alice).is_empty() && world.events(carol).is_empty());

    world.ok(
        alice,
        "PUT",
        "/conversations/c",
        json!({ "subject": "Mine" }),
    );
    assert_eq!(world.read("/conversations/c")["subject"], "Mine");
}

#[test]
fn conversation_delete_removes_everything() {
    let mut world = World::keeping();
    let [alice, bob] = world.befriend();
    for peer in [alice, bob] {
        let parts = ["", "/messages", "/participants", "/typing"];
        let paths = parts.map(|part| format!("/me/conversations/c{part}"));
        world.subscribe(peer, &paths.each_ref().map(String::as_str));
        world.subscribe(peer, &["/me/conversations"]);
    }
    let data = json!({ "content": [{ "type": "text", "children": ["x"] }], "idempotencyKey": "k" });
    let first = world.ok(alice, "POST", "/conversations/c/messages", data.clone());
    world.ok(bob, "POST", "/me/conversations/c/typing", json!({}));
    world.forget_events(&[alice, bob]);
    assert_eq!(
        world.done("DELETE", "/conversations/c", Value::Null),
        json!({})
    );
    for peer in [alice, bob] {
        assert_eq!(world.event_types(peer), ["side.deleted"]);
        let list = world.ok(peer, "GET", "/me/conversations", json!({}));
        assert_eq!(list["data"], json!([]));
    }
    world.wait(20_000);
    assert!(world.events(alice).is_empty(), "nobody stops typing");
    assert_eq!(world.rest("GET", "/conversations/c", Value::Null).0, 404);

    // A new conversation with the same id has nothing of the old one, also after a restart.
    world.done(
        "PUT",
        "/conversations/c",
        json!({ "participants": ["alice"] }),
    );
    assert_eq!(world.read("/conversations/c/messages")["data"], json!([]));
    world.restart();
    let alice = world.connect("alice");
    assert_eq!(world.read("/conversations/c/messages")["data"], json!([]));
    let again = world.ok(alice, "POST", "/conversations/c/messages", data);
    assert_ne!(again, first);
    world.done("DELETE", "/conversations/c", Value::Null);
    world.restart();
    assert_eq!(world.rest("GET", "/conversations/c", Value::Null).0, 404);
}
