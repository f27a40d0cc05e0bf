use serde_json::{Value, json};

use super::support::{Peer, World};

const TYPING: &str = "/me/conversations/c/typing";

fn diffs(world: &mut World, peer: Peer) -> Vec<Value> {
    let events = world.events(peer);
    events
        .iter()
        .filter(|it| it["type"] == "typing.changed")
        .map(|it| it["diff"].clone())
        .collect()
}

/// Adds seven more users to the conversation.
fn crowd(world: &mut World, alice: Peer) -> Vec<Peer> {
    (0..7)
        .map(|n| {
            let user = format!("u{n}");
            world.ok(
                alice,
                "POST",
                &format!("/users/{user}"),
                json!({ "name": user }),
            );
            world.add(alice, "c", &[&user]);
            world.connect(&user)
        })
        .collect()
}

#[test]
fn typing_notifies_others_and_expires() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &[TYPING]);
    world.subscribe(bob, &[TYPING]);
    world.ok(bob, "POST", TYPING, json!({}));
    let since = world.ok(alice, "GET", TYPING, json!({}))["usersTyping"]["bob"].clone();
    assert_eq!(
        diffs(&mut world, alice),
        [json!({ "usersTyping": { "bob": since } })]
    );
    assert_eq!(diffs(&mut world, bob), [] as [Value; 0]);
    assert_eq!(
        world.ok(bob, "GET", TYPING, json!({})),
        json!({ "many": false, "usersTyping": {} })
    );

    world.wait(9000);
    world.ok(bob, "POST", TYPING, json!({}));
    world.wait(9999);
    assert_eq!(
        diffs(&mut world, alice),
        [] as [Value; 0],
        "continued typing only restarts the time"
    );
    world.wait(1);
    assert_eq!(
        diffs(&mut world, alice),
        [json!({ "usersTyping": { "bob": null } })]
    );
    world.wait(60_000);
    assert_eq!(world.events(alice), [] as [Value; 0]);
}

#[test]
fn typing_ends_on_send_and_leave() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &[TYPING, "/me/conversations/c/messages"]);
    world.ok(bob, "POST", TYPING, json!({}));
    world.forget_events(&[alice]);
    world.say(bob, "c", "done");
    let frames = world.frames(alice);
    assert_eq!(
        frames.len(),
        1,
        "the message and the end of typing are one step"
    );
    assert_eq!(frames[0][0]["type"], "message.created");
    assert_eq!(
        frames[0][1]["diff"],
        json!({ "usersTyping": { "bob": null } })
    );

    world.ok(bob, "POST", TYPING, json!({}));
    world.forget_events(&[alice]);
    world.ok(
        bob,
        "DELETE",
        "/conversations/c/participants/bob",
        json!({}),
    );
    assert_eq!(
        diffs(&mut world, alice),
        [json!({ "usersTyping": { "bob": null } })]
    );
    world.wait(20_000);
    assert_eq!(world.events(alice), [] as [Value; 0]);
}

#[test]
fn typing_more_than_five_is_many() {
    let (mut world, alice, _) = World::of_friends();
    let crowd = crowd(&mut world, alice);
    world.subscribe(alice, &[TYPING]);
    world.subscribe(crowd[0], &[TYPING]);
    for peer in &crowd[..5] {
        world.ok(*peer, "POST", TYPING, json!({}));
    }
    assert_eq!(diffs(&mut world, alice).len(), 5);
    world.ok(crowd[5], "POST", TYPING, json!({}));
    assert_eq!(diffs(&mut world, alice), [json!({ "many": true })]);
    assert_eq!(
        world.ok(alice, "GET", TYPING, json!({})),
        json!({ "many": true })
    );
    assert_eq!(
        diffs(&mut world, crowd[0]).len(),
        5,
        "a typing user is not listed for themselves"
    );
    world.ok(crowd[6], "POST", TYPING, json!({}));
    assert_eq!(diffs(&mut world, alice), [] as [Value; 0]);
    assert_eq!(diffs(&mut world, crowd[0]), [json!({ "many": true })]);

    world.say(crowd[6], "c", "x");
    assert_eq!(
        diffs(&mut world, alice),
        [] as [Value; 0],
        "six are still many"
    );
    world.say(crowd[5], "c", "x");
    let back = diffs(&mut world, alice);
    assert_eq!(back.len(), 1);
    assert_eq!(back[0]["many"], false);
    assert_eq!(back[0]["usersTyping"].as_object().unwrap().len(), 5);
    world.say(crowd[4], "c", "x");
    assert_eq!(
        diffs(&mut world, alice),
        [json!({ "usersTyping": { "u4": null } })]
    );
}
