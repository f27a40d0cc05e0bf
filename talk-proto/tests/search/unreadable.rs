//! Results with unreadable members. Their neighbours stay, and so do their readable members.

use serde_json::{Value, json};
use talk_proto::{Event, ProtocolWarning, Reply, search::SearchResults};

use super::bench::{Bench, ids, message, side};
use crate::support::Answer;

/// Answers the pending page with the raw result between two readable ones. Returns the results
/// and the number of damaged items.
fn found(bench: &mut Bench, before: &Value, raw: &str, after: &Value) -> (SearchResults, usize) {
    let request = bench.query("text");
    let body = format!("{{\"data\":[\n{before}\n,{raw}\n,{after}\n]}}");
    let http = bench.http();
    bench.world.http_answer(http, 200, &body);
    let Ok(Reply::Searched { results, .. }) = bench.world.outcome(request) else {
        panic!("{raw}: {:?}", bench.world.outcome(request));
    };
    let warnings = bench.world.log.events.iter();
    let counts = warnings.filter_map(|(_, event)| match event {
        Event::Warning(ProtocolWarning::Items { count }) => Some(*count),
        _ => None,
    });
    (results.clone(), counts.sum())
}

/// Returns the message `m2` with a member replaced by raw JSON.
fn with(member: &str, raw: &str) -> String {
    let mut message = message("m2", "c1");
    message[member] = json!("RAW");
    message.to_string().replace("\"RAW\"", raw)
}

#[test]
fn message_unreadable_member_keeps_the_result() {
    let deep = format!("[{{\"type\":{}{}}}]", "[".repeat(200), "]".repeat(200));
    for (member, raw, damaged) in [
        ("content", r#"[{"type":"text","children":["\ud83d"]}]"#, 0),
        ("custom", r#"{"\udc4d":"\ud83d"}"#, 0),
        ("extra", r#""\ud83d""#, 0),
        ("content", "null", 1),
        ("content", &deep, 1),
        ("custom", "[]", 1),
        ("senderId", "5", 1),
        ("reactions", "[7]", 1),
    ] {
        let mut bench = Bench::messages();
        let raw = with(member, raw);
        let (results, count) = found(&mut bench, &message("m3", "c1"), &raw, &message("m1", "c2"));
        assert_eq!(ids(&results), ["m3", "m2", "m1"], "{raw}");
        assert_eq!(count, damaged, "{raw}");
    }
}

#[test]
fn message_half_an_emoji_is_replaced() {
    let mut bench = Bench::messages();
    let raw = with("content", r#"[{"type":"text","children":["a\ud83d"]}]"#);
    let (results, _) = found(&mut bench, &message("m3", "c1"), &raw, &message("m1", "c2"));
    let results = serde_json::to_value(results).unwrap();
    assert_eq!(results[1]["message"]["plaintext"], "a\u{fffd}");
}

#[test]
fn message_unreadable_identity_is_skipped() {
    for raw in [
        &with("id", "5"),
        &with("id", "null"),
        &with("conversationId", "5"),
        &with("createdAt", "[]"),
        &with("custom", "NaN"),
        "{}",
        "null",
        "garbage",
    ] {
        let mut bench = Bench::messages();
        let (results, count) = found(&mut bench, &message("m3", "c1"), raw, &message("m1", "c2"));
        assert_eq!(ids(&results), ["m3", "m1"], "{raw}");
        assert_eq!(count, 1, "{raw}");
    }
}

#[test]
fn conversation_unreadable_member_keeps_the_result() {
    let deep = format!(
        r#"{{"id":"c2","custom":{}{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    for (raw, expected, damaged) in [
        (
            r#"{"id":"c2","subject":"\ud83d"}"#,
            &["c3", "c2", "c1"][..],
            0,
        ),
        (r#"{"\ud83d":1,"id":"c2"}"#, &["c3", "c2", "c1"], 0),
        (
            r#"{"id":"c2","custom":[],"createdAt":null}"#,
            &["c3", "c2", "c1"],
            0,
        ),
        (&deep, &["c3", "c2", "c1"], 0),
        (r#"{"id":5}"#, &["c3", "c1"], 1),
        ("[]", &["c3", "c1"], 1),
    ] {
        let mut bench = Bench::conversations();
        let (results, count) = found(&mut bench, &side("c3"), raw, &side("c1"));
        assert_eq!(ids(&results), expected, "{raw}");
        assert_eq!(count, damaged, "{raw}");
    }
}

#[test]
fn conversation_unreadable_lookup_is_skipped() {
    let mut bench = Bench::conversations();
    bench.world.script.add(|request| {
        let is_second = request.line() == "GET /me/conversations/c2";
        is_second.then(|| Answer::Reply(200, json!({"id": 5})))
    });
    let raw = side("c2").to_string();
    let (results, count) = found(&mut bench, &side("c3"), &raw, &side("c1"));
    assert_eq!(ids(&results), ["c3", "c1"]);
    assert_eq!(count, 1);

    let mut bench = Bench::messages();
    bench.world.script.add(|request| {
        let is_second = request.line() == "GET /me/conversations/c2";
        is_second.then(|| Answer::Reply(200, json!([])))
    });
    let raw = message("m2", "c2").to_string();
    let (results, _) = found(&mut bench, &message("m3", "c1"), &raw, &message("m1", "c1"));
    assert_eq!(ids(&results), ["m3", "m1"]);
}
