use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use talk_emulator::Emulator;

use crate::database::Server;
use crate::support::{Rpc, talk};

fn emulator() -> Emulator {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("user.set", json!(["alice", {"name": "Alice"}]));
    rpc.result("conversation.createIfNotExists", json!(["c1"]));
    emulator
}

fn enqueue(rpc: &mut Rpc, args: Value) -> Value {
    let entry = rpc.result("conversation.enqueue", args)["entry"].clone();
    assert!(entry.is_string(), "{entry}");
    entry
}

/// Returns the next line of a subscription for which `fits` returns `true`.
fn line(rpc: &mut Rpc, subscription: &Value, fits: impl Fn(&Value) -> bool) -> Value {
    rpc.wait_for(|line| line["subscription"] == *subscription && fits(line))
}

#[test]
fn enqueued_message_is_pending_until_it_settles() {
    let emulator = emulator();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    let messages = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    line(&mut rpc, &messages, |line| line["snapshot"] == json!([]));
    rpc.result("outbox.pause", json!(["c1"]));
    let entry = enqueue(&mut rpc, json!(["c1", "Hello, *world*!"]));
    rpc.send(1, "outbox.sent", json!([entry]));
    let entries = rpc.subscribe("outbox.subscribe", json!([]));
    let shown = line(&mut rpc, &entries, |line| line.get("snapshot").is_some());
    assert_eq!(shown["snapshot"][0]["id"], entry);
    assert_eq!(shown["snapshot"][0]["durable"], false);

    rpc.send(2, "outbox.resume", json!(["c1"]));
    let shown = line(&mut rpc, &messages, |line| line.get("settled").is_some());
    assert_eq!(shown.get("pending"), None);
    assert_eq!(
        shown["settled"],
        json!([[entry, shown["snapshot"][0]["id"]]])
    );
    assert_eq!(shown["snapshot"][0]["plaintext"], "Hello, world!");
    let message = shown["snapshot"][0]["id"].clone();
    let answer = rpc.call("outbox.sent", json!([entry]));
    assert_eq!(answer["result"], json!({"messageRef": message}));
}

#[test]
fn pending_entry_is_in_the_snapshot_line() {
    let emulator = emulator();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("outbox.pause", json!(["c1"]));
    let entry = enqueue(&mut rpc, json!(["c1", "Hello!"]));
    let messages = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    let shown = line(&mut rpc, &messages, |line| line.get("pending").is_some());
    assert_eq!(shown["snapshot"], json!([]));
    assert_eq!(shown["pending"][0]["id"], entry);
    assert_eq!(shown["pending"][0]["plaintext"], "Hello!");
}

#[test]
fn dedup_key_returns_the_same_entry() {
    let emulator = emulator();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    let args = json!(["c1", "Hello!", {"dedupKey": "greeting", "at": 1_700_000_000_000_i64}]);
    let entry = enqueue(&mut rpc, args.clone());
    rpc.result("outbox.sent", json!([entry]));
    assert_eq!(enqueue(&mut rpc, args), entry);
    let other = enqueue(
        &mut rpc,
        json!(["c1", "Hello!", {"dedupKey": "greeting", "at": 0}]),
    );
    assert_ne!(other, entry);
    let no_key = json!(["c1", "Hello!", {"at": 1}]);
    assert_ne!(enqueue(&mut rpc, no_key.clone()), enqueue(&mut rpc, no_key));
    for bad in [
        json!({"when": 1}),
        json!({"ack": [1, 2]}),
        json!({"ack": [1]}),
    ] {
        let answer = rpc.call("conversation.enqueue", json!(["c1", "Hello!", bad]));
        assert_eq!(answer["error"]["kind"], "usage", "{answer}");
    }
}

#[test]
fn entries_can_be_changed() {
    let emulator = emulator();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("outbox.pause", json!(["c1"]));
    let first = enqueue(&mut rpc, json!(["c1", "one"]));
    let second = enqueue(&mut rpc, json!(["c1", "two"]));
    let third = enqueue(&mut rpc, json!(["c1", "three"]));
    assert_eq!(rpc.result("outbox.edit", json!([first, "One"])), true);
    assert_eq!(rpc.result("outbox.cancel", json!([second])), true);
    for call in ["outbox.cancel", "outbox.discard", "outbox.retry"] {
        assert_eq!(rpc.result(call, json!([second])), false, "{call}");
    }
    assert_eq!(
        rpc.call("outbox.sent", json!([second]))["error"]["code"],
        "UNKNOWN_ENTRY"
    );
    rpc.send("waits", "outbox.sent", json!([third]));
    rpc.send("discard", "outbox.discard", json!([third]));
    // The answers arrive in any order.
    for _ in 0..2 {
        let line = rpc.wait_for(|line| line["id"] == "waits" || line["id"] == "discard");
        match line["id"] == "waits" {
            true => assert_eq!(line["error"]["code"], "DISCARDED"),
            false => assert_eq!(line["result"], true),
        }
    }
    rpc.result("outbox.editAfter", json!([first, "ONE"]));
    rpc.result("outbox.retryAll", json!([]));
    rpc.result("outbox.resume", json!(["c1"]));
    rpc.result("outbox.sent", json!([first]));
    let messages = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    line(&mut rpc, &messages, |line| {
        line["snapshot"][0]["plaintext"] == "ONE"
    });
}

#[test]
fn follow_up_of_an_entry_that_has_left_changes_its_message() {
    let emulator = emulator();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    let entry = enqueue(&mut rpc, json!(["c1", "one"]));
    let message = rpc.result("outbox.sent", json!([entry]))["messageRef"].clone();
    let entries = rpc.subscribe("outbox.subscribe", json!([]));
    line(&mut rpc, &entries, |line| line["snapshot"] == json!([]));
    rpc.result("outbox.editAfter", json!([entry, "ONE"]));
    let edited = rpc.result("message.get", json!(["c1", message]));
    assert_eq!(edited["plaintext"], "ONE");
    rpc.result("outbox.deleteAfter", json!([entry]));
    let deleted = rpc.result("message.get", json!(["c1", message]));
    assert_eq!(deleted, json!(null));
    let unknown = rpc.call("outbox.deleteAfter", json!(["nothing"]));
    assert_eq!(unknown["error"]["code"], "UNKNOWN_ENTRY");
}

#[test]
fn waiting_calls_do_not_stop_the_calls_that_end_them() {
    let emulator = emulator();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("outbox.pause", json!(["c1"]));
    let entry = enqueue(&mut rpc, json!(["c1", "one"]));
    for id in 0..1_500 {
        rpc.send(id, "outbox.sent", json!([entry]));
    }
    rpc.send("resume", "outbox.resume", json!(["c1"]));
    rpc.wait_for(|line| line["id"] == "resume");
}

#[test]
fn calls_beyond_the_limit_do_not_stop_those_that_end_them() {
    let emulator = emulator();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("outbox.pause", json!(["c1"]));
    let entry = enqueue(&mut rpc, json!(["c1", "one"]));
    for id in 0..10_000 {
        rpc.send(id, "outbox.sent", json!([entry]));
    }
    rpc.send("resume", "outbox.resume", json!(["c1"]));
    let refused = rpc.wait_for(|line| line.get("error").is_some());
    assert_eq!(refused["error"]["code"], "TOO_MANY_CALLS");
    let resumed = rpc.wait("id", "resume");
    assert_eq!(resumed["result"], json!(null));
    let sent = rpc.wait("id", 0);
    assert!(sent["result"]["messageRef"].is_string(), "{sent}");
}

#[test]
fn standby_works_and_waits_for_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("outbox.talk");
    take_over(store.to_str().unwrap());
}

#[test]
fn standby_takes_over_a_database() {
    if let Some(database) = Server::start() {
        take_over(&database.address());
    }
}

/// Kills a process that uses the store while another one waits for it.
fn take_over(store: &str) {
    let emulator = emulator();
    let store = ["--store", store];
    let mut first = Rpc::start(emulator.host(), "alice", &store);
    enqueue(&mut first, json!(["c1", "one"]));

    let flags = [store[0], store[1], "--standby"];
    let mut second = Rpc::start(emulator.host(), "alice", &flags);
    second.send("later", "conversation.enqueue", json!(["c1", "three"]));
    second.result("conversation.send", json!(["c1", "two"]));
    drop(first);
    let stored = second.wait_for(|line| line["id"] == "later");
    let entry = &stored["result"]["entry"];
    second.result("outbox.sent", json!([entry]));

    let mut without = Rpc::start(emulator.host(), "alice", &["--standby"]);
    assert_eq!(without.exit().1, Some(2));
}

#[test]
fn standby_names_the_reason_of_its_wait() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("absent").join("outbox.talk");
    let mut process = talk()
        .args(["--app", "app", "--user", "alice", "--host", "127.0.0.1:1"])
        .args(["rpc", "--standby", "--store", store.to_str().unwrap()])
        .args(["--drain-timeout", "3"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let line = r#"{"id": 1, "call": "conversation.enqueue", "args": ["c1", "one"]}"#;
    let mut input = process.stdin.take().unwrap();
    writeln!(input, "{line}").unwrap();
    drop(input);
    let errors = process.wait_with_output().unwrap().stderr;
    let notice: Value = serde_json::from_slice(&errors).unwrap();
    let notice = notice["notice"].as_str().unwrap();
    assert!(notice.contains("outbox.talk"), "{notice}");
}

#[test]
fn end_of_input_reports_messages_that_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("outbox.talk");
    let store = ["--store", store.to_str().unwrap()];
    for (flags, lost) in [(&[][..], true), (&store, false)] {
        let mut process = talk()
            .args(["--app", "app", "--user", "alice", "--host", "127.0.0.1:1"])
            .arg("rpc")
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = process.stdin.take().unwrap();
        for text in ["one", "two"] {
            let line = json!({"id": text, "call": "conversation.enqueue", "args": ["c1", text]});
            writeln!(input, "{line}").unwrap();
        }
        drop(input);
        let errors = process.wait_with_output().unwrap().stderr;
        let errors = String::from_utf8(errors).unwrap();
        assert_eq!(
            errors.contains("2 of the queued messages"),
            lost,
            "{errors}"
        );
    }
}

#[test]
fn stored_entries_outlive_a_killed_process() {
    let emulator = emulator();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("outbox.talk");
    let store = ["--store", store.to_str().unwrap()];
    emulator.refuse_connections(true);
    let mut killed = Rpc::start(emulator.host(), "alice", &store);
    let first = enqueue(&mut killed, json!(["c1", "one"]));
    let second = enqueue(&mut killed, json!(["c1", "two"]));

    let mut refused = Rpc::start(emulator.host(), "alice", &store);
    let (lines, exit_code) = refused.exit();
    assert_eq!(exit_code, Some(1));
    let end = lines.iter().find(|line| line["session"] == "error");
    assert_eq!(end.unwrap()["error"]["code"], "STORE_IN_USE");
    drop(killed);

    emulator.refuse_connections(false);
    let mut rpc = Rpc::start(emulator.host(), "alice", &store);
    for entry in [first, second] {
        rpc.result("outbox.sent", json!([entry]));
    }
    let messages = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    let shown = line(&mut rpc, &messages, |line| line.get("snapshot").is_some());
    assert_eq!(shown["snapshot"][1]["plaintext"], "one");
    assert_eq!(shown["snapshot"][0]["plaintext"], "two");
    rpc.end_input();
    assert_eq!(rpc.exit().1, Some(0));
}

#[test]
fn enqueued_files_are_uploaded_and_follow_the_text() {
    let emulator = emulator();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "Hello").unwrap();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    let files = json!({"files": [{"path": path, "filename": "n.txt"}]});
    let entry = enqueue(&mut rpc, json!(["c1", {"content": []}, files]));
    let message = rpc.result("outbox.sent", json!([entry]))["messageRef"].clone();
    let sent = rpc.result("message.get", json!(["c1", message]));
    assert_eq!(sent["content"][0]["filename"], "n.txt");
    assert_eq!(sent["content"][0]["size"], 5);
    let gone = json!({"files": [{"path": "/nowhere/a.txt"}]});
    let answer = rpc.call("conversation.enqueue", json!(["c1", "Hello!", gone]));
    assert_eq!(answer["error"]["kind"], "transport");
}

#[test]
fn cached_snapshots_are_marked_until_the_first_live_one() {
    let emulator = emulator();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("alice.talk");
    let flags = ["--store", store.to_str().unwrap(), "--cache"];
    let mut rpc = Rpc::start(emulator.host(), "alice", &flags);
    rpc.result("conversation.send", json!(["c1", "Hello!"]));
    let messages = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    let live = line(&mut rpc, &messages, |line| line.get("snapshot").is_some());
    assert_eq!(live.get("freshness"), None);
    rpc.end_input();
    assert_eq!(rpc.exit().1, Some(0));

    emulator.refuse_connections(true);
    let mut rpc = Rpc::start(emulator.host(), "alice", &flags);
    let messages = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    let cached = line(&mut rpc, &messages, |line| line.get("snapshot").is_some());
    assert_eq!(cached["snapshot"], live["snapshot"]);
    assert_eq!(cached["loadedAll"], false);
    assert!(cached["freshness"]["cached"].is_i64(), "{cached}");

    emulator.refuse_connections(false);
    rpc.send(1, "session.networkChanged", json!([]));
    let shown = line(&mut rpc, &messages, |line| line.get("snapshot").is_some());
    assert_eq!(shown.get("freshness"), None);
    assert_eq!(shown["snapshot"], live["snapshot"]);
    assert_eq!(shown["loadedAll"], true);
}
