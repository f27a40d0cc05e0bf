use serde_json::{Value, json};

use super::support::request;
use crate::server::support::{World, picture};

const MESSAGES: &str = "/conversations/c/messages";

fn send(world: &mut World, message: Value) -> String {
    let sent = world.done("POST", MESSAGES, json!([message]));
    sent[0]["id"].as_str().unwrap().to_owned()
}

fn get(world: &mut World, id: &str) -> Value {
    world.read(&format!("{MESSAGES}/{id}"))
}

#[test]
fn send_of_user_is_returned_with_all_members() {
    let (mut world, _, bob) = World::of_friends();
    world.wait(10);
    let now = world.now();
    let text = "Is it *still* available?";
    let message = json!({
        "type": "UserMessage", "sender": "alice", "text": text, "custom": { "k": "v" },
    });
    let id = send(&mut world, message);
    world.ok(bob, "POST", "/me/conversations/c/read", json!({}));
    let path = format!("/conversations/c/messages/{id}/reactions/%F0%9F%91%8D/bob");
    world.ok(bob, "PUT", &path, json!({}));
    let mut message = get(&mut world, &id);
    let reaction = message["reactions"]["👍"].take();
    assert_eq!(reaction["count"], 1);
    let bold = json!({ "type": "bold", "children": ["still"] });
    let expected = json!({
        "id": id, "conversationId": "c", "type": "UserMessage", "senderId": "alice",
        "origin": "rest", "text": text, "attachment": null, "location": null,
        "content": [{ "type": "text", "children": ["Is it ", bold, " available?"] }],
        "custom": { "k": "v" }, "readBy": ["bob"], "reactions": { "👍": null },
        "referencedMessageId": null, "createdAt": now, "editedAt": null,
    });
    assert_eq!(message, expected);
    let last = world.read("/conversations/c")["lastMessage"]["id"].clone();
    assert_eq!(last, id);
}

#[test]
fn send_list_is_answered_in_order() {
    let (mut world, alice, _) = World::of_friends();
    let token = world.upload(picture());
    let quoted = world.say(alice, "c", "quoted");
    let list = json!([
        { "type": "UserMessage", "sender": "alice", "text": "1", "idempotencyKey": "k1" },
        {
            "type": "UserMessage", "sender": "bob", "referencedMessageId": quoted,
            "content": [{ "type": "file", "fileToken": token }],
        },
        { "type": "SystemMessage", "text": "Payment received" },
        { "type": "UserMessage", "sender": "bob", "attachmentToken": token },
        { "type": "UserMessage", "sender": "bob", "text": "see", "attachmentToken": token },
        { "type": "UserMessage", "sender": "bob", "location": [52.5, 4.25] },
    ]);
    let sent = world.done("POST", MESSAGES, list);
    let ids: Vec<&str> = sent
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    let mut found = world.ids(MESSAGES);
    found.reverse();
    assert_eq!(found[1..], ids);
    let file = get(&mut world, ids[1]);
    assert_eq!(file["referencedMessageId"], json!(quoted));
    assert_eq!(file["attachment"]["size"], 12);
    assert_eq!(file["attachment"]["url"], file["content"][0]["url"]);
    assert_eq!(file["text"], Value::Null);
    let system = get(&mut world, ids[2]);
    assert_eq!(
        (&system["type"], &system["senderId"]),
        (&json!("SystemMessage"), &Value::Null)
    );
    assert_eq!(get(&mut world, ids[3])["content"], file["content"]);
    let both = get(&mut world, ids[4]);
    assert_eq!(both["content"].as_array().unwrap().len(), 2);
    assert_eq!(both["text"], "see");
    assert_eq!(both["attachment"], file["attachment"]);
    let location = get(&mut world, ids[5]);
    assert_eq!(location["location"], json!([52.5, 4.25]));
    assert_eq!(location["content"][0]["latitude"], 52.5);
}

#[test]
fn send_markup_with_links_and_actions_is_parsed() {
    let (mut world, _, _) = World::of_friends();
    for (text, kind) in [
        ("<https://example.com|*shop*>", "link"),
        ("<mailto:a@example.com|mail>", "link"),
        ("<actionbutton:buy?k=v|Buy>", "actionButton"),
        ("<actionlink:more|More>", "actionLink"),
        ("<!!mention:bob|Bob>", "mention"),
        ("```x```", "codeSpan"),
    ] {
        let id = send(&mut world, json!({ "type": "SystemMessage", "text": text }));
        let message = get(&mut world, &id);
        assert_eq!(message["content"][0]["children"][0]["type"], kind, "{text}");
        assert_eq!(message["text"], text);
        // The content alone is written back as the same markup.
        let body = json!({ "type": "SystemMessage", "content": message["content"] });
        let copy = send(&mut world, body);
        assert_eq!(get(&mut world, &copy)["text"], text);
    }
}

#[test]
fn send_invalid_list_sends_nothing() {
    let (mut world, _, _) = World::of_friends();
    let system = world.say_as_app("c", "system").unwrap();
    let user = json!({ "type": "UserMessage", "sender": "alice", "text": "x" });
    let with = |name: &str, value: Value| {
        let mut message = user.clone();
        message[name] = value;
        message
    };
    for (message, code) in [
        (with("type", json!("x")), "INVALID_MESSAGE"),
        (with("type", Value::Null), "INVALID_MESSAGE"),
        (with("type", json!("SystemMessage")), "INVALID_MESSAGE"),
        (with("sender", Value::Null), "INVALID_MESSAGE"),
        (with("sender", json!("carol")), "NOT_A_PARTICIPANT"),
        (with("sender", json!("nobody")), "NOT_A_PARTICIPANT"),
        (with("text", json!("")), "INVALID_MESSAGE"),
        (with("text", json!("x".repeat(65537))), "INVALID_MESSAGE"),
        (with("text", Value::Null), "INVALID_MESSAGE"),
        (with("location", json!([1, 2])), "INVALID_MESSAGE"),
        (with("custom", json!({ "k": 1 })), "INVALID_MESSAGE"),
        (with("attachmentToken", json!("x")), "INVALID_FILE_TOKEN"),
        (
            with("referencedMessageId", json!("x")),
            "INVALID_REFERENCED_MESSAGE",
        ),
        (
            with("referencedMessageId", json!(system)),
            "INVALID_REFERENCED_MESSAGE",
        ),
        (
            json!({ "type": "SystemMessage", "location": [1, 2] }),
            "INVALID_MESSAGE",
        ),
        (
            json!({ "type": "UserMessage", "sender": "bob", "location": [91, 0] }),
            "INVALID_CONTENT",
        ),
        (json!("x"), "INVALID_MESSAGE"),
    ] {
        let answer = world.rejected("POST", MESSAGES, json!([user, message]));
        assert_eq!(answer, (400, code.to_owned()), "{message}");
    }
    for list in [json!([]), json!({}), json!(vec![user.clone(); 11])] {
        let answer = world.rejected("POST", MESSAGES, list);
        assert_eq!(answer, (400, "INVALID_MESSAGE".to_owned()));
    }
    assert_eq!(world.ids(MESSAGES).len(), 1);
    let answer = world.rejected("POST", "/conversations/x/messages", json!([user]));
    assert_eq!(answer, (404, "CONVERSATION_NOT_FOUND".to_owned()));
}

#[test]
fn send_ignores_access_roles_and_sync() {
    let settings = json!({
        "sync": { "users": false, "conversations": false },
        "roles": {
            "default": { "editMessages": "none", "deleteMessages": "none", "react": false },
        },
    });
    let mut world = World::with(serde_json::from_value(settings).unwrap());
    world.provision(&["alice"]);
    world.done(
        "PUT",
        "/conversations/c",
        json!({ "participants": ["alice"] }),
    );
    let read = json!({ "access": "Read" });
    world.done("PATCH", "/conversations/c/participants/alice", read);
    let message = json!({ "type": "UserMessage", "sender": "alice", "text": "<http://x.y|z>" });
    let id = send(&mut world, message);
    world.done("PUT", &format!("{MESSAGES}/{id}"), json!({ "text": "y" }));
    let reaction = format!("{MESSAGES}/{id}/reactions/:x:/alice");
    world.done("PUT", &reaction, Value::Null);
    world.done("DELETE", &format!("{MESSAGES}/{id}"), Value::Null);
}

#[test]
fn send_repeated_key_returns_first_message() {
    let (mut world, alice, _) = World::of_friends();
    world.subscribe(alice, &["/me/conversations/c/messages"]);
    let user = |sender: &str| {
        json!({
            "type": "UserMessage", "sender": sender, "text": "x", "idempotencyKey": "k",
        })
    };
    let system = json!({ "type": "SystemMessage", "text": "x", "idempotencyKey": "k" });
    let first = send(&mut world, user("alice"));
    assert_eq!(send(&mut world, user("alice")), first);
    assert_eq!(world.event_types(alice), ["message.created"]);
    assert_ne!(send(&mut world, user("bob")), first);
    let of_app = send(&mut world, system.clone());
    assert_ne!(of_app, first);
    assert_eq!(send(&mut world, system), of_app);
    // The socket has the same keys.
    let data = json!({ "content": crate::server::support::text_block("x"), "idempotencyKey": "k" });
    let again = world.ok(alice, "POST", MESSAGES, data);
    assert_eq!(again["id"], json!(first));
    world.wait(24 * 60 * 60 * 1000);
    assert_ne!(send(&mut world, user("alice")), first);
}

#[test]
fn send_reaches_connected_clients() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &["/me/conversations", "/me/conversations/c/typing"]);
    world.subscribe(bob, &["/me/conversations", "/me/conversations/c/messages"]);
    world.ok(bob, "POST", "/me/conversations/c/typing", json!({}));
    world.forget_events(&[alice, bob]);
    send(
        &mut world,
        json!({ "type": "UserMessage", "sender": "bob", "text": "x" }),
    );
    assert_eq!(world.event_types(alice), ["side.edited", "typing.changed"]);
    let events = world.events(bob);
    assert_eq!(events[0]["type"], "message.created");
    assert_eq!(events[0]["state"]["origin"], "rest");
    assert_eq!(events[1]["type"], "side.edited");
    assert_eq!(events[1]["diff"]["isUnread"], Value::Null);
    let said = world.say(alice, "c", "from the client");
    assert_eq!(get(&mut world, &said)["text"], "from the client");
}

#[test]
fn message_put_edits_content_and_custom() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(bob, &["/me/conversations/c/messages"]);
    let id = world.say(alice, "c", "x");
    let path = format!("{MESSAGES}/{id}");
    world.forget_events(&[bob]);
    world.done("PUT", &path, json!({ "custom": { "a": "1", "b": "2" } }));
    assert_eq!(get(&mut world, &id)["editedAt"], Value::Null);
    world.wait(5);
    world.done(
        "PUT",
        &path,
        json!({ "text": "_y_", "custom": { "a": null } }),
    );
    let edited = get(&mut world, &id);
    assert_eq!(edited["text"], "_y_");
    assert_eq!(edited["content"][0]["children"][0]["type"], "italic");
    assert_eq!(edited["custom"], json!({ "b": "2" }));
    assert_eq!(edited["editedAt"], world.now());
    world.done(
        "PUT",
        &path,
        json!({ "content": edited["content"], "sender": "bob" }),
    );
    world.done("PUT", &path, json!({ "custom": null }));
    assert_eq!(get(&mut world, &id)["custom"], json!({}));
    assert_eq!(world.event_types(bob), ["message.edited"; 3]);
    for (body, code) in [
        (json!({ "text": "" }), "INVALID_MESSAGE"),
        (json!({ "content": [] }), "INVALID_CONTENT"),
        (json!([]), "INVALID_MESSAGE"),
    ] {
        let answer = world.rejected("PUT", &path, body);
        assert_eq!(answer, (400, code.to_owned()));
    }
    world.ok(
        alice,
        "PATCH",
        &path,
        json!({ "content": crate::server::support::text_block("z") }),
    );
    assert_eq!(get(&mut world, &id)["text"], "z");
}

#[test]
fn message_delete_removes_it_for_clients() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(bob, &["/me/conversations", "/me/conversations/c/messages"]);
    let id = world.say(alice, "c", "x");
    world.forget_events(&[bob]);
    let path = format!("{MESSAGES}/{id}");
    world.done("DELETE", &path, Value::Null);
    assert_eq!(world.event_types(bob), ["message.deleted", "side.edited"]);
    let absent = (404, "MESSAGE_NOT_FOUND".to_owned());
    for (method, body) in [("DELETE", json!({})), ("PUT", json!({ "text": "y" }))] {
        assert_eq!(world.rejected(method, &path, body), absent);
    }
    assert_eq!(world.http(request("GET", &path, &Value::Null)).0, 404);
    let answer = world.rejected("GET", "/conversations/x/messages", Value::Null);
    assert_eq!(answer.0, 404);
}

#[test]
fn reactions_are_put_deleted_and_listed() {
    let (mut world, alice, bob) = World::of_friends();
    let id = world.say(alice, "c", "x");
    let topic = format!("/me/conversations/c/messages/{id}/reactions/👍");
    world.subscribe(bob, &["/me/conversations/c/messages", &topic]);
    let reactions = format!("{MESSAGES}/{id}/reactions/%F0%9F%91%8D");
    for user in ["bob", "alice", "bob"] {
        world.done("PUT", &format!("{reactions}/{user}"), json!({}));
    }
    let events = world.event_types(bob);
    assert_eq!(
        events,
        [
            "reaction.added",
            "message.edited",
            "reaction.added",
            "message.edited"
        ]
    );
    let list = world.read(&reactions);
    let at = |index: usize| list["data"][index]["createdAt"].as_u64().unwrap();
    assert!(at(0) < at(1));
    assert_eq!(list["data"][0]["userId"], "bob");
    let rest = world.read(&format!("{reactions}?limit=1&startingAfter=bob"));
    assert_eq!(rest["data"][0]["userId"], "alice");
    for _ in 0..2 {
        world.done("DELETE", &format!("{reactions}/bob"), Value::Null);
    }
    assert_eq!(
        world.event_types(bob),
        ["reaction.removed", "message.edited"]
    );
    assert_eq!(get(&mut world, &id)["reactions"]["👍"]["count"], 1);
    for (path, status, code) in [
        (format!("{reactions}/carol"), 400, "NOT_A_PARTICIPANT"),
        (
            format!("{MESSAGES}/{id}/reactions/x/bob"),
            400,
            "INVALID_EMOJI",
        ),
        (
            format!("{MESSAGES}/x/reactions/:x:/bob"),
            404,
            "MESSAGE_NOT_FOUND",
        ),
    ] {
        for method in ["PUT", "DELETE"] {
            let answer = world.rejected(method, &path, json!({}));
            assert_eq!(answer, (status, code.to_owned()), "{method} {path}");
        }
    }
    for emoji in 0..49 {
        world.done(
            "PUT",
            &format!("{MESSAGES}/{id}/reactions/:e{emoji}:/bob"),
            json!({}),
        );
    }
    let path = format!("{MESSAGES}/{id}/reactions/:one-more:/bob");
    let answer = world.rejected("PUT", &path, json!({}));
    assert_eq!(answer, (400, "INVALID_REACTION_LIMIT".to_owned()));
}

#[test]
fn send_repeated_key_is_answered_after_changes() {
    let (mut world, _, _) = World::of_friends();
    let user = |body: Value| {
        let mut message = json!({ "type": "UserMessage", "sender": "bob", "text": "x" });
        let members = body.as_object().unwrap().clone();
        message.as_object_mut().unwrap().extend(members);
        message
    };
    let quoted = send(&mut world, user(json!({})));
    let reply = user(json!({ "referencedMessageId": quoted, "idempotencyKey": "k" }));
    let id = send(&mut world, reply.clone());
    world.done("DELETE", &format!("{MESSAGES}/{quoted}"), Value::Null);
    assert_eq!(send(&mut world, reply.clone()), id);
    world.done("DELETE", "/conversations/c/participants/bob", Value::Null);
    assert_eq!(send(&mut world, reply), id);

    let other = json!([user(json!({ "idempotencyKey": "other" }))]);
    let answer = world.rejected("POST", MESSAGES, other);
    assert_eq!(answer, (400, "NOT_A_PARTICIPANT".to_owned()));
    let empty = json!([{ "type": "SystemMessage", "text": "x", "idempotencyKey": "" }]);
    let answer = world.rejected("POST", MESSAGES, empty);
    assert_eq!(answer, (400, "INVALID_MESSAGE".to_owned()));
}

#[test]
fn message_text_content_must_not_be_empty() {
    let (mut world, alice, _) = World::of_friends();
    let id = world.say(alice, "c", "x");
    for children in [json!([]), json!([""]), json!(["", ""])] {
        let content = json!([{ "type": "text", "children": children }]);
        let message = json!([{ "type": "UserMessage", "sender": "alice", "content": content }]);
        let answer = world.rejected("POST", MESSAGES, message);
        assert_eq!(answer, (400, "INVALID_MESSAGE".to_owned()), "{content}");
        let path = format!("{MESSAGES}/{id}");
        let answer = world.rejected("PUT", &path, json!({ "content": content }));
        assert_eq!(answer, (400, "INVALID_MESSAGE".to_owned()), "{content}");
    }
}

#[test]
fn edit_to_location_of_system_message_is_refused() {
    let (mut world, _, _) = World::of_friends();
    let id = send(&mut world, json!({ "type": "SystemMessage", "text": "x" }));
    let block = json!({ "type": "location", "latitude": 1, "longitude": 2 });
    for edit in [json!({ "location": [1, 2] }), json!({ "content": [block] })] {
        let answer = world.rejected("PUT", &format!("{MESSAGES}/{id}"), edit);
        assert_eq!(answer, (400, "INVALID_MESSAGE".to_owned()));
    }
    assert_eq!(get(&mut world, &id)["text"], "x");
}

#[test]
fn half_a_character_becomes_a_replacement_character() {
    let (mut world, alice, _) = World::of_friends();
    let body = r#"[
        {"type": "SystemMessage", "text": "a\ud83d"},
        {"type": "SystemMessage", "text": "\ud83d\ude00"}
    ]"#;
    let mut request = request("POST", MESSAGES, &json!([]));
    *request.body_mut() = body.into();
    let (status, sent) = world.http(request);
    assert_eq!(status, 200, "{sent}");
    for (index, text) in ["a\u{fffd}", "😀"].into_iter().enumerate() {
        let id = sent[index]["id"].as_str().unwrap().to_owned();
        assert_eq!(get(&mut world, &id)["text"], text);
    }
    let edit = r#"[100, "PUT", "/users/alice", {"name": "b\udc00"}, {}]"#;
    world.raw(alice, edit);
    assert_eq!(world.answer(alice, 100), Some((200, json!({}))));
    assert_eq!(world.read("/users/alice")["name"], "b\u{fffd}");
}
