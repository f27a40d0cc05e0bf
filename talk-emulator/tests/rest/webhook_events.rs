//! The events that cause webhooks, and their data.

use serde_json::{Value, json};
use talk_emulator::server::{Settings, WebhookKind, WebhookSettings};

use super::support::HOOKS;
use crate::server::support::{World, text_block};

const MESSAGES: &str = "/conversations/c/messages";

fn send(world: &mut World, sender: &str, text: &str) -> String {
    let message = json!([{ "type": "UserMessage", "sender": sender, "text": text }]);
    let sent = world.done("POST", MESSAGES, message);
    sent[0]["id"].as_str().unwrap().to_owned()
}

/// Returns the type and the message's ID of each delivered webhook.
fn summary(webhooks: &[Value]) -> Vec<(&str, &str)> {
    let part = |value: &'static str, webhook| {
        let webhook: &Value = webhook;
        webhook.pointer(value).and_then(Value::as_str)
    };
    webhooks
        .iter()
        .map(|it| {
            (
                part("/type", it).unwrap(),
                part("/data/message/id", it).unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn user_created_and_updated_hold_whole_user() {
    let mut world = World::hooked();
    world.done("PUT", "/users/alice", json!({ "name": "Alice" }));
    let now = world.now();
    let user = world.read("/users/alice");
    let created = world.deliver();
    let id = &created[0]["id"];
    assert!(id.as_str().unwrap().starts_with("evt_"), "{id}");
    let expected = json!([{
        "id": id, "type": "user.created", "createdAt": now, "data": { "user": user },
    }]);
    assert_eq!(Value::from(created.clone()), expected);

    // A change of contact data has no event for clients, but a webhook.
    let contact = json!({ "email": ["a@example.com"] });
    world.done("PUT", "/users/alice", contact.clone());
    let updated = world.deliver();
    assert_eq!(updated[0]["type"], "user.updated");
    assert_eq!(updated[0]["data"]["user"], world.read("/users/alice"));
    // A request without a change has none.
    world.done("PUT", "/users/alice", contact);
    assert_eq!(world.deliver(), Vec::<Value>::new());
}

#[test]
fn user_changes_of_clients_are_reported() {
    let mut world = World::hooked();
    let alice = world.connect("alice");
    world.ok(alice, "PUT", "/users/alice", json!({ "name": "A" }));
    world.ok(alice, "PUT", "/users/alice", json!({ "name": "B" }));
    assert_eq!(world.delivered_types(), ["user.created", "user.updated"]);
}

#[test]
fn message_sent_holds_objects_and_mentions() {
    let mut world = World::hooked();
    let [alice, _] = world.befriend_hooked();
    let mention = |id: &str| json!({ "type": "mention", "id": id, "text": id });
    let bold = json!({ "type": "bold", "children": [mention("bob")] });
    let content = json!([{
        "type": "text",
        "children": ["Hi ", mention("carol"), bold, mention("carol")],
    }]);
    let sent = world.ok(alice, "POST", MESSAGES, json!({ "content": content }));
    let id = sent["id"].as_str().unwrap();
    let webhooks = world.deliver();
    let data = &webhooks[0]["data"];
    assert_eq!(summary(&webhooks), [("message.sent", id)]);
    assert_eq!(data["sender"], world.read("/users/alice"));
    assert_eq!(data["conversation"], world.read("/conversations/c"));
    assert_eq!(data["message"], world.read(&format!("{MESSAGES}/{id}")));
    assert_eq!(data["mentionedUserIds"], json!(["carol", "bob"]));
}

#[test]
fn message_sent_of_system_has_null_sender() {
    let mut world = World::hooked();
    world.befriend_hooked();
    world.say_as_app("c", "Welcome").unwrap();
    let webhooks = world.deliver();
    let data = webhooks[0]["data"].as_object().unwrap();
    assert_eq!(data["sender"], Value::Null);
    assert_eq!(data["mentionedUserIds"], json!([]));
    assert!(!data.contains_key("recipient"));
    assert_eq!(webhooks.len(), 1);
}

#[test]
fn message_list_is_reported_in_order() {
    let mut world = World::hooked();
    world.befriend_hooked();
    let message = |text: &str| json!({ "type": "SystemMessage", "text": text });
    let sent = world.done("POST", MESSAGES, json!([message("1"), message("2")]));
    let ids = [&sent[0]["id"], &sent[1]["id"]];
    let webhooks = world.deliver();
    let ids = ids.map(|id| ("message.sent", id.as_str().unwrap()));
    assert_eq!(summary(&webhooks), ids);
}

#[test]
fn message_repeated_key_is_reported_once() {
    let mut world = World::hooked();
    let [alice, _] = world.befriend_hooked();
    let data = json!({ "content": text_block("x"), "idempotencyKey": "k" });
    world.ok(alice, "POST", MESSAGES, data.clone());
    world.ok(alice, "POST", MESSAGES, data);
    assert_eq!(world.delivered_types(), ["message.sent"]);
}

#[test]
fn message_updated_reports_content_and_custom() {
    let mut world = World::hooked();
    world.befriend_hooked();
    let id = send(&mut world, "alice", "before");
    world.deliver();
    let path = format!("{MESSAGES}/{id}");
    world.done("PUT", &path, json!({ "text": "*after*" }));
    let webhooks = world.deliver();
    assert_eq!(summary(&webhooks), [("message.updated", id.as_str())]);
    assert_eq!(webhooks[0]["data"]["message"], world.read(&path));
    assert_eq!(webhooks[0]["data"]["message"]["text"], "*after*");
    world.done("PUT", &path, json!({ "custom": { "k": "v" } }));
    world.done("PUT", &path, json!({ "custom": { "k": "v" } }));
    assert_eq!(world.delivered_types(), ["message.updated"]);
}

#[test]
fn message_deleted_holds_deleted_message() {
    let mut world = World::hooked();
    let [alice, _] = world.befriend_hooked();
    let id = world.say(alice, "c", "bye");
    world.deliver();
    let path = format!("{MESSAGES}/{id}");
    let message = world.read(&path);
    world.ok(alice, "DELETE", &path, json!({}));
    let webhooks = world.deliver();
    assert_eq!(summary(&webhooks), [("message.deleted", id.as_str())]);
    assert_eq!(webhooks[0]["data"]["message"], message);
    assert_eq!(webhooks[0]["data"]["sender"]["id"], "alice");
    assert_eq!(world.rest("DELETE", &path, Value::Null).0, 404);
    assert_eq!(world.deliver(), Vec::<Value>::new());
}

#[test]
fn message_read_is_reported_once_per_reader() {
    let mut world = World::hooked();
    let [alice, bob] = world.befriend_hooked();
    let [first, second] = ["1", "2"].map(|text| world.say(alice, "c", text));
    world.say_as_app("c", "system").unwrap();
    world.deliver();
    world.wait(10);
    world.ok(bob, "POST", "/me/conversations/c/read", json!({}));
    let webhooks = world.deliver();
    let read = |id| ("message.read", id);
    assert_eq!(summary(&webhooks), [read(&*first), read(&second)]);
    let data = &webhooks[0]["data"];
    assert_eq!(data["recipient"], world.read("/users/bob"));
    assert_eq!(data["sender"]["id"], "alice");
    assert_eq!(data["message"]["readBy"], json!(["bob"]));

    // A position that goes back and forward again passes nothing for the first time.
    let path = "/conversations/c/participants/bob";
    world.done("PATCH", path, json!({ "readUntil": 1 }));
    let now = world.now();
    world.done("PATCH", path, json!({ "readUntil": now }));
    assert_eq!(world.deliver(), Vec::<Value>::new());
    let third = world.say(alice, "c", "3");
    world.wait(10);
    world.done("POST", "/conversations/c/readBy/bob", json!({}));
    let webhooks = world.deliver();
    assert_eq!(
        summary(&webhooks),
        [("message.sent", &*third), read(&third)]
    );
}

#[test]
fn message_read_mark_survives_restart() {
    let mut world = World::hooked();
    let [alice, bob] = world.befriend_hooked();
    world.say(alice, "c", "1");
    world.wait(10);
    world.ok(bob, "POST", "/me/conversations/c/read", json!({}));
    let path = "/conversations/c/participants/bob";
    world.done("PATCH", path, json!({ "readUntil": 1 }));
    world.deliver();
    world.restart();
    world.done("POST", "/conversations/c/readBy/bob", json!({}));
    assert_eq!(world.deliver(), Vec::<Value>::new());
}

#[test]
fn message_read_precedes_reply() {
    let mut world = World::hooked();
    let [alice, bob] = world.befriend_hooked();
    let question = world.say(alice, "c", "?");
    let answer = world.say(bob, "c", "!");
    let webhooks = world.deliver();
    assert_eq!(
        summary(&webhooks),
        [
            ("message.sent", &*question),
            ("message.read", &question),
            ("message.sent", &answer)
        ]
    );
}

#[test]
fn message_read_reports_newest_100() {
    let mut world = World::hooked();
    let [alice, bob] = world.befriend_hooked();
    let sent: Vec<String> = (0..105)
        .map(|at| world.say(alice, "c", &at.to_string()))
        .collect();
    world.deliver();
    world.wait(1000);
    world.ok(bob, "POST", "/me/conversations/c/read", json!({}));
    let webhooks = world.deliver();
    let read: Vec<&str> = summary(&webhooks).into_iter().map(|(_, id)| id).collect();
    assert_eq!(read, sent[5..]);
}

#[test]
fn conversation_deleted_holds_conversation() {
    let mut world = World::hooked();
    let [alice, _] = world.befriend_hooked();
    world.say(alice, "c", "hi");
    world.deliver();
    let conversation = world.read("/conversations/c");
    world.done("DELETE", "/conversations/c", Value::Null);
    let webhooks = world.deliver();
    assert_eq!(webhooks.len(), 1);
    assert_eq!(webhooks[0]["type"], "conversation.deleted");
    let data = json!({ "conversation": conversation });
    assert_eq!(webhooks[0]["data"], data);
    assert_eq!(world.rest("DELETE", "/conversations/c", Value::Null).0, 404);
    assert_eq!(world.deliver(), Vec::<Value>::new());
}

#[test]
fn silent_changes_have_no_webhook() {
    let mut world = World::hooked();
    let [alice, bob] = world.befriend_hooked();
    let id = world.say(alice, "c", "hi");
    world.deliver();
    // Conversations, participants, reactions and imports have no webhooks.
    world.done("PUT", "/conversations/c", json!({ "subject": "S" }));
    let carol = "/conversations/c/participants/carol";
    world.done("PUT", carol, json!({ "access": "Read" }));
    world.done("DELETE", carol, Value::Null);
    let reaction = format!("{MESSAGES}/{id}/reactions/👍/bob");
    world.ok(bob, "PUT", &reaction, json!({}));
    let old = json!([{
        "type": "UserMessage", "sender": "alice", "text": "old", "createdAt": 1, "readBy": ["bob"],
    }]);
    world.done("POST", "/import/conversations/c/messages", old);
    assert_eq!(world.deliver(), Vec::<Value>::new());
}

#[test]
fn events_are_selected_by_type() {
    let mut webhooks = WebhookSettings::new(HOOKS);
    webhooks.events = Some([WebhookKind::MessageSent].into());
    let mut world = World::with(Settings {
        webhooks,
        ..Settings::default()
    });
    let [alice, _] = world.befriend();
    world.say(alice, "c", "hi");
    assert_eq!(world.delivered_types(), ["message.sent"]);
}

#[test]
fn events_without_address_are_not_queued() {
    let (mut world, alice, _) = World::of_friends();
    world.say(alice, "c", "hi");
    assert_eq!(world.server.webhooks().count(), 0);
    let settings = Settings {
        webhooks: WebhookSettings::new(HOOKS),
        ..Settings::default()
    };
    world.server.set_settings(world.time(), settings);
    world.drain();
    assert_eq!(world.deliver(), Vec::<Value>::new());
    world.say(alice, "c", "hi");
    assert_eq!(world.delivered_types(), ["message.sent"]);
}
