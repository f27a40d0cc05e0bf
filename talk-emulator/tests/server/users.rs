use serde_json::{Value, json};

use super::support::World;

#[test]
fn get_user_hides_private_fields() {
    let mut world = World::new();
    let peer = world.connect("alice");
    let params = json!({
        "name": "Alice", "custom": { "a": "1" }, "role": "agent", "email": ["a@x"],
        "phone": ["+31"],
        "pushTokens": { "fcm:x": true },
    });
    world.ok(peer, "POST", "/users/alice", params);
    let refused = world.refused(peer, "POST", "/users/alice", json!({ "name": "Other" }));
    assert_eq!(refused, (409, "USER_ALREADY_EXISTS".into()));
    let users = world.ok(
        peer,
        "GET",
        "/users",
        json!({ "ids": ["alice", "nobody"], "includePrivateFields": false }),
    );
    assert_eq!(
        users,
        json!({ "alice": {
            "id": "alice", "name": "Alice", "custom": { "a": "1" }, "locale": null,
            "photoUrl": null,
            "role": "agent", "welcomeMessage": null,
        }})
    );
}

#[test]
fn create_user_without_name_is_refused() {
    let mut world = World::new();
    let peer = world.connect("alice");
    for (method, data) in [
        ("POST", json!({})),
        ("POST", json!({ "name": null })),
        ("POST", json!({ "name": 7 })),
        ("PUT", json!({ "photoUrl": "https://p" })),
    ] {
        assert_eq!(world.refused(peer, method, "/users/bob", data).0, 400);
    }
}

#[test]
fn set_user_null_resets_member() {
    let mut world = World::new();
    let peer = world.connect("alice");
    world.ok(
        peer,
        "PUT",
        "/users/bob",
        json!({
            "name": "Bob", "custom": { "a": "1", "b": "2" }, "locale": "nl-NL", "role": "agent",
            "email": "b@x",
        }),
    );
    world.ok(peer, "SUBSCRIBE", "/users", json!({ "ids": ["bob"] }));

    world.ok(
        peer,
        "PUT",
        "/users/bob",
        json!({ "custom": { "a": null, "b": "2", "c": "3" }, "locale": null }),
    );
    world.ok(
        peer,
        "PUT",
        "/users/bob",
        json!({ "role": null, "custom": null, "email": null, "pushTokens": { "x": null } }),
    );
    world.ok(
        peer,
        "PUT",
        "/users/bob",
        json!({ "name": "Bob", "phone": ["+31"] }),
    );
    assert_eq!(
        world.events(peer),
        [
            json!({ "type": "user.edited", "userId": "bob",
                "diff": { "custom": { "a": null, "c": "3" }, "locale": null } }),
            json!({ "type": "user.edited", "userId": "bob",
                "diff": { "custom": null, "role": "default" } }),
        ]
    );
    let bob = &world.ok(peer, "GET", "/users", json!({ "ids": ["bob"] }))["bob"];
    assert_eq!(bob["custom"], json!({}));
}

#[test]
fn subscribe_unknown_user_reports_creation() {
    let mut world = World::new();
    let peer = world.connect("alice");
    world.ok(
        peer,
        "SUBSCRIBE",
        "/users",
        json!({ "ids": ["bob", "carol"] }),
    );
    world.ok(peer, "UNSUBSCRIBE", "/users", json!({ "ids": ["carol"] }));
    for user in ["bob", "carol"] {
        world.ok(
            peer,
            "POST",
            &format!("/users/{user}"),
            json!({ "name": user }),
        );
    }
    let events = world.events(peer);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["userId"], "bob");
    assert_eq!(events[0]["state"]["name"], "bob");
}

#[test]
fn create_own_user_notifies_conversation_list() {
    let mut world = World::new();
    let peer = world.connect("alice");
    world.ok(peer, "SUBSCRIBE", "/users", json!({ "ids": ["alice"] }));
    world.subscribe(peer, &["/me/conversations"]);
    let refused = world.refused(
        peer,
        "GET",
        "/me/conversations",
        json!({ "limit": 20, "filter": {} }),
    );
    assert_eq!(refused, (404, "USER_NOT_FOUND".into()));
    world.ok(peer, "POST", "/users/alice", json!({ "name": "Alice" }));
    assert_eq!(
        world.event_types(peer),
        ["user.created"],
        "once, though two subscriptions want it"
    );
}

#[test]
fn online_needs_authenticated_connection() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &["/users/bob/online", "/users/carol/online"]);
    assert_eq!(
        world.ok(alice, "GET", "/users/bob/online", json!({})),
        json!({ "isConnected": true })
    );
    assert_eq!(
        world.ok(alice, "GET", "/users/carol/online", json!({})),
        json!({ "isConnected": false })
    );
    let refused = world.refused(alice, "GET", "/users/nobody/online", json!({}));
    assert_eq!(refused, (404, "USER_NOT_FOUND".into()));

    let unauthenticated = world.open("carol");
    assert_eq!(world.events(alice), [] as [Value; 0]);
    world.close(unauthenticated);

    let second = world.connect("bob");
    world.close(bob);
    assert_eq!(world.events(alice), [] as [Value; 0], "bob is still there");
    world.close(second);
    let changed = |user: &str, is_connected: bool| {
        json!({
            "type": "user.online.changed", "userId": user, "diff": { "isConnected": is_connected },
        })
    };
    assert_eq!(world.events(alice), [changed("bob", false)]);
    let carol = world.connect("carol");
    world.ok(carol, "POST", "/session/renew", json!({ "token": "again" }));
    assert_eq!(world.events(alice), [changed("carol", true)]);
}

#[test]
fn create_user_reports_online_state() {
    let mut world = World::new();
    let alice = world.connect("alice");
    world.connect("bob");
    world.subscribe(alice, &["/users/bob/online"]);
    world.ok(alice, "POST", "/users/bob", json!({ "name": "Bob" }));
    assert_eq!(
        world.events(alice),
        [json!({
            "type": "user.online.changed", "userId": "bob", "diff": { "isConnected": true },
        })]
    );
}

#[test]
fn get_users_limit_is_1000() {
    let mut world = World::new();
    let alice = world.connect("alice");
    let ids: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
    assert_eq!(
        world
            .refused(alice, "GET", "/users", json!({ "ids": ids }))
            .0,
        400
    );
    world.ok(alice, "GET", "/users", json!({ "ids": ids[1..] }));
}
