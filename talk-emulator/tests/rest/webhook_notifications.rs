//! `notification.triggered`, in virtual time.

use serde_json::{Value, json};
use talk_emulator::server::{Settings, WebhookKind, WebhookSettings};

use super::support::HOOKS;
use crate::server::support::{Peer, World};

const AFTER: u64 = 60_000;

/// Creates a world with the friends `alice` and `bob`, that only sends notifications.
fn world() -> (World, Peer, Peer) {
    let mut webhooks = WebhookSettings::new(HOOKS);
    webhooks.events = Some([WebhookKind::NotificationTriggered].into());
    webhooks.notify_after_ms = Some(AFTER);
    let mut world = World::with(Settings {
        secret: None,
        webhooks,
        ..Settings::default()
    });
    world.restart();
    let [alice, bob] = world.befriend();
    (world, alice, bob)
}

fn assert_none_sent(world: &mut World) {
    assert_eq!(world.deliver(), Vec::<Value>::new());
}

fn texts(webhook: &Value) -> Vec<&str> {
    assert_eq!(webhook["type"], "notification.triggered");
    let messages = webhook["data"]["messages"].as_array().unwrap().iter();
    messages.map(|it| it["text"].as_str().unwrap()).collect()
}

#[test]
fn notification_holds_all_unread_messages_once() {
    let (mut world, alice, _) = world();
    let first = world.say(alice, "c", "1");
    world.wait(AFTER / 2);
    world.say(alice, "c", "2");
    world.wait(AFTER / 2 - 1);
    assert_none_sent(&mut world);
    world.wait(1);
    let delivered = world.deliver();
    assert_eq!(delivered.len(), 1);
    assert_eq!(texts(&delivered[0]), ["1", "2"]);
    let data = &delivered[0]["data"];
    let id = data["notificationId"].as_str().unwrap();
    assert!(id.starts_with("ntf_"), "{id}");
    assert_eq!(data["recipient"], world.read("/users/bob"));
    assert_eq!(data["sender"], world.read("/users/alice"));
    assert_eq!(data["conversation"], world.read("/conversations/c"));
    let message = world.read(&format!("/conversations/c/messages/{first}"));
    assert_eq!(data["messages"][0], message);
    world.wait(10 * AFTER);
    assert_none_sent(&mut world);
    // Only the messages since the last notification.
    world.say(alice, "c", "3");
    world.wait(AFTER);
    assert_eq!(texts(&world.deliver()[0]), ["3"]);
}

#[test]
fn notification_of_read_messages_is_not_sent() {
    let (mut world, alice, bob) = world();
    world.say(alice, "c", "1");
    world.wait(AFTER - 1);
    world.ok(bob, "POST", "/me/conversations/c/read", json!({}));
    world.wait(AFTER);
    assert_none_sent(&mut world);
}

#[test]
fn notification_of_later_messages_is_postponed() {
    let (mut world, alice, bob) = world();
    world.say(alice, "c", "1");
    world.wait(1000);
    world.ok(bob, "POST", "/me/conversations/c/read", json!({}));
    world.wait(1000);
    world.say(alice, "c", "2");
    world.wait(AFTER - 2000);
    assert_none_sent(&mut world);
    world.wait(1999);
    assert_none_sent(&mut world);
    world.wait(1);
    assert_eq!(texts(&world.deliver()[0]), ["2"]);
}

#[test]
fn notification_follows_the_participant_setting() {
    let (mut world, alice, _) = world();
    let notify = |world: &mut World, notify: Value| {
        let path = "/conversations/c/participants/bob";
        world.done("PATCH", path, json!({ "notify": notify }));
    };
    notify(&mut world, json!(false));
    world.say(alice, "c", "1");
    world.wait(AFTER);
    assert_none_sent(&mut world);
    notify(&mut world, json!("MentionsOnly"));
    world.say(alice, "c", "2");
    let content = json!([{ "type": "text", "children": [
        { "type": "mention", "id": "bob", "text": "Bob" },
    ] }]);
    let mention = json!([{ "type": "UserMessage", "sender": "alice", "content": content }]);
    world.done("POST", "/conversations/c/messages", mention);
    world.wait(AFTER);
    let delivered = world.deliver();
    assert_eq!(delivered.len(), 1);
    assert_eq!(
        delivered[0]["data"]["messages"].as_array().unwrap().len(),
        1
    );
    assert_eq!(delivered[0]["data"]["recipient"]["id"], "bob");
}

#[test]
fn notification_of_system_messages_is_not_sent() {
    let (mut world, _, _) = world();
    let message = json!([{ "type": "SystemMessage", "text": "Paid" }]);
    world.done("POST", "/conversations/c/messages", message);
    world.wait(AFTER);
    assert_none_sent(&mut world);
}

#[test]
fn notification_pending_survives_restart_and_snapshot() {
    let (mut world, alice, _) = world();
    world.say(alice, "c", "1");
    world.wait(AFTER / 2);
    world.restart();
    let snapshot = world.server.snapshot();
    world.wait(AFTER / 2);
    assert_eq!(texts(&world.deliver()[0]), ["1"]);
    let now = world.time();
    world.server.restore_snapshot(now, &snapshot).unwrap();
    world.drain();
    world.wait(1);
    assert_eq!(texts(&world.deliver()[0]), ["1"]);
}

#[test]
fn notification_needs_the_setting() {
    let mut world = World::hooked();
    let [alice, _] = world.befriend_hooked();
    world.say(alice, "c", "1");
    assert_eq!(world.delivered_types(), ["message.sent"]);
    world.wait(10 * AFTER);
    assert_none_sent(&mut world);
}
