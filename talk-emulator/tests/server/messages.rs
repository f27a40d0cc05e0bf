use serde_json::{Value, json};

use super::support::{World, picture, text_block};

const MESSAGES: &str = "/me/conversations/c/messages";
const SEND: &str = "/conversations/c/messages";

fn path(message: &str) -> String {
    format!("/conversations/c/messages/{message}")
}

#[test]
fn create_message_notifies_subscribers() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(
        alice,
        &[MESSAGES, "/me/conversations", "/me/conversations/c"],
    );
    world.subscribe(bob, &["/me/conversations/c/typing"]);
    let id = world.ok(bob, "POST", SEND, json!({
        "content": [{ "type": "text", "children": [
            "a ",
            { "type": "bulletlist", "children": [{ "type": "bulletpoint", "children": ["b"] }] },
        ] }],
        "custom": { "k": "v", "n": null },
        "idempotencyKey": "k1",
    }))["id"].as_str().unwrap().to_owned();
    assert!(
        id.strip_prefix("msg_")
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphanumeric()))
    );
    let shown = world.ok(alice, "GET", &format!("{MESSAGES}/{id}"), json!({}));
    assert_eq!(
        shown,
        json!({
            "id": id, "type": "UserMessage", "senderId": "bob", "custom": { "k": "v" },
            "createdAt": shown["createdAt"], "editedAt": null, "referencedMessageId": null,
            "origin": "rest",
            "content": [{ "type": "text", "children": [
                "a ",
                { "type": "bulletList", "children": [
                    { "type": "bulletPoint", "children": ["b"] },
                ] },
            ] }],
            "reactions": {},
        })
    );
    let frames = world.frames(alice);
    assert_eq!(frames.len(), 1);
    assert_eq!(
        frames[0][0],
        json!({ "type": "message.created", "conversationId": "c", "messageId": id, "state": shown })
    );
    assert_eq!(frames[0][1]["type"], "side.edited");
    assert_eq!(world.events(bob), [] as [Value; 0]);
}

#[test]
fn create_message_repeated_key_is_sent_once() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(bob, &[MESSAGES]);
    let data = json!({ "content": text_block("hi"), "idempotencyKey": "key" });
    let first = world.ok(alice, "POST", SEND, data.clone());
    world.wait(24 * 60 * 60 * 1000 - 1);
    assert_eq!(world.ok(alice, "POST", SEND, data.clone()), first);
    assert_eq!(world.event_types(bob), ["message.created"]);
    assert_ne!(
        world.ok(bob, "POST", SEND, data.clone()),
        first,
        "keys are the sender's own"
    );
    world.wait(1);
    assert_ne!(
        world.ok(alice, "POST", SEND, data),
        first,
        "after a day it is forgotten"
    );
}

#[test]
fn list_messages_pages_newest_first() {
    let (mut world, alice, _) = World::of_friends();
    let mut sent: Vec<String> = (0..5)
        .map(|n| world.say(alice, "c", &n.to_string()))
        .collect();
    sent.reverse();
    let ids = |page: &Value| -> Vec<String> {
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = world.ok(alice, "GET", MESSAGES, json!({ "limit": 2 }));
    assert_eq!(ids(&first), sent[..2]);
    assert!(first["data"][0]["createdAt"].as_u64() > first["data"][1]["createdAt"].as_u64());
    world.ok(alice, "DELETE", &path(&sent[1]), json!({}));
    let second = world.ok(
        alice,
        "GET",
        MESSAGES,
        json!({ "limit": 2, "cursor": first["cursor"] }),
    );
    assert_eq!(ids(&second), sent[2..4]);
    let third = world.ok(
        alice,
        "GET",
        MESSAGES,
        json!({ "limit": 2, "cursor": second["cursor"] }),
    );
    assert_eq!(ids(&third), sent[4..]);
    assert_eq!(third["cursor"], Value::Null);
}

#[test]
fn edit_message_event_contains_changes() {
    let (mut world, alice, bob) = World::of_friends();
    let id = world.say(alice, "c", "one");
    world.subscribe(bob, &[MESSAGES, "/me/conversations"]);
    world.wait(5000);
    world.ok(
        alice,
        "PATCH",
        &path(&id),
        json!({ "content": text_block("two"), "custom": { "k": "v" } }),
    );
    let now = world.now();
    world.ok(
        alice,
        "PATCH",
        &path(&id),
        json!({ "custom": { "k": null } }),
    );
    world.ok(
        alice,
        "PATCH",
        &path(&id),
        json!({ "content": text_block("two") }),
    );
    let edited = |diff: Value| {
        json!({
            "type": "message.edited", "conversationId": "c", "messageId": id, "diff": diff,
        })
    };
    assert_eq!(
        world.events(bob),
        [
            edited(
                json!({ "content": text_block("two"), "custom": { "k": "v" }, "editedAt": now })
            ),
            edited(json!({ "custom": { "k": null } })),
        ]
    );
    assert_eq!(
        world
            .refused(bob, "PATCH", &path(&id), json!({ "custom": {} }))
            .0,
        403
    );
    let refused = world.refused(alice, "PATCH", &path("none"), json!({ "custom": {} }));
    assert_eq!(refused, (404, "MESSAGE_NOT_FOUND".into()));
}

#[test]
fn delete_last_message_event_contains_new_last() {
    let (mut world, alice, bob) = World::of_friends();
    let [first, second, third] = ["1", "2", "3"].map(|text| world.say(alice, "c", text));
    world.ok(
        bob,
        "PUT",
        &format!("{}/reactions/:x:/bob", path(&first)),
        json!({}),
    );
    world.subscribe(alice, &[MESSAGES]);
    world.subscribe(
        bob,
        &[MESSAGES, &format!("{MESSAGES}/{third}/reactions/:x:")],
    );

    world.ok(alice, "DELETE", &path(&second), json!({}));
    let deleted = json!({ "type": "message.deleted", "conversationId": "c", "messageId": second });
    assert_eq!(world.events(bob), [deleted]);
    world.ok(alice, "DELETE", &path(&third), json!({}));
    let told = world.events(bob);
    assert_eq!(told.len(), 1, "once, though two subscriptions want it");
    assert_eq!(told[0]["newLastMessage"]["id"], first.as_str());
    assert_eq!(
        told[0]["newLastMessage"]["reactions"][":x:"]["currentUserReacted"],
        true
    );
    let told = world.events(alice);
    assert_eq!(
        told[1]["newLastMessage"]["reactions"][":x:"]["currentUserReacted"],
        false
    );
    world.ok(alice, "DELETE", &path(&first), json!({}));
    assert_eq!(
        world.events(bob)[0].get("newLastMessage"),
        Some(&Value::Null)
    );
    let refused = world.refused(alice, "DELETE", &path(&first), json!({}));
    assert_eq!(refused, (404, "MESSAGE_NOT_FOUND".into()));
}

#[test]
fn delete_message_notifies_reaction_subscribers() {
    let (mut world, alice, bob) = World::of_friends();
    let id = world.say(alice, "c", "hi");
    world.subscribe(
        bob,
        &[
            &format!("{MESSAGES}/{id}/reactions/:x:"),
            &format!("{MESSAGES}/{id}/reactions/:y:"),
        ],
    );
    world.ok(alice, "DELETE", &path(&id), json!({}));
    assert_eq!(world.event_types(bob), ["message.deleted"]);
}

#[test]
fn delete_message_clears_references() {
    let (mut world, alice, bob) = World::of_friends();
    let quoted = world.say(bob, "c", "to be or not to be");
    let send = json!({ "content": text_block("indeed"), "referencedMessageId": quoted });
    let quoting = world.ok(alice, "POST", SEND, send)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let get = format!("{MESSAGES}/{quoting}");
    assert_eq!(
        world.ok(alice, "GET", &get, json!({}))["referencedMessageId"],
        quoted.as_str()
    );
    world.ok(bob, "DELETE", &path(&quoted), json!({}));
    assert_eq!(
        world.ok(alice, "GET", &get, json!({}))["referencedMessageId"],
        Value::Null
    );
    let send = json!({ "content": text_block("again"), "referencedMessageId": quoted });
    assert_eq!(world.refused(alice, "POST", SEND, send).0, 400);
}

#[test]
fn system_message_is_not_unread_nor_quotable() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(bob, &[MESSAGES]);
    let system = world.say_as_app("c", "The *order* has shipped").unwrap();
    let shown = world.ok(alice, "GET", &format!("{MESSAGES}/{system}"), json!({}));
    assert_eq!(shown["type"], "SystemMessage");
    assert_eq!(shown["senderId"], Value::Null);
    assert_eq!(shown["content"], text_block("The *order* has shipped"));
    assert_eq!(world.event_types(bob), ["message.created"]);
    let side = world.ok(bob, "GET", "/me/conversations/c", json!({}));
    assert_eq!(side["unreadMessageCount"], 0);
    assert_eq!(side["lastMessageAt"], shown["createdAt"]);

    let reply = json!({ "content": text_block("Thanks"), "referencedMessageId": system });
    let refused = world.refused(bob, "POST", SEND, reply);
    assert_eq!(refused, (400, "INVALID_REFERENCED_MESSAGE".to_owned()));
    assert_eq!(world.say_as_app("nowhere", "hello"), None);
}

#[test]
fn content_invalid_is_refused() {
    let (mut world, alice, _) = World::of_friends();
    let text = |node: Value| json!([{ "type": "text", "children": [node] }]);
    for content in [
        json!([]),
        json!("hi"),
        json!([{ "type": "text", "children": ["a"] }, { "type": "text", "children": ["b"] }]),
        json!([{ "type": "text" }]),
        json!([{ "children": ["a"] }]),
        json!([{ "type": "file", "fileToken": "unknown" }]),
        json!([{ "type": "location", "latitude": 91, "longitude": 0 }]),
        text(json!({ "type": "bold" })),
        text(json!({ "type": "autolink", "text": "good.com", "url": "http://evil.com" })),
        text(json!({ "type": "new", "children": [
                { "type": "autoLink", "text": "good.com", "url": "http://evil.com" }] })),
        text(json!(7)),
    ] {
        assert_eq!(
            world
                .refused(alice, "POST", SEND, json!({ "content": content }))
                .0,
            400,
            "{content}"
        );
    }
    assert_eq!(world.refused(alice, "POST", SEND, json!({})).0, 400);
    assert_eq!(
        world.ok(alice, "GET", MESSAGES, json!({}))["data"],
        json!([])
    );
}

#[test]
fn content_links_and_actions_need_role() {
    let (mut world, alice, _) = World::of_friends();
    for node in [
        json!({ "type": "link", "url": "https://x.org", "children": ["x"] }),
        json!({ "type": "actionbutton", "action": "a", "params": {}, "children": ["x"] }),
        json!({ "type": "bold", "children": [
            { "type": "actionLink", "action": "a", "params": {}, "children": ["x"] }] }),
        json!({ "type": "new", "children": [
            { "type": "link", "url": "https://x.org", "children": ["x"] }] }),
        json!({ "type": "new", "body": [
            { "type": "link", "url": "https://x.org", "children": ["x"] }] }),
        json!({ "type": "new", "a": { "b": [[{ "type": "LINK" }]] } }),
        json!({ "type": "new", "children": [
            { "type": "newer", "body": [{ "type": "actionlink" }] }] }),
    ] {
        let content = json!([{ "type": "text", "children": [node] }]);
        assert_eq!(
            world
                .refused(alice, "POST", SEND, json!({ "content": content }))
                .0,
            403,
            "{content}"
        );
    }
}

#[test]
fn content_nested_deeply_is_refused() {
    let (mut world, alice, _) = World::of_friends();
    let wrap = |levels: usize, open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    let text = |node: &str| format!(r#"[{{"type":"text","children":[{node}]}}]"#);
    let bold = |levels| {
        text(&wrap(
            levels,
            r#"{"type":"bold","children":["#,
            r#""x""#,
            "]}",
        ))
    };
    let unknown = |levels| text(&wrap(levels, r#"{"type":"new","a":["#, "1", "]}"));
    let array = |levels| format!(r#"[{{"type":"new","a":{}}}]"#, wrap(levels, "[", "", "]"));
    let send = |world: &mut World, content: &str| {
        let data: Value = serde_json::from_str(content).unwrap();
        world
            .call(alice, "POST", SEND, json!({ "content": data }))
            .0
    };
    for content in [
        bold(50),
        unknown(53),
        array(108),
        text(r#""[[[[{{{{\\\"[""#),
    ] {
        assert_eq!(send(&mut world, &content), 200, "{content}");
    }
    for content in [bold(51), unknown(54), array(109)] {
        assert_eq!(send(&mut world, &content), 400, "{content}");
    }
}

#[test]
fn edit_and_delete_need_write_access() {
    let (mut world, alice, bob) = World::of_friends();
    let message = world.say(bob, "c", "hi");
    world.act(alice, "c", "PATCH", "bob", json!({ "access": "Read" }));
    let path = format!("{SEND}/{message}");
    let edit = json!({ "content": text_block("bye") });
    let read_only = (403, "READ_ONLY".to_owned());
    assert_eq!(world.refused(bob, "PATCH", &path, edit.clone()), read_only);
    assert_eq!(world.refused(bob, "DELETE", &path, json!({})), read_only);
    world.act(alice, "c", "PATCH", "bob", json!({ "access": "ReadWrite" }));
    world.ok(bob, "PATCH", &path, edit);
    world.ok(bob, "DELETE", &path, json!({}));
}

#[test]
fn content_unknown_nodes_are_kept() {
    let (mut world, alice, _) = World::of_friends();
    for content in [
        json!([{ "type": "text", "children": [
            { "type": "blockquote", "children": ["x"], "level": 2 }], "extra": [1] }]),
        json!([{ "type": "poll", "options": ["a", "b"] }]),
    ] {
        let sent = world.ok(alice, "POST", SEND, json!({ "content": content }));
        let id = sent["id"].as_str().unwrap();
        assert_eq!(
            world.ok(alice, "GET", &format!("{MESSAGES}/{id}"), json!({}))["content"],
            content
        );
    }
}

#[test]
fn content_file_block_is_completed() {
    let (mut world, alice, _) = World::of_friends();
    let token = world.upload(picture());
    let content =
        json!([{ "type": "file", "fileToken": token, "size": 999, "url": "http://evil" }]);
    let sent = world.ok(alice, "POST", SEND, json!({ "content": content }));
    let shown = world.ok(
        alice,
        "GET",
        &format!("{MESSAGES}/{}", sent["id"].as_str().unwrap()),
        json!({}),
    );
    assert_eq!(
        shown["content"],
        json!([{
            "type": "file", "subtype": "image", "fileToken": token, "size": 12,
            "filename": "cat & dog.png",
            "url": format!("http://127.0.0.1/public_api/v1/app/files/{token}/cat%20%26%20dog.png"),
            "width": 640, "height": 480,
        }])
    );
}

#[test]
fn create_message_needs_write_access() {
    let (mut world, alice, bob) = World::of_friends();
    let carol = world.connect("carol");
    let data = json!({ "content": text_block("hi") });
    assert_eq!(
        world.refused(carol, "POST", SEND, data.clone()),
        (403, "NOT_A_PARTICIPANT".into())
    );
    let refused = world.refused(
        carol,
        "POST",
        "/conversations/nowhere/messages",
        data.clone(),
    );
    assert_eq!(refused, (404, "CONVERSATION_NOT_FOUND".into()));
    world.act(alice, "c", "PATCH", "bob", json!({ "access": "Read" }));
    assert_eq!(world.refused(bob, "POST", SEND, data).0, 403);
    world.ok(bob, "GET", MESSAGES, json!({}));
}

#[test]
fn equal_seeds_give_equal_outputs() {
    let run = || {
        let (mut world, alice, bob) = World::of_friends();
        world.subscribe(bob, &[MESSAGES, "/me/conversations"]);
        world.say(alice, "c", "hi");
        world.events(bob)
    };
    assert_eq!(run(), run());
}

#[test]
fn create_message_beyond_client_frame_is_refused() {
    let (mut world, alice, _) = World::of_friends();
    let text = "x".repeat(15 * 1024 * 1024);
    let refused = world.refused(alice, "POST", SEND, json!({ "content": text_block(&text) }));
    assert_eq!(refused, (400, "INVALID_REQUEST".to_owned()));
}

#[test]
fn list_messages_page_fits_client_frame() {
    let (mut world, alice, _) = World::of_friends();
    let text = "x".repeat(3 * 1024 * 1024);
    let sent: Vec<String> = (0..5).map(|_| world.say(alice, "c", &text)).collect();
    let mut data = json!({ "limit": 30 });
    let mut listed = Vec::new();
    loop {
        let page = world.ok(alice, "GET", MESSAGES, data.clone());
        let ids = page["data"].as_array().unwrap().iter();
        let before = listed.len();
        listed.extend(ids.map(|message| message["id"].as_str().unwrap().to_owned()));
        assert!((1..=2).contains(&(listed.len() - before)));
        if page["cursor"].is_null() {
            break;
        }
        data["cursor"] = page["cursor"].clone();
    }
    listed.reverse();
    assert_eq!(listed, sent);
}
