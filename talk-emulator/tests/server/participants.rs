use serde_json::{Value, json};

use super::support::World;

#[test]
fn join_notifies_user_and_participants() {
    let (mut world, alice, _) = World::of_friends();
    let carol = world.connect("carol");
    world.subscribe(
        carol,
        &[
            "/me/conversations",
            "/me/conversations/c",
            "/me/conversations/c/typing",
            "/me/conversations/c/participants",
        ],
    );
    world.subscribe(
        alice,
        &[
            "/me/conversations",
            "/me/conversations/c/participants",
            "/me/conversations/c/participants/carol",
        ],
    );
    world.ok(alice, "POST", "/me/conversations/c/typing", json!({}));
    world.forget_events(&[alice, carol]);

    world.add(alice, "c", &["carol"]);
    let frames = world.frames(carol);
    assert_eq!(frames.len(), 1, "one step, one frame");
    let [created, typing] = frames[0].as_slice() else {
        panic!("{frames:?}")
    };
    assert_eq!(created["type"], "side.created");
    assert_eq!(created["state"]["id"], "c");
    assert_eq!(typing["type"], "typing.available");
    assert_eq!(typing["state"]["many"], false);
    assert!(typing["state"]["usersTyping"]["alice"].is_u64());

    let joined = &created["state"]["joinedAt"];
    assert_eq!(
        world.events(alice),
        [json!({
            "type": "participant.created", "conversationId": "c", "userId": "carol",
            "state": { "id": "carol", "access": "ReadWrite", "notify": true, "joinedAt": joined },
        })]
    );
}

#[test]
fn join_notifies_subscription_to_any_part() {
    for path in [
        "/me/conversations",
        "/me/conversations/c",
        "/me/conversations/c/messages",
        "/me/conversations/c/participants",
        "/me/conversations/c/participants/bob",
        "/me/conversations/c/typing",
        "/me/conversations/c/messages/m/reactions/%F0%9F%91%8D",
    ] {
        let (mut world, alice, _) = World::of_friends();
        let carol = world.connect("carol");
        world.subscribe(carol, &[path]);
        world.add(alice, "c", &["carol"]);
        assert!(
            world
                .event_types(carol)
                .contains(&"side.created".to_owned()),
            "{path}"
        );
        world.ok(
            alice,
            "DELETE",
            "/conversations/c/participants/carol",
            json!({}),
        );
        assert_eq!(world.event_types(carol), ["side.deleted"], "{path}");
        let other = path.replace("/c/", "/d/");
        if other != path {
            world.ok(alice, "PUT", "/conversations/d", json!({}));
            world.add(alice, "d", &["carol"]);
            assert_eq!(world.events(carol), [] as [Value; 0], "{path}");
        }
    }
}

#[test]
fn participant_batch_answers_each_action() {
    let (mut world, alice, _) = World::of_friends();
    let action = |id: &str, method: &str| {
        json!({
            "id": id, "method": method, "params": { "access": "Read" },
        })
    };
    let actions = [
        action("bob", "POST"),
        action("nobody", "POST"),
        action("carol", "PATCH"),
        action("carol", "PUT"),
        action("bob", "PATCH"),
        action("nobody", "PATCH"),
    ];
    let body = world.ok(
        alice,
        "POST",
        "/conversations/c/participants",
        json!({ "actions": actions }),
    );
    let codes: Vec<(u64, Option<&str>)> = body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|response| {
            (
                response["status"].as_u64().unwrap(),
                response["errorCode"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        codes,
        [
            (409, Some("PARTICIPANT_ALREADY_EXISTS")),
            (404, Some("USER_NOT_FOUND")),
            (404, Some("PARTICIPANT_NOT_FOUND")),
            (200, None),
            (200, None),
            (404, Some("PARTICIPANT_NOT_FOUND")),
        ]
    );
    let missing = world.act(alice, "nowhere", "POST", "bob", json!({}));
    assert_eq!(missing["errorCode"], "CONVERSATION_NOT_FOUND");
    let actions: Vec<Value> = (0..101).map(|n| action(&n.to_string(), "POST")).collect();
    let refused = world.refused(
        alice,
        "POST",
        "/conversations/c/participants",
        json!({ "actions": actions }),
    );
    assert_eq!(refused.0, 400);
}

#[test]
fn edit_participant_notifies_subscribers_and_user() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(
        alice,
        &[
            "/me/conversations",
            "/me/conversations/c",
            "/me/conversations/c/participants/bob",
        ],
    );
    world.subscribe(bob, &["/me/conversations"]);
    assert_eq!(
        world.act(
            alice,
            "c",
            "PATCH",
            "bob",
            json!({ "notify": "MentionsOnly", "subject": "rides along" })
        )["status"],
        200
    );
    let edited = json!({
        "type": "participant.edited", "conversationId": "c", "userId": "bob",
        "diff": { "notify": "MentionsOnly" },
    });
    assert_eq!(world.events(alice), std::slice::from_ref(&edited));
    assert_eq!(world.events(bob), [edited]);

    world.act(alice, "c", "PUT", "alice", json!({ "notify": false }));
    assert_eq!(
        world.events(bob),
        [] as [Value; 0],
        "that is alice's, and bob does not watch her"
    );
    world.forget_events(&[alice]);
    world.act(
        alice,
        "c",
        "PUT",
        "bob",
        json!({ "access": "ReadWrite", "notify": null }),
    );
    assert_eq!(
        world.events(alice)[0]["diff"],
        json!({ "notify": true }),
        "only what changed"
    );
    world.act(alice, "c", "PUT", "bob", json!({}));
    assert_eq!(world.events(alice), [] as [Value; 0]);
}

#[test]
fn leave_removes_conversation() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(
        bob,
        &[
            "/me/conversations",
            "/me/conversations/c/messages",
            "/me/conversations/c/participants",
        ],
    );
    world.subscribe(alice, &["/me/conversations/c/participants"]);
    world.ok(
        bob,
        "DELETE",
        "/conversations/c/participants/bob",
        json!({}),
    );
    assert_eq!(
        world.events(bob),
        [json!({ "type": "side.deleted", "conversationId": "c" })]
    );
    assert_eq!(
        world.events(alice),
        [json!({ "type": "participant.deleted", "conversationId": "c", "userId": "bob" }),]
    );
    world.say(alice, "c", "gone?");
    assert_eq!(world.events(bob), [] as [Value; 0]);
    let refused = world.refused(
        bob,
        "DELETE",
        "/conversations/c/participants/bob",
        json!({}),
    );
    assert_eq!(refused, (404, "PARTICIPANT_NOT_FOUND".into()));
    assert_eq!(
        world.ok(bob, "GET", "/me/conversations", json!({}))["data"],
        json!([])
    );
    let refused = world.refused(
        bob,
        "DELETE",
        "/conversations/nowhere/participants/bob",
        json!({}),
    );
    assert_eq!(refused, (404, "CONVERSATION_NOT_FOUND".into()));
}

#[test]
fn list_participants_latest_first() {
    let (mut world, alice, _) = World::of_friends();
    world.add(alice, "c", &["carol"]);
    let list = |world: &mut World, data: Value| {
        let page = world.ok(alice, "GET", "/me/conversations/c/participants", data);
        let ids: Vec<String> = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, page["cursor"].clone())
    };
    let (ids, cursor) = list(&mut world, json!({ "limit": 2 }));
    assert_eq!(ids, ["carol", "bob"]);
    assert_eq!(
        list(&mut world, json!({ "limit": 2, "cursor": cursor })),
        (vec!["alice".to_owned()], Value::Null)
    );
    let one = world.ok(
        alice,
        "GET",
        "/me/conversations/c/participants/bob",
        json!({}),
    );
    assert_eq!(one["id"], "bob");
    let refused = world.refused(
        alice,
        "GET",
        "/me/conversations/c/participants/dave",
        json!({}),
    );
    assert_eq!(refused, (404, "PARTICIPANT_NOT_FOUND".into()));
}
