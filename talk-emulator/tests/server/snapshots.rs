//! Snapshots of the data, and their restoration.

use std::time::Duration;

use serde_json::json;
use talk_emulator::server::{Fault, FaultKind, Key, Server, Settings, Snapshot};

use super::support::{World, picture, text_block};

fn json_of(snapshot: &Snapshot) -> String {
    serde_json::to_string(snapshot).unwrap()
}

/// Creates a world whose data has every kind of record.
fn filled() -> World {
    let mut world = World::keeping();
    let [alice, bob] = world.befriend();
    world.upload(picture());
    let data = json!({
        "content": text_block("hi"),
        "idempotencyKey": "00000000000000000000",
    });
    let sent = world.ok(alice, "POST", "/conversations/c/messages", data);
    let id = sent["id"].as_str().unwrap();
    let reaction = format!("/conversations/c/messages/{id}/reactions/👍/bob");
    world.ok(bob, "PUT", &reaction, json!({}));
    world
}

#[test]
fn restore_snapshot_returns_earlier_data() {
    let mut world = filled();
    let before = world.server.snapshot();
    let alice = world.connect("alice");
    world.say(alice, "c", "later");
    world.ok(alice, "PUT", "/users/dave", json!({ "name": "Dave" }));
    world.ok(alice, "POST", "/conversations/d", json!({}));
    assert_ne!(json_of(&world.server.snapshot()), json_of(&before));

    world
        .server
        .restore_snapshot(world.time(), &before)
        .unwrap();
    world.drain();
    assert_eq!(json_of(&world.server.snapshot()), json_of(&before));
    // The stored records equal those of a server that was created with this data.
    world.restart();
    assert_eq!(json_of(&world.server.snapshot()), json_of(&before));
}

#[test]
fn restore_snapshot_removes_unstored_changes() {
    let mut world = filled();
    let before = world.server.snapshot();
    // A conversation that is deleted and restored before its changes are stored.
    let request = http::Request::delete("/v1/app/conversations/c")
        .header("authorization", "Bearer any")
        .body(Default::default())
        .unwrap();
    world.server.http(world.time(), &request);
    world
        .server
        .restore_snapshot(world.time(), &before)
        .unwrap();
    world.drain();
    world.restart();
    assert_eq!(json_of(&world.server.snapshot()), json_of(&before));
}

#[test]
fn restore_snapshot_closes_connections() {
    let mut world = filled();
    let alice = world.connect("alice");
    let before = world.server.snapshot();
    world
        .server
        .restore_snapshot(world.time(), &before)
        .unwrap();
    world.drain();
    assert_eq!(world.event_types(alice), ["upstream.restarting"]);
    assert_eq!(world.is_closed(alice), Some(Some(1012)));
    let alice = world.connect("alice");
    world.say(alice, "c", "again");
}

#[test]
fn restore_snapshot_discards_faults_and_requests() {
    let mut world = filled();
    world.server.record_requests(10);
    let alice = world.connect("alice");
    world.say(alice, "c", "recorded");
    let fault = Fault::new(FaultKind::InternalError).path("/conversations");
    world.server.inject(world.time(), fault);
    let later = Fault::new(FaultKind::Drop).after(Duration::from_secs(60));
    world.server.inject(world.time(), later);
    let before = world.server.snapshot();
    world
        .server
        .restore_snapshot(world.time(), &before)
        .unwrap();
    world.drain();
    assert_eq!(world.server.received_requests().count(), 0);
    assert_eq!(world.server.poll_timeout(), None);
    let alice = world.connect("alice");
    world.say(alice, "c", "no fault");
    world.wait(120_000);
    assert_eq!(world.is_closed(alice), None);
}

#[test]
fn restore_snapshot_repeats_no_id() {
    let mut world = filled();
    let before = world.server.snapshot();
    let alice = world.connect("alice");
    let first = world.say(alice, "c", "1");
    world
        .server
        .restore_snapshot(world.time(), &before)
        .unwrap();
    world.drain();
    let alice = world.connect("alice");
    assert_ne!(world.say(alice, "c", "1"), first);
}

#[test]
fn clear_removes_all_data() {
    let mut world = filled();
    world.server.clear(world.time());
    world.drain();
    assert!(world.server.snapshot().is_empty());
    world.restart();
    assert!(world.server.snapshot().is_empty());
    let [alice, _] = world.befriend();
    world.say(alice, "c", "hi");
}

#[test]
fn snapshot_survives_json() {
    let world = filled();
    let before = world.server.snapshot();
    let read: Snapshot = serde_json::from_str(&json_of(&before)).unwrap();
    let mut other = Server::new(Settings::default(), 9, world.time());
    other.restore_snapshot(world.time(), &read).unwrap();
    assert_eq!(other.snapshot().len(), before.len());
    assert_eq!(other.users("app"), world.server.users("app"));
    assert_eq!(
        other.conversations("app"),
        world.server.conversations("app")
    );
    assert!(!format!("{read:?}").contains("cat"));
}

#[test]
fn restore_snapshot_unreadable_record_changes_nothing() {
    let mut world = filled();
    let before = json_of(&world.server.snapshot());
    let mut broken: serde_json::Value = serde_json::from_str(&before).unwrap();
    let records = broken["records"].as_array_mut().unwrap();
    records.retain(|record| record["key"]["kind"] != "conversation");
    let broken: Snapshot = serde_json::from_value(broken).unwrap();
    let error = world.server.restore_snapshot(world.time(), &broken);
    assert!(matches!(error.unwrap_err().key, Key::Message { .. }));
    assert_eq!(json_of(&world.server.snapshot()), before);
}

#[test]
fn restore_snapshot_keeps_settings() {
    let mut world = filled();
    let records = json!({ "records": [{
        "key": { "kind": "settings" }, "value": { "secret": "other" },
    }]});
    let snapshot: Snapshot = serde_json::from_value(records).unwrap();
    world
        .server
        .restore_snapshot(world.time(), &snapshot)
        .unwrap();
    world.drain();
    assert_eq!(world.server.settings().secret, None);
}
