use serde_json::{Value, json};

use crate::server::support::World;

#[test]
fn user_put_creates_and_get_returns_all_members() {
    let mut world = World::new();
    let now = world.now();
    assert_eq!(world.rejected("GET", "/users/alice", Value::Null).0, 404);
    let user = json!({
        "id": "ignored",
        "name": "Alice",
        "email": ["alice@example.com"],
        "role": "buyer",
        "custom": { "tier": "gold" },
        "unknown": 1,
    });
    assert_eq!(world.done("PUT", "/users/alice", user), json!({}));
    let expected = json!({
        "id": "alice", "name": "Alice", "email": ["alice@example.com"], "phone": null,
        "photoUrl": null, "welcomeMessage": null, "availabilityText": null, "role": "buyer",
        "locale": null, "custom": { "tier": "gold" }, "pushTokens": null, "createdAt": now,
    });
    assert_eq!(world.read("/users/alice"), expected);
}

#[test]
fn user_put_changes_given_members_only() {
    let mut world = World::new();
    let user = json!({
        "name": "Alice",
        "email": ["alice@example.com"],
        "phone": ["+1"],
        "photoUrl": "no url",
        "locale": "nl-NL",
        "role": "buyer",
        "welcomeMessage": "Hi",
        "availabilityText": "9 to 5",
        "custom": { "a": "1", "b": "2" },
        "pushTokens": { "fcm:x": true, "apns:y": true },
    });
    world.done("PUT", "/users/alice", user.clone());
    let patch = json!({
        "email": null,
        "role": null,
        "custom": { "a": null, "c": "3" },
        "pushTokens": { "apns:y": null },
        "availabilityText": null,
    });
    world.done("PUT", "/users/alice", patch);
    let changed = world.read("/users/alice");
    assert_eq!(changed["email"], Value::Null);
    assert_eq!(changed["role"], "default");
    assert_eq!(changed["custom"], json!({ "b": "2", "c": "3" }));
    assert_eq!(changed["pushTokens"], json!({ "fcm:x": true }));
    assert_eq!(changed["availabilityText"], Value::Null);
    for kept in ["name", "phone", "photoUrl", "locale", "welcomeMessage"] {
        assert_eq!(changed[kept], user[kept], "{kept}");
    }
    let reset = json!({ "custom": null, "pushTokens": null });
    world.done("PUT", "/users/alice", reset);
    let changed = world.read("/users/alice");
    assert_eq!(changed["custom"], json!({}));
    assert_eq!(changed["pushTokens"], Value::Null);
}

#[test]
fn user_put_invalid_members_are_refused() {
    let mut world = World::new();
    world.provision(&["bob"]);
    for (user, body) in [
        ("alice", json!({})),
        ("alice", json!({ "email": ["a@example.com"] })),
        ("bob", json!({ "name": null })),
        ("bob", json!({ "name": 1 })),
        ("bob", json!({ "email": "bob@example.com" })),
        ("bob", json!({ "custom": { "k": 1 } })),
        ("bob", json!({ "pushTokens": ["fcm:x"] })),
        ("bob", json!({ "pushTokens": { "fcm:x": false } })),
        ("bob", json!([])),
    ] {
        let answer = world.rejected("PUT", &format!("/users/{user}"), body.clone());
        assert_eq!(answer, (400, "INVALID_USER".to_owned()), "{body}");
    }
    assert_eq!(world.server.users("app").len(), 1);
}

#[test]
fn users_put_is_all_or_nothing() {
    let mut world = World::new();
    let users = json!({ "alice": { "name": "Alice" }, "bob": { "phone": "123" } });
    let (status, answer) = world.rest("PUT", "/users", users);
    assert_eq!(status, 400);
    let reasons = json!({
        "bob": ["phone: must be a list of strings", "name: is required for a new user"],
    });
    assert_eq!(
        answer,
        json!({ "errorCode": "INVALID_USERS", "reasons": reasons })
    );
    assert!(world.server.users("app").is_empty());

    let many = |count: usize| -> Value {
        let users = (0..count).map(|n| (format!("u{n}"), json!({ "name": "x" })));
        Value::Object(users.collect())
    };
    let answer = world.rejected("PUT", "/users", many(101));
    assert_eq!(answer, (400, "INVALID_USERS".to_owned()));
    assert!(world.server.users("app").is_empty());
    assert_eq!(world.done("PUT", "/users", many(100)), json!({}));
    assert_eq!(world.server.users("app").len(), 100);
}

#[test]
fn users_list_pages_newest_first() {
    let mut world = World::new();
    for group in [&["a", "b"][..], &["c"], &["d", "e"]] {
        world.provision(group);
        world.wait(10);
    }
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.ids(&format!("/users?limit=2{after}"));
        let Some(last) = page.last() else { break };
        after = format!("&startingAfter={last}");
        found.extend(page);
    }
    assert_eq!(found, ["e", "d", "c", "b", "a"]);
    for limit in ["0", "101", "x", "-1", ""] {
        let answer = world.rejected("GET", &format!("/users?limit={limit}"), Value::Null);
        assert_eq!(answer, (400, "INVALID_LIMIT".to_owned()), "{limit}");
    }
    let answer = world.rejected("GET", "/users?startingAfter=nobody", Value::Null);
    assert_eq!(answer, (400, "INVALID_STARTING_AFTER".to_owned()));
}

#[test]
fn users_list_default_page_has_ten() {
    let mut world = World::new();
    for n in 0..12 {
        world.provision(&[&format!("u{n}")]);
    }
    assert_eq!(world.ids("/users").len(), 10);
    assert_eq!(world.ids("/users?limit=100").len(), 12);
}

#[test]
fn users_list_online_has_connected_users() {
    let mut world = World::new();
    world.provision(&["alice", "bob"]);
    assert!(world.ids("/users?isOnline=true").is_empty());
    let peer = world.connect("bob");
    assert_eq!(world.ids("/users?isOnline=true"), ["bob"]);
    world.close(peer);
    assert!(world.ids("/users?isOnline=true").is_empty());
}

#[test]
fn user_put_reaches_connected_clients() {
    let mut world = World::new();
    let alice = world.connect("alice");
    world.ok(alice, "SUBSCRIBE", "/users", json!({ "ids": ["alice"] }));
    world.done("PUT", "/users/alice", json!({ "name": "Alice" }));
    let events = world.events(alice);
    assert_eq!(events[0]["type"], "user.created");
    assert_eq!(events[0]["state"]["name"], "Alice");
    world.done("PUT", "/users/alice", json!({ "name": "Alice B" }));
    let diff = json!([{
        "type": "user.edited", "userId": "alice", "diff": { "name": "Alice B" },
    }]);
    assert_eq!(json!(world.events(alice)), diff);
    // Private data and repeated values cause no event.
    for body in [
        json!({ "name": "Alice B" }),
        json!({ "email": ["x"] }),
        json!({ "availabilityText": "x" }),
    ] {
        world.done("PUT", "/users/alice", body);
    }
    assert!(world.events(alice).is_empty());

    world.ok(alice, "PUT", "/users/alice", json!({ "name": "A" }));
    assert_eq!(world.read("/users/alice")["name"], "A");
}
