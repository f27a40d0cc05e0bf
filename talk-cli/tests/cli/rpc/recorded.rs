//! The recorded calls of the published client, repeated with `talk rpc`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::support::Rpc;

const CALLS: &str = include_str!("../../../../tests/vectors/calls.jsonl");

#[derive(Deserialize)]
struct Case {
    call: String,
    args: Value,
    /// `METHOD /path` → `[status, body]`.
    replies: BTreeMap<String, (u16, Value)>,
    frames: Vec<Value>,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    rejects: bool,
}

#[test]
fn rpc_matches_recorded_calls() {
    let cases = CALLS
        .lines()
        .map(|line| serde_json::from_str::<Case>(line).unwrap());
    // The core's tests cover several calls in one tick.
    for case in cases.filter(|case| !case.call.starts_with("batch: ")) {
        let name = format!("{} {}", case.call, case.args);
        let replies = case.replies;
        let peer = Peer::start_with_status(move |method, path| {
            let named = replies.get(&format!("{method} {path}")).cloned();
            Some(named.unwrap_or_else(|| (200, unnamed(method, path))))
        });
        let mut rpc = Rpc::start(&peer.host, "alice", &["--token", "t"]);
        let answer = rpc.call(&case.call, case.args);
        if case.rejects {
            assert_eq!(answer["error"]["kind"], "server", "{name}: {answer}");
        } else {
            assert_eq!(answer.get("result"), Some(&case.result), "{name}: {answer}");
        }
        let frames = peer.frames().into_iter();
        let work: Vec<Value> = frames
            .filter(|frame| frame[1] != "/session/renew")
            .map(without_key)
            .collect();
        assert_eq!(work, case.frames, "{name}");
    }
}

/// Returns the answer to a request that the case does not list.
fn unnamed(method: &str, path: &str) -> Value {
    if method == "POST" && path.ends_with("/messages") {
        json!({"id": "msg_1"})
    } else {
        json!({})
    }
}

/// Replaces the random key, because the vectors contain a placeholder.
fn without_key(mut frame: Value) -> Value {
    if let Some(key) = frame[2].get_mut("idempotencyKey") {
        assert_eq!(key.as_str().map(str::len), Some(20), "{key}");
        *key = json!("<20 characters>");
    }
    frame
}
