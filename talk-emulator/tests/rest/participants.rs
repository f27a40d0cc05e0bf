use serde_json::{Value, json};

use crate::server::support::{Peer, World};

const BOB: &str = "/conversations/c/participants/bob";
const CAROL: &str = "/conversations/c/participants/carol";

fn watched() -> (World, Peer, Peer) {
    let (mut world, alice, bob) = World::of_friends();
    for peer in [alice, bob] {
        world.subscribe(
            peer,
            &["/me/conversations", "/me/conversations/c/participants"],
        );
    }
    world.forget_events(&[alice, bob]);
    (world, alice, bob)
}

fn participant(world: &mut World, user: &str) -> Value {
    world.read("/conversations/c")["participants"][user].clone()
}

#[test]
fn participant_put_joins_or_resets_to_defaults() {
    let (mut world, alice, _) = watched();
    let body = json!({ "access": "Read", "notify": "MentionsOnly" });
    world.done("PUT", CAROL, body);
    let carol = participant(&mut world, "carol");
    assert_eq!(
        (&carol["access"], &carol["notify"]),
        (&json!("Read"), &json!("MentionsOnly"))
    );
    assert_eq!(world.event_types(alice), ["participant.created"]);
    world.done("PUT", CAROL, json!({ "notify": false }));
    let carol = participant(&mut world, "carol");
    assert_eq!(
        (&carol["access"], &carol["notify"]),
        (&json!("ReadWrite"), &json!(false))
    );
    assert_eq!(world.event_types(alice), ["participant.edited"]);
    world.done("PUT", CAROL, Value::Null);
    assert_eq!(participant(&mut world, "carol")["notify"], true);
}

#[test]
fn participant_patch_changes_given_members() {
    let (mut world, alice, bob) = watched();
    world.done("PATCH", BOB, json!({ "notify": false }));
    world.done("PATCH", BOB, json!({ "access": "Read" }));
    let changed = participant(&mut world, "bob");
    assert_eq!(
        (&changed["access"], &changed["notify"]),
        (&json!("Read"), &json!(false))
    );
    for peer in [alice, bob] {
        assert_eq!(
            world.event_types(peer),
            ["participant.edited", "participant.edited"]
        );
    }
    let answer = world.rejected("PATCH", CAROL, json!({}));
    assert_eq!(answer, (404, "PARTICIPANT_NOT_FOUND".to_owned()));
}

#[test]
fn participant_requests_refuse_invalid_data() {
    let mut world = watched().0;
    for (method, path, body, expected) in [
        (
            "PUT",
            BOB,
            json!({ "access": "None" }),
            (400, "INVALID_PARTICIPANT"),
        ),
        (
            "PUT",
            BOB,
            json!({ "access": "x" }),
            (400, "INVALID_PARTICIPANT"),
        ),
        (
            "PATCH",
            BOB,
            json!({ "notify": "x" }),
            (400, "INVALID_PARTICIPANT"),
        ),
        (
            "PATCH",
            BOB,
            json!({ "readUntil": "x" }),
            (400, "INVALID_PARTICIPANT"),
        ),
        (
            "PUT",
            "/conversations/x/participants/bob",
            json!({}),
            (404, "CONVERSATION_NOT_FOUND"),
        ),
        (
            "PUT",
            "/conversations/c/participants/x",
            json!({}),
            (404, "USER_NOT_FOUND"),
        ),
        (
            "DELETE",
            "/conversations/x/participants/bob",
            json!({}),
            (404, "CONVERSATION_NOT_FOUND"),
        ),
        (
            "POST",
            "/conversations/c/readBy/carol",
            json!({}),
            (404, "PARTICIPANT_NOT_FOUND"),
        ),
        (
            "PATCH",
            "/users/bob/conversations/c",
            json!({}),
            (400, "INVALID_PARTICIPANT"),
        ),
    ] {
        let answer = world.rejected(method, path, body.clone());
        assert_eq!(
            answer,
            (expected.0, expected.1.to_owned()),
            "{method} {path} {body}"
        );
    }
}

#[test]
fn participant_delete_leaves_and_is_idempotent() {
    let (mut world, alice, bob) = watched();
    world.done("DELETE", BOB, Value::Null);
    assert_eq!(world.event_types(bob), ["side.deleted"]);
    assert_eq!(world.event_types(alice), ["participant.deleted"]);
    world.done("DELETE", BOB, Value::Null);
    assert!(world.events(alice).is_empty());
    assert_eq!(participant(&mut world, "bob"), Value::Null);
    assert!(world.ids("/users/bob/conversations").is_empty());
    world.ok(
        alice,
        "DELETE",
        "/conversations/c/participants/alice",
        json!({}),
    );
    assert_eq!(world.read("/conversations/c")["participants"], json!({}));
}

#[test]
fn participant_without_access_keeps_conversation_and_returns() {
    let mut world = World::keeping();
    let [alice, bob] = world.befriend();
    world.say(alice, "c", "before");
    world.subscribe(bob, &["/me/conversations"]);
    world.forget_events(&[bob]);
    let before = participant(&mut world, "bob");
    world.done("PATCH", BOB, json!({ "access": "None", "notify": false }));
    assert_eq!(
        world.event_types(bob),
        ["participant.edited", "side.deleted"]
    );
    assert_eq!(participant(&mut world, "bob"), Value::Null);
    let list = world.read("/users/bob/conversations");
    assert_eq!(list["data"][0]["id"], "c");
    assert_eq!(list["data"][0]["access"], "None");
    assert_eq!(list["data"][0]["unreadMessageCount"], 1);
    let (status, _) = world.call(bob, "GET", "/me/conversations/c", json!({}));
    assert_eq!(status, 403);

    world.restart();
    let [alice, bob] = [world.connect("alice"), world.connect("bob")];
    world.say(alice, "c", "meanwhile");
    world.subscribe(bob, &["/me/conversations"]);
    world.done("PATCH", BOB, json!({ "access": "Read" }));
    assert_eq!(world.event_types(bob), ["side.created"]);
    let after = participant(&mut world, "bob");
    assert_eq!(after["joinedAt"], before["joinedAt"]);
    assert_eq!(after["notify"], false);
    assert_eq!(after["access"], "Read");
    let side = world.ok(bob, "GET", "/me/conversations/c", json!({}));
    assert_eq!(side["unreadMessageCount"], 2);
}

#[test]
fn participant_delete_in_older_version_keeps_conversation() {
    let mut world = watched().0;
    let mut delete = super::support::request("DELETE", BOB, &Value::Null);
    let version = "2021-02-09".parse().unwrap();
    delete.headers_mut().insert("talkjs-rest-version", version);
    assert_eq!(world.http(delete).0, 200);
    assert_eq!(world.ids("/users/bob/conversations"), ["c"]);
    world.done("DELETE", BOB, Value::Null);
    assert!(world.ids("/users/bob/conversations").is_empty());
}

#[test]
fn read_until_moves_both_ways_with_events() {
    let (mut world, alice, bob) = watched();
    let mut times = Vec::new();
    for text in ["1", "2", "3"] {
        world.wait(1000);
        world.say(alice, "c", text);
        times.push(world.now());
    }
    let unread = |world: &mut World| {
        let list = world.read("/users/bob/conversations");
        let item = &list["data"][0];
        (
            item["unreadMessageCount"].as_u64(),
            item["isUnread"].clone(),
        )
    };
    assert_eq!(unread(&mut world), (Some(3), json!(true)));
    world.forget_events(&[alice, bob]);
    world.done("PATCH", BOB, json!({ "readUntil": times[1] }));
    assert_eq!(unread(&mut world), (Some(1), json!(true)));
    let events = world.events(bob);
    assert_eq!(events[0]["type"], "side.edited");
    assert_eq!(
        events[0]["diff"],
        json!({
            "readUntil": times[1], "unreadMessageCount": 1, "everyoneReadUntil": times[1],
        })
    );
    assert_eq!(
        world.events(alice)[0]["diff"],
        json!({ "everyoneReadUntil": times[1] })
    );

    let path = "/users/bob/conversations/c";
    world.done("PATCH", path, json!({ "readUntil": "sent" }));
    assert_eq!(unread(&mut world), (Some(0), json!(false)));
    world.done("PATCH", path, json!({ "readUntil": times[0] }));
    assert_eq!(unread(&mut world), (Some(2), json!(true)));
    world.done("POST", "/conversations/c/readBy/bob", Value::Null);
    assert_eq!(unread(&mut world), (Some(0), json!(false)));
    world.ok(bob, "POST", "/me/conversations/c/unread", json!({}));
    assert_eq!(unread(&mut world), (Some(0), json!(true)));
    world.done("PATCH", BOB, json!({ "readUntil": u64::MAX }));
    assert_eq!(unread(&mut world), (Some(0), json!(false)));
    let now = world.now();
    assert_eq!(participant(&mut world, "bob")["readUntil"], now);
    world.say(alice, "c", "later");
    assert_eq!(unread(&mut world), (Some(1), json!(true)));
}
