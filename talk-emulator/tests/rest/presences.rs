use serde_json::{Value, json};

use crate::server::support::World;

#[test]
fn presences_have_widgets_and_background_sessions() {
    let (mut world, alice, bob) = World::of_friends();
    let presences = |world: &mut World, body: Value| {
        let found = world.done("POST", "/presences", body)["data"].clone();
        let users = found.as_object().unwrap().keys().cloned();
        (users.collect::<Vec<_>>(), found)
    };
    let background = json!({ "includeBackgroundSessions": true });
    assert!(presences(&mut world, Value::Null).0.is_empty());
    let (users, found) = presences(&mut world, background.clone());
    assert_eq!(users, ["alice", "bob"]);
    let idle = json!({ "status": "online", "backgroundSessions": [], "widgets": [] });
    assert_eq!(found["alice"], idle);

    world.subscribe(alice, &["/me/conversations/c/typing"]);
    world.ok(alice, "POST", "/me/conversations/c/typing", json!({}));
    let (users, found) = presences(&mut world, json!({}));
    assert_eq!(users, ["alice"]);
    let widget = &found["alice"]["widgets"][0];
    assert_eq!(widget["selectedConversationId"], "c");
    assert_eq!(
        (&widget["hasFocus"], &widget["isTyping"], &widget["custom"]),
        (&json!(true), &json!(true), &json!({}))
    );
    // Alice's only session is a widget of the conversation.
    for conversation in [json!(null), json!("d")] {
        let mut body = background.clone();
        body["selectedConversationId"] = conversation.clone();
        let expected: &[&str] = if conversation.is_null() {
            &["bob"]
        } else {
            &[]
        };
        assert_eq!(presences(&mut world, body.clone()).0, expected, "{body}");
    }
    for (body, expected) in [
        (json!({ "userIds": ["bob", "carol", "nobody"] }), &[][..]),
        (json!({ "isTyping": true }), &["alice"]),
        (json!({ "isTyping": false }), &[]),
        (json!({ "selectedConversationId": "c" }), &["alice"]),
        (json!({ "selectedConversationId": "d" }), &[]),
        (json!({ "selectedConversationId": null }), &[]),
    ] {
        assert_eq!(presences(&mut world, body.clone()).0, expected, "{body}");
    }
    world.close(bob);
    assert_eq!(presences(&mut world, background).0, ["alice"]);
    let answer = world.rejected("POST", "/presences", json!({ "userIds": "alice" }));
    assert_eq!(answer, (400, "INVALID_PRESENCE".to_owned()));
}

#[test]
fn sessions_of_user_are_listed() {
    let (mut world, alice, _) = World::of_friends();
    assert_eq!(world.read("/users/carol/sessions"), json!([]));
    let session = |typing: bool, conversation: Value| {
        json!([{
            "isTyping": typing, "currentConversationId": conversation,
        }])
    };
    let sessions = world.read("/users/alice/sessions");
    assert_eq!(sessions, session(false, Value::Null));
    world.subscribe(alice, &["/me/conversations/c/typing"]);
    world.ok(alice, "POST", "/me/conversations/c/typing", json!({}));
    let sessions = world.read("/users/alice/sessions");
    assert_eq!(sessions, session(true, json!("c")));
    assert_eq!(
        world.rest("GET", "/users/nobody/sessions", Value::Null).0,
        404
    );
}
