use serde_json::{Value, json};

use super::support::World;

const THUMB: &str = "%F0%9F%91%8D";

fn reaction(message: &str, emoji: &str, user: &str) -> String {
    format!("/conversations/c/messages/{message}/reactions/{emoji}/{user}")
}

#[test]
fn reaction_updates_message_and_subscribers() {
    let (mut world, alice, bob) = World::of_friends();
    let message = world.say(alice, "c", "hi");
    let watch = format!("/me/conversations/c/messages/{message}/reactions/{THUMB}");
    world.subscribe(alice, &["/me/conversations/c/messages"]);
    world.subscribe(bob, &["/me/conversations/c/messages", &watch]);

    world.ok(alice, "PUT", &reaction(&message, THUMB, "alice"), json!({}));
    world.ok(alice, "PUT", &reaction(&message, THUMB, "alice"), json!({}));
    let first =
        world.ok(bob, "GET", &watch, json!({ "limit": 10 }))["data"][0]["createdAt"].clone();
    let edited = |reactions: Value| {
        json!({
            "type": "message.edited", "conversationId": "c", "messageId": message,
            "diff": { "reactions": reactions },
        })
    };
    assert_eq!(
        world.events(alice),
        [edited(
            json!({ "👍": { "createdAt": first, "count": 1, "currentUserReacted": true } })
        ),]
    );
    assert_eq!(
        world.frames(bob),
        [vec![
            json!({ "type": "reaction.added", "conversationId": "c", "messageId": message,
                "emoji": "👍", "userId": "alice", "createdAt": first }),
            edited(
                json!({ "👍": { "createdAt": first, "count": 1, "currentUserReacted": false } })
            ),
        ]]
    );

    world.ok(bob, "PUT", &reaction(&message, THUMB, "bob"), json!({}));
    assert_eq!(
        world.events(alice),
        [edited(json!({ "👍": { "count": 2 } }))]
    );
    assert_eq!(
        world.events(bob)[1],
        edited(json!({ "👍": { "count": 2, "currentUserReacted": true } }))
    );

    world.ok(
        alice,
        "DELETE",
        &reaction(&message, THUMB, "alice"),
        json!({}),
    );
    assert_eq!(
        world.events(alice),
        [edited(
            json!({ "👍": { "count": 1, "currentUserReacted": false } })
        )]
    );
    assert_eq!(world.events(bob)[0]["type"], "reaction.removed");
    let kept = world.ok(
        bob,
        "GET",
        &format!("/me/conversations/c/messages/{message}"),
        json!({}),
    );
    assert_eq!(
        kept["reactions"]["👍"]["createdAt"], first,
        "it is the emoji's, not alice's"
    );

    world.ok(bob, "DELETE", &reaction(&message, THUMB, "bob"), json!({}));
    assert_eq!(world.events(alice), [edited(json!({ "👍": null }))]);
    let refused = world.refused(bob, "DELETE", &reaction(&message, THUMB, "bob"), json!({}));
    assert_eq!(refused, (404, "REACTION_NOT_FOUND".into()));
    let refused = world.refused(bob, "PUT", &reaction("none", THUMB, "bob"), json!({}));
    assert_eq!(refused, (404, "MESSAGE_NOT_FOUND".into()));
}

#[test]
fn reaction_emoji_is_normalised() {
    let (mut world, alice, bob) = World::of_friends();
    let message = world.say(alice, "c", "hi");
    world.subscribe(
        bob,
        &[&format!(
            "/me/conversations/c/messages/{message}/reactions/%E2%9D%A4"
        )],
    );
    world.ok(
        alice,
        "PUT",
        &reaction(&message, "%E2%9D%A4", "alice"),
        json!({}),
    );
    world.ok(
        bob,
        "PUT",
        &reaction(&message, "%E2%9D%A4%EF%B8%8F", "bob"),
        json!({}),
    );
    let shown = world.ok(
        bob,
        "GET",
        &format!("/me/conversations/c/messages/{message}"),
        json!({}),
    );
    assert_eq!(shown["reactions"]["❤\u{FE0F}"]["count"], 2);
    assert_eq!(world.event_types(bob), ["reaction.added", "reaction.added"]);
}

#[test]
fn list_reactions_oldest_first() {
    let (mut world, alice, bob) = World::of_friends();
    let message = world.say(alice, "c", "hi");
    world.ok(bob, "PUT", &reaction(&message, THUMB, "bob"), json!({}));
    world.ok(alice, "PUT", &reaction(&message, THUMB, "alice"), json!({}));
    let path = format!("/me/conversations/c/messages/{message}/reactions/{THUMB}");
    let first = world.ok(alice, "GET", &path, json!({ "limit": 1 }));
    assert_eq!(first["data"][0]["userId"], "bob");
    let second = world.ok(
        alice,
        "GET",
        &path,
        json!({ "limit": 1, "cursor": first["cursor"] }),
    );
    assert_eq!(second["data"][0]["userId"], "alice");
    assert_eq!(second["cursor"], Value::Null);
}

#[test]
fn reaction_limit_is_fifty_emoji() {
    let (mut world, alice, bob) = World::of_friends();
    let message = world.say(alice, "c", "hi");
    for n in 0..50 {
        world.ok(
            alice,
            "PUT",
            &reaction(&message, &format!(":e{n}:"), "alice"),
            json!({}),
        );
    }
    assert_eq!(
        world
            .refused(
                alice,
                "PUT",
                &reaction(&message, ":e50:", "alice"),
                json!({})
            )
            .0,
        400
    );
    world.ok(bob, "PUT", &reaction(&message, ":e7:", "bob"), json!({}));
}

#[test]
fn reaction_invalid_or_foreign_is_refused() {
    let (mut world, alice, _) = World::of_friends();
    let message = world.say(alice, "c", "hi");
    assert_eq!(
        world.refused(alice, "PUT", &reaction(&message, "x", "alice"), json!({})),
        (400, "INVALID_EMOJI".into())
    );
    assert_eq!(
        world
            .refused(alice, "PUT", &reaction(&message, THUMB, "bob"), json!({}))
            .0,
        403
    );
}
