use serde_json::{Value, json};
use talk_emulator::Emulator;

use crate::support::Rpc;

/// Starts a session as Alice with conversations and messages to search.
fn alice(emulator: &Emulator) -> Rpc {
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("user.set", json!(["alice", {"name": "Alice"}]));
    for (id, subject) in [("c1", "Green tea"), ("c2", "Black tea")] {
        let params = json!({"subject": subject, "custom": {"kind": id}});
        rpc.result("conversation.createIfNotExists", json!([id, params]));
        for index in 0..4 {
            let text = format!("a cup of tea, number {index}");
            rpc.result("conversation.send", json!([id, text]));
        }
    }
    rpc
}

/// Returns the last line of a search's results.
fn found(rpc: &mut Rpc, search: &Value) -> Value {
    rpc.wait_for(|line| line["search"] == *search && line["status"] != "searching")
}

fn texts(line: &Value) -> Vec<String> {
    let results = line["results"].as_array().unwrap().iter();
    results
        .map(|found| {
            let conversation = found["conversation"]["id"].as_str().unwrap();
            let text = found["message"]["plaintext"].as_str().unwrap();
            format!("{conversation} {}", text.rsplit(' ').next().unwrap())
        })
        .collect()
}

#[test]
fn rpc_search_messages_returns_pages() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    let search = rpc.result("session.searchMessages", json!(["cup te"]))["search"].clone();
    assert!(search.is_u64());
    let line = found(&mut rpc, &search);
    assert_eq!(texts(&line), ["c2 3", "c2 2", "c2 1"]);
    assert_eq!(line["status"], "canLoadMore");

    rpc.send("more", "search.loadMore", json!([search, 2]));
    let line = found(&mut rpc, &search);
    assert_eq!(texts(&line), ["c2 3", "c2 2", "c2 1", "c2 0", "c1 3"]);
    // The answer follows the loaded results.
    assert_eq!(rpc.wait("id", "more")["result"], Value::Null);

    rpc.send(
        "query",
        "search.setQuery",
        json!([search, "number 0", {"conversation": {"custom": {"kind": ["==", "c1"]}}}]),
    );
    let line = found(&mut rpc, &search);
    assert_eq!(texts(&line), ["c1 0"]);
    assert_eq!(line["status"], "loadedAll");
    assert_eq!(rpc.wait("id", "query")["result"], Value::Null);
}

#[test]
fn rpc_search_conversations_returns_matches() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    let filter = json!({"conversation": {"subject": ["!=", "Black tea"]}});
    let search = rpc.result("session.searchConversations", json!(["tea", filter]));
    let line = found(&mut rpc, &search["search"]);
    let results = line["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["subject"], "Green tea");
}

#[test]
fn rpc_search_failure_is_reported() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    let mut settings = futures_executor::block_on(emulator.settings()).unwrap();
    settings.limits.search = false;
    futures_executor::block_on(emulator.set_settings(settings)).unwrap();
    let search = rpc.result("session.searchMessages", json!(["tea"]))["search"].clone();
    let line = rpc.wait_for(|line| line["search"] == search && line.get("error").is_some());
    assert_eq!(line["error"]["kind"], "server");

    rpc.send(1, "search.setQuery", json!([search, "tea"]));
    rpc.wait_for(|line| line["search"] == search && line.get("error").is_some());
    assert_eq!(rpc.wait("id", 1)["error"]["kind"], "server");
    // Invalid calls change nothing.
    let line = rpc.call("search.loadMore", json!([search, 51]));
    assert_eq!(line["error"]["kind"], "usage");
    let line = rpc.call("search.loadMore", json!([7]));
    assert_eq!(line["error"]["kind"], "usage");
    let line = rpc.call(
        "session.searchMessages",
        json!(["tea", {"conversations": {}}]),
    );
    assert_eq!(line["error"]["kind"], "usage");
}

#[test]
fn rpc_search_can_be_cancelled() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    rpc.send("s", "session.searchMessages", json!(["tea"]));
    rpc.send("c", "cancel", json!(["s"]));
    let search = rpc.wait("id", "s")["result"]["search"].clone();
    assert_eq!(rpc.wait("id", "c")["result"], Value::Null);
    let line = rpc.call("search.setQuery", json!([search, "tea"]));
    assert_eq!(line["error"]["kind"], "usage");
}

#[test]
fn rpc_end_of_input_waits_for_first_pages() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    rpc.send(1, "session.searchMessages", json!(["tea"]));
    rpc.end_input();
    let (lines, exit_code) = rpc.exit();
    assert_eq!(exit_code, Some(0));
    assert_eq!(lines[0], json!({"id": 1, "result": {"search": 1}}));
    assert_eq!(lines.last().unwrap()["status"], "canLoadMore");
}
