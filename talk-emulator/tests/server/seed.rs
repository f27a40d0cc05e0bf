//! Initial data.

use serde_json::{Value, json};
use talk_emulator::server::{Seed, Server, Settings};

use super::support::World;

fn seed(data: Value) -> Seed {
    serde_json::from_value(data).unwrap()
}

fn lobby() -> Value {
    json!({
        "app": "app",
        "users": {
            "alice": {"name": "Alice", "custom": {"k": "v"}},
            "bob": {"name": "Bob", "role": "guest"},
        },
        "conversations": [{
            "id": "lobby",
            "subject": "Lobby",
            "participants": ["alice", "bob"],
            "messages": [
                {"sender": "alice", "text": "Hi *Bob*!", "minutesAgo": 5},
                {"sender": "bob", "text": "Hi!", "minutesAgo": 2, "reactions": {"👍": ["alice"]}},
                {"sender": "bob", "text": "Bye!"},
            ],
        }],
    })
}

#[test]
fn seed_history_has_its_times_and_unread_counts() {
    let mut world = World::with(Settings {
        sync: serde_json::from_value(json!({"users": false, "conversations": false})).unwrap(),
        ..Settings::default()
    });
    let now = world.time();
    assert!(world.server.seed(now, &seed(lobby())).unwrap());

    let alice = world.connect("alice");
    let page = world.ok(alice, "GET", "/me/conversations/lobby/messages", json!({}));
    let messages = page["data"].as_array().unwrap();
    let ages = messages.iter().map(|it| {
        let at = it["createdAt"].as_u64().unwrap();
        (
            it["senderId"].as_str().unwrap(),
            (world.now() + 60_000 - 1 - at) / 60_000,
        )
    });
    let ages: Vec<_> = ages.collect();
    assert_eq!(ages, [("bob", 0), ("bob", 2), ("alice", 5)]);
    assert_eq!(messages[1]["reactions"]["👍"]["count"], 1);
    let side = world.ok(alice, "GET", "/me/conversations/lobby", json!({}));
    assert_eq!(side["unreadMessageCount"], 2);
    assert_eq!(side["subject"], "Lobby");
}

#[test]
fn seed_of_an_app_with_users_is_ignored() {
    let mut world = World::new();
    let now = world.time();
    assert!(world.server.seed(now, &seed(lobby())).unwrap());
    let mut second = lobby();
    second["users"]["alice"]["name"] = json!("Other");
    assert!(!world.server.seed(now, &seed(second)).unwrap());
    let alice = world.connect("alice");
    let users = world.ok(alice, "GET", "/users", json!({"ids": ["alice"]}));
    assert_eq!(users["alice"]["name"], "Alice");
}

#[test]
fn seed_with_unknown_ids_names_the_entry() {
    for (change, entry) in [
        (
            json!({"participants": ["alice", "carol"]}),
            "conversation \"lobby\"",
        ),
        (
            json!({"messages": [{"sender": "carol", "text": "Hi"}]}),
            "message of \"carol\"",
        ),
        (
            json!({"messages": [{"sender": "bob", "text": "Hi", "reactions": {"👍": ["carol"]}}]}),
            "message of \"bob\"",
        ),
    ] {
        let mut data = lobby();
        for (key, value) in change.as_object().unwrap() {
            data["conversations"][0][key] = value.clone();
        }
        let now = World::new().time();
        let mut server = Server::new(Settings::default(), 1, now);
        let error = server.seed(now, &seed(data)).unwrap_err().to_string();
        assert!(error.contains(entry), "{error}");
    }
    let mut unknown = lobby();
    unknown["users"]["bob"]["nmae"] = json!("Bob");
    assert!(serde_json::from_value::<Seed>(unknown).is_err());
    let shown = format!("{:?}", seed(lobby()));
    assert!(!shown.contains("Bye"), "{shown}");
}

#[test]
fn seed_ids_that_requests_cannot_name_are_refused() {
    let long = "x".repeat(256);
    for id in ["", &long] {
        let mut app = lobby();
        app["app"] = json!(id);
        let mut user = lobby();
        user["users"][id] = json!({ "name": "X" });
        let mut conversation = lobby();
        conversation["conversations"][0]["id"] = json!(id);
        for data in [app, user, conversation] {
            let mut world = World::new();
            let now = world.time();
            let error = world.server.add_seed(now, &seed(data)).unwrap_err();
            assert!(error.to_string().contains("1 to 255 bytes"), "{error}");
            assert!(world.server.users("app").is_empty());
        }
    }
}
