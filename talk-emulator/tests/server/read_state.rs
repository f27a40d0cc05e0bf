use serde_json::{Value, json};

use super::support::World;

fn side_edits(world: &mut World, peer: super::support::Peer) -> Vec<Value> {
    let events = world.events(peer);
    events
        .iter()
        .filter(|it| it["type"] == "side.edited")
        .map(|it| it["diff"].clone())
        .collect()
}

#[test]
fn create_message_is_unread_for_others() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &["/me/conversations"]);
    world.subscribe(bob, &["/me/conversations/c"]);
    let before = world.ok(bob, "GET", "/me/conversations/c", json!({}));
    world.wait(1000);
    let id = world.say(bob, "c", "one");
    let message = world.ok(
        bob,
        "GET",
        &format!("/me/conversations/c/messages/{id}"),
        json!({}),
    );
    let first = &message["createdAt"];
    assert_eq!(
        side_edits(&mut world, alice),
        [json!({
            "lastMessageAt": first, "unreadMessageCount": 1, "isUnread": true,
        })]
    );
    assert_eq!(
        side_edits(&mut world, bob),
        [json!({ "lastMessageAt": first, "readUntil": first })]
    );
    world.say(bob, "c", "two");
    world.forget_events(&[alice, bob]);

    world.wait(1000);
    world.ok(alice, "POST", "/me/conversations/c/read", json!({}));
    let now = world.now();
    let bob_read = world.ok(bob, "GET", "/me/conversations/c", json!({}))["readUntil"].clone();
    assert_ne!(bob_read, before["readUntil"]);
    assert_eq!(
        side_edits(&mut world, alice),
        [json!({
            "unreadMessageCount": 0, "isUnread": false, "readUntil": now,
            "everyoneReadUntil": bob_read,
        })]
    );
    assert_eq!(
        side_edits(&mut world, bob),
        [json!({ "everyoneReadUntil": bob_read })]
    );
}

#[test]
fn mark_read_same_millisecond_message_is_unread() {
    let (mut world, alice, bob) = World::of_friends();
    world.wait(1000);
    world.ok(alice, "POST", "/me/conversations/c/read", json!({}));
    world.say(bob, "c", "hi");
    assert_eq!(
        world.ok(alice, "GET", "/me/conversations/c", json!({}))["unreadMessageCount"],
        1
    );
}

#[test]
fn mark_unread_keeps_count() {
    let (mut world, alice, _) = World::of_friends();
    world.subscribe(alice, &["/me/conversations/c"]);
    world.ok(alice, "POST", "/me/conversations/c/unread", json!({}));
    world.ok(alice, "POST", "/me/conversations/c/unread", json!({}));
    assert_eq!(side_edits(&mut world, alice), [json!({ "isUnread": true })]);
    world.say(alice, "c", "sending clears the mark");
    let side = world.ok(alice, "GET", "/me/conversations/c", json!({}));
    assert_eq!(
        (&side["isUnread"], &side["unreadMessageCount"]),
        (&json!(false), &json!(0))
    );
    let carol = world.connect("carol");
    for what in ["read", "unread"] {
        let path = format!("/me/conversations/c/{what}");
        assert_eq!(world.refused(carol, "POST", &path, json!({})).0, 403);
    }
}

#[test]
fn delete_message_lowers_unread_count() {
    let (mut world, alice, bob) = World::of_friends();
    let first = world.say(bob, "c", "one");
    world.say(bob, "c", "two");
    world.subscribe(alice, &["/me/conversations/c"]);
    world.ok(
        bob,
        "DELETE",
        &format!("/conversations/c/messages/{first}"),
        json!({}),
    );
    assert_eq!(
        side_edits(&mut world, alice),
        [json!({ "unreadMessageCount": 1 })]
    );
}

#[test]
fn leave_updates_everyone_read_until() {
    let (mut world, alice, bob) = World::of_friends();
    world.say(alice, "c", "hi");
    world.subscribe(alice, &["/me/conversations/c"]);
    let mine = world.ok(alice, "GET", "/me/conversations/c", json!({}));
    assert_ne!(mine["everyoneReadUntil"], mine["readUntil"]);
    world.ok(
        bob,
        "DELETE",
        "/conversations/c/participants/bob",
        json!({}),
    );
    assert_eq!(
        side_edits(&mut world, alice),
        [json!({ "everyoneReadUntil": mine["readUntil"] })]
    );
}

#[test]
fn join_starts_without_unread() {
    let (mut world, alice, _) = World::of_friends();
    world.say(alice, "c", "before carol");
    world.add(alice, "c", &["carol"]);
    let carol = world.connect("carol");
    let side = world.ok(carol, "GET", "/me/conversations/c", json!({}));
    assert_eq!(side["unreadMessageCount"], 0);
    assert_eq!(side["readUntil"], side["joinedAt"]);
    assert!(side["lastMessageAt"].as_u64() < side["joinedAt"].as_u64());
}
