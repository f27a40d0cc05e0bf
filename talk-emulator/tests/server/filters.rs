use serde_json::{Value, json};

use super::support::{Peer, World};

/// Creates conversations of alice: `a` is read-only and has a subject and custom data, `b` has an
/// unread message, and `c` has none of these.
fn world() -> (World, Peer) {
    let (mut world, alice, bob) = World::of_friends();
    let custom = json!({ "subject": "S", "custom": { "k": "v", "empty": "" } });
    world.ok(alice, "POST", "/conversations/a", custom);
    world.act(alice, "a", "POST", "alice", json!({ "access": "Read" }));
    world.ok(
        alice,
        "POST",
        "/conversations/b",
        json!({ "subject": "T", "custom": { "k": "w" } }),
    );
    world.add(alice, "b", &["alice", "bob"]);
    world.say(bob, "b", "hi");
    (world, alice)
}

fn matching(world: &mut World, alice: Peer, filter: &Value) -> String {
    let page = world.ok(
        alice,
        "GET",
        "/me/conversations",
        json!({ "limit": 20, "filter": filter }),
    );
    let mut ids: Vec<&str> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.concat()
}

#[test]
fn filter_requires_all_conditions() {
    let (mut world, alice) = world();
    let a = world.ok(alice, "GET", "/me/conversations/a", json!({}));
    let (created, joined) = (&a["createdAt"], &a["joinedAt"]);
    for (filter, ids) in [
        (json!({}), "abc"),
        (json!(null), "abc"),
        (json!({ "access": ["==", "Read"] }), "a"),
        (json!({ "access": ["==", "ReadWrite"] }), "bc"),
        (json!({ "access": ["oneOf", ["Read", "ReadWrite"]] }), "abc"),
        (json!({ "isUnread": true }), "b"),
        (json!({ "isUnread": false }), "ac"),
        (json!({ "hasMessages": true }), "b"),
        (json!({ "hasMessages": false }), "ac"),
        (json!({ "subject": ["==", "S"] }), "a"),
        (json!({ "subject": ["!=", "S"] }), "bc"),
        (json!({ "subject": ["==", null] }), "c"),
        (json!({ "subject": ["!=", null] }), "ab"),
        (json!({ "subject": ["oneOf", ["S", null]] }), "ac"),
        (json!({ "subject": ["!oneOf", ["S"]] }), "bc"),
        (json!({ "custom": { "k": ["==", "v"] } }), "a"),
        (json!({ "custom": { "k": ["!=", "v"] } }), "bc"),
        (json!({ "custom": { "k": ["oneOf", ["v", "w"]] } }), "ab"),
        (json!({ "custom": { "k": ["!oneOf", ["v", "w"]] } }), "c"),
        (json!({ "custom": { "empty": "exists" } }), "a"),
        (json!({ "custom": { "empty": "!exists" } }), "bc"),
        (
            json!({ "custom": { "k": "exists", "empty": "!exists" } }),
            "b",
        ),
        (json!({ "createdAt": [">", created] }), "b"),
        (json!({ "createdAt": ["<", created] }), "c"),
        (json!({ "joinedAt": [">=", joined] }), "ab"),
        (json!({ "joinedAt": ["<=", joined] }), "ac"),
        (
            json!({ "lastActivityAt": ["between", [joined, joined.as_u64().unwrap() + 1]] }),
            "a",
        ),
        (
            json!({ "lastActivityAt": ["between", [joined, joined]] }),
            "",
        ),
        (
            json!({ "lastActivityAt": ["!between", [joined, joined.as_f64().unwrap() + 0.5]] }),
            "bc",
        ),
        (json!({ "isUnread": true, "subject": ["==", "S"] }), ""),
        (
            json!(["any", [{ "isUnread": true }, { "subject": ["==", "S"] }]]),
            "ab",
        ),
        (json!(["any", []]), ""),
    ] {
        assert_eq!(matching(&mut world, alice, &filter), ids, "{filter}");
    }
}

#[test]
fn filter_any_client_spelling_is_read() {
    let (mut world, alice) = world();
    let vectors = include_str!("../../../tests/vectors/filters.jsonl");
    for line in vectors.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        matching(&mut world, alice, &vector["wire"]);
    }
}

#[test]
fn filter_invalid_is_refused() {
    let (mut world, alice) = world();
    for filter in [
        json!("x"),
        json!(["all", []]),
        json!(["any", [["any", []]]]),
        json!({ "colour": ["==", "red"] }),
        json!({ "access": ["==", "None"] }),
        json!({ "isUnread": 1 }),
        json!({ "createdAt": ["==", 1] }),
        json!({ "custom": { "k": "maybe" } }),
    ] {
        let refused = world.refused(
            alice,
            "GET",
            "/me/conversations",
            json!({ "filter": filter }),
        );
        assert_eq!(refused, (400, "INVALID_FILTER".into()), "{filter}");
    }
}

#[test]
fn cursor_carries_filter() {
    let (mut world, alice, _) = World::of_friends();
    for n in 0..6 {
        let subject = if n % 2 == 0 { "even" } else { "odd" };
        world.ok(
            alice,
            "POST",
            &format!("/conversations/{n}"),
            json!({ "subject": subject }),
        );
        world.add(alice, &n.to_string(), &["alice"]);
    }
    let mut data = json!({ "limit": 1, "filter": { "subject": ["==", "even"] } });
    let mut seen = Vec::new();
    loop {
        let page = world.ok(alice, "GET", "/me/conversations", data);
        seen.push(page["data"][0]["id"].as_str().unwrap().to_owned());
        if page["cursor"].is_null() {
            break;
        }
        data = json!({ "limit": 1, "cursor": page["cursor"] });
    }
    assert_eq!(seen, ["4", "2", "0"]);
}
