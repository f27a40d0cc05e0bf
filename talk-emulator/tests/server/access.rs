//! Permissions of roles, sync switches and limits of the plan.

use serde_json::{Value, json};
use talk_emulator::server::Settings;

use super::support::{World, text_block};

fn settings(json: Value) -> Settings {
    serde_json::from_value(json).unwrap()
}

fn set(world: &mut World, json: Value) {
    let now = world.time();
    world.server.set_settings(now, settings(json));
}

#[test]
fn settings_missing_members_have_defaults() {
    assert_eq!(settings(json!({})), Settings::default());
    let some = settings(
        json!({ "roles": { "guest": { "react": false } }, "limits": { "participants": 2 } }),
    );
    assert!(!some.role("guest").react && some.role("guest").reply);
    assert!(some.role("default").react);
    assert!(
        serde_json::from_value::<Settings>(json!({ "rolls": {} })).is_err(),
        "a slip is told"
    );
}

#[test]
fn user_sync_off_refuses_changes() {
    let (mut world, alice, _) = World::of_friends();
    set(&mut world, json!({ "sync": { "users": false } }));
    let code = "CLIENT_SIDE_SYNC_DISABLED".to_owned();
    assert_eq!(
        world.refused(alice, "PUT", "/users/bob", json!({ "name": "B" })),
        (403, code.clone())
    );
    assert_eq!(
        world.refused(alice, "POST", "/users/new", json!({ "name": "N" })),
        (403, code)
    );
    assert_eq!(
        world
            .refused(alice, "POST", "/users/bob", json!({ "name": "B" }))
            .0,
        409,
        "nothing to be done"
    );
    world.ok(alice, "GET", "/users", json!({ "ids": ["bob"] }));
}

#[test]
fn conversation_sync_off_allows_own_notify_only() {
    let (mut world, alice, _) = World::of_friends();
    set(&mut world, json!({ "sync": { "conversations": false } }));
    let edit = (403, "UNAUTHORIZED_TO_EDIT".to_owned());
    assert_eq!(
        world.refused(alice, "PUT", "/conversations/c", json!({ "subject": "S" })),
        edit
    );
    assert_eq!(
        world.refused(alice, "POST", "/conversations/new", json!({})),
        edit
    );
    assert_eq!(
        world
            .refused(alice, "POST", "/conversations/c", json!({}))
            .0,
        409
    );

    let status = |world: &mut World, method: &str, user: &str, params: Value| {
        world.act(alice, "c", method, user, params)["status"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(
        status(&mut world, "PUT", "alice", json!({ "notify": false })),
        200
    );
    assert_eq!(
        status(&mut world, "PUT", "alice", json!({ "access": "Read" })),
        403
    );
    assert_eq!(
        status(&mut world, "PATCH", "bob", json!({ "notify": false })),
        403
    );
    assert_eq!(status(&mut world, "POST", "carol", json!({})), 403);
    assert_eq!(status(&mut world, "POST", "bob", json!({})), 409);
    assert_eq!(
        world
            .refused(
                alice,
                "DELETE",
                "/conversations/c/participants/bob",
                json!({})
            )
            .0,
        403
    );
    world.say(alice, "c", "messages are not affected");
}

#[test]
fn join_full_conversation_is_refused() {
    let (mut world, alice, _) = World::of_friends();
    set(&mut world, json!({ "limits": { "participants": 2 } }));
    assert_eq!(
        world.act(alice, "c", "POST", "carol", json!({}))["status"],
        403
    );
    world.ok(
        alice,
        "DELETE",
        "/conversations/c/participants/bob",
        json!({}),
    );
    assert_eq!(
        world.act(alice, "c", "POST", "carol", json!({}))["status"],
        200
    );
}

#[test]
fn role_restricts_requests() {
    let (mut world, alice, bob) = World::of_friends();
    world.ok(alice, "PUT", "/users/bob", json!({ "role": "guest" }));
    let hers = world.say(alice, "c", "hers");
    let his = world.say(bob, "c", "his");
    set(
        &mut world,
        json!({ "roles": {
            "guest": {
                "fileSharing": false, "locationSharing": false, "mentions": false,
                "typingIndicators": false,
                "onlineStatus": false, "editMessages": "none", "deleteMessages": "none",
                "reply": false,
                "react": false, "leave": false, "markUnread": false,
            },
            "default": {
                "editMessages": "all", "deleteMessages": "all", "links": true, "actions": true,
            },
        }}),
    );
    let send = "/conversations/c/messages";
    let text = |node: Value| json!({ "content": [{ "type": "text", "children": [node] }] });
    let link = text(json!({ "type": "link", "url": "https://x.org", "children": ["x"] }));
    let requests = [
        (
            "POST",
            send.to_owned(),
            text(json!({ "type": "mention", "id": "alice", "text": "Alice" })),
        ),
        (
            "POST",
            send.to_owned(),
            json!({ "content": [{ "type": "location", "latitude": 1, "longitude": 2 }] }),
        ),
        ("POST", send.to_owned(), link.clone()),
        (
            "POST",
            send.to_owned(),
            json!({ "content": text_block("x"), "referencedMessageId": hers }),
        ),
        (
            "POST",
            "/files/validate".to_owned(),
            json!({ "filename": "x", "filesize": 1 }),
        ),
        ("POST", "/me/conversations/c/typing".to_owned(), json!({})),
        ("GET", "/me/conversations/c/typing".to_owned(), json!({})),
        ("GET", "/users/alice/online".to_owned(), json!({})),
        (
            "PATCH",
            format!("{send}/{his}"),
            json!({ "content": text_block("x") }),
        ),
        ("DELETE", format!("{send}/{his}"), json!({})),
        ("PUT", format!("{send}/{hers}/reactions/:x:/bob"), json!({})),
        ("POST", "/me/conversations/c/unread".to_owned(), json!({})),
        (
            "DELETE",
            "/conversations/c/participants/bob".to_owned(),
            json!({}),
        ),
    ];
    for (method, path, data) in requests {
        let refused = world.refused(bob, method, &path, data);
        assert_eq!(
            refused,
            (403, "FORBIDDEN_BY_ROLE".to_owned()),
            "{method} {path}"
        );
    }
    world.subscribe(bob, &["/me/conversations/c/typing", "/users/carol/online"]);
    world.ok(alice, "POST", "/me/conversations/c/typing", json!({}));
    world.connect("carol");
    assert_eq!(world.events(bob), [] as [Value; 0], "nor is he told");
    world.ok(alice, "POST", send, link);
    world.ok(
        alice,
        "PATCH",
        &format!("{send}/{his}"),
        json!({ "content": text_block("hers now") }),
    );
    world.ok(alice, "DELETE", &format!("{send}/{his}"), json!({}));
}
