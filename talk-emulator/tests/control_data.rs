//! The control API: the clock, snapshots and the reset.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;
use talk_emulator::{Emulator, EmulatorBuilder, Seed};
use tokio::time::timeout;

use crate::support::{Socket, change, json_of, ok, read};

/// Much longer than any step takes.
const TIMEOUT: Duration = Duration::from_secs(60);

fn seeded() -> EmulatorBuilder {
    let lobby = Seed::new("app")
        .user("alice", "Alice")
        .conversation("lobby", ["alice"])
        .message("lobby", "alice", "seeded");
    Emulator::builder().initial_data(lobby)
}

async fn texts(emulator: &Emulator) -> Vec<String> {
    let messages = emulator.messages("app", "lobby").await.unwrap();
    messages.iter().map(|it| it.plaintext()).collect()
}

async fn post(emulator: &Emulator, text: &str) {
    let posted = emulator.post_system_message("app", "lobby", text).await;
    assert!(posted.unwrap().is_some());
}

#[tokio::test]
async fn clock_advance_ends_typing() {
    let lobby = Seed::new("app")
        .user("alice", "Alice")
        .user("bob", "Bob")
        .conversation("lobby", ["alice", "bob"]);
    let emulator = Emulator::builder()
        .initial_data(lobby)
        .start()
        .await
        .unwrap();
    let mut alice = Socket::ready(&emulator, "app", "alice").await;
    let mut bob = Socket::ready(&emulator, "app", "bob").await;
    let typing = "/me/conversations/lobby/typing";
    let (_, nobody) = bob.call("GET", typing, json!({})).await;
    alice.call("POST", typing, json!({})).await;
    assert_ne!(bob.call("GET", typing, json!({})).await.1, nobody);
    let before = read(&emulator, "/clock").await["now"].as_i64().unwrap();
    let after = ok(&emulator, "POST", "/clock", json!({ "advanceMs": 60_000 })).await;
    assert!(after["now"].as_i64().unwrap() >= before + 60_000);
    assert_eq!(bob.call("GET", typing, json!({})).await.1, nobody);
}

#[tokio::test]
async fn clock_advance_sets_times_of_messages() {
    let emulator = seeded().start().await.unwrap();
    let day = Duration::from_secs(24 * 3600);
    let before = emulator.now().await.unwrap();
    let now = emulator.advance_clock(day).await.unwrap();
    assert!(now >= before + day);
    post(&emulator, "tomorrow").await;
    let messages = emulator.messages("app", "lobby").await.unwrap();
    assert!(messages[1].created_at >= now);
    // Timers still run: an emulator whose clock was advanced is not stuck.
    let advanced = emulator.advance_clock(Duration::MAX).await.unwrap();
    assert!(advanced.saturating_since(now) < day);
    for body in [
        json!({ "advanceMs": u64::MAX }),
        json!({ "advanceMs": -1 }),
        json!({}),
    ] {
        let response = change(&emulator, "POST", "/clock", &body).await;
        assert_eq!(response.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn reset_restores_initial_data() {
    let emulator = seeded().start().await.unwrap();
    let mut alice = Socket::ready(&emulator, "app", "alice").await;
    post(&emulator, "later").await;
    ok(&emulator, "POST", "/reset", json!({})).await;
    assert_eq!(texts(&emulator).await, ["seeded"]);
    let ended = timeout(TIMEOUT, async { while alice.frame().await.is_some() {} });
    ended.await.unwrap();
    // The reset can be repeated.
    post(&emulator, "later").await;
    emulator.reset().await.unwrap();
    assert_eq!(texts(&emulator).await, ["seeded"]);
}

#[tokio::test]
async fn reset_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = seeded().data(folder.path()).start().await.unwrap();
    post(&emulator, "later").await;
    emulator.reset().await.unwrap();
    post(&emulator, "after").await;
    emulator.shutdown().await;
    let emulator = seeded().data(folder.path()).start().await.unwrap();
    assert_eq!(texts(&emulator).await, ["seeded", "after"]);
}

#[tokio::test]
async fn snapshots_are_saved_restored_and_deleted() {
    let emulator = seeded().start().await.unwrap();
    ok(&emulator, "POST", "/snapshots/a/save", json!({})).await;
    post(&emulator, "later").await;
    ok(&emulator, "POST", "/snapshots/b/save", json!({})).await;
    ok(&emulator, "POST", "/snapshots/a/restore", json!({})).await;
    assert_eq!(texts(&emulator).await, ["seeded"]);
    ok(&emulator, "POST", "/snapshots/b/restore", json!({})).await;
    assert_eq!(texts(&emulator).await, ["seeded", "later"]);
    let list = read(&emulator, "/snapshots").await;
    let names: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["a", "b"]);
    ok(&emulator, "DELETE", "/snapshots/a", json!({})).await;
    for (method, path) in [
        ("GET", "/snapshots/a"),
        ("DELETE", "/snapshots/a"),
        ("POST", "/snapshots/a/restore"),
    ] {
        let response = change(&emulator, method, path, &json!({})).await;
        assert_eq!(
            json_of(&response)["errorCode"],
            "SNAPSHOT_NOT_FOUND",
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn snapshot_moves_to_another_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let first = seeded().start().await.unwrap();
    post(&first, "later").await;
    ok(&first, "POST", "/snapshots/a/save", json!({})).await;
    let snapshot = read(&first, "/snapshots/a").await;

    let second = Emulator::builder()
        .data(folder.path())
        .start()
        .await
        .unwrap();
    ok(&second, "PUT", "/snapshots/x", snapshot).await;
    ok(&second, "POST", "/snapshots/x/restore", json!({})).await;
    second.shutdown().await;
    let second = Emulator::builder()
        .data(folder.path())
        .start()
        .await
        .unwrap();
    assert_eq!(texts(&second).await, ["seeded", "later"]);

    for body in [
        json!([]),
        json!({ "records": 1 }),
        json!({ "records": [{ "key": {} }] }),
    ] {
        let response = change(&second, "PUT", "/snapshots/y", &body).await;
        assert_eq!(response.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn snapshot_name_of_dots_is_refused() {
    let emulator = seeded().start().await.unwrap();
    ok(&emulator, "POST", "/snapshots/a/save", json!({})).await;
    let snapshot = read(&emulator, "/snapshots/a").await;
    for name in ["%2E", "%2e%2E", "..", "."] {
        for (method, path, body) in [
            ("POST", format!("/snapshots/{name}/save"), json!({})),
            ("PUT", format!("/snapshots/{name}"), snapshot.clone()),
        ] {
            let response = change(&emulator, method, &path, &body).await;
            assert_eq!(response.status(), 400, "{method} {path}");
            let reason = json_of(&response)["reasons"][0].to_string();
            assert!(reason.contains("cannot have the name"), "{reason}");
        }
    }
    let list = read(&emulator, "/snapshots").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn snapshots_are_limited() {
    let emulator = Emulator::start().await.unwrap();
    for at in 0..100 {
        ok(
            &emulator,
            "POST",
            &format!("/snapshots/{at}/save"),
            json!({}),
        )
        .await;
    }
    ok(&emulator, "POST", "/snapshots/99/save", json!({})).await;
    let response = change(&emulator, "POST", "/snapshots/100/save", &json!({})).await;
    assert_eq!(response.status(), 400);
}
