//! The order of entries, and entries that block others.

use talk_proto::outbox::{Enqueue, EntryAction, HeldReason, OnRefusal};

use super::bench::Bench;
use crate::support::store::StoreMode;
use crate::support::{Answer, conversation, seconds};

#[test]
fn conversation_has_one_entry_in_flight() {
    let mut bench = Bench::stored().connected();
    bench.latency = seconds(1);
    for (to, text) in [("c1", "a"), ("c1", "b"), ("c2", "x")] {
        bench.enqueue(to, text);
    }
    bench.run();
    assert_eq!(bench.texts(), ["a", "x"], "conversations are independent");
    bench.run_for(seconds(1));
    assert_eq!(bench.texts(), ["a", "x", "b"]);
}

#[test]
fn order_survives_429_and_loss() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 429, 3);
    for text in ["a", "b", "c"] {
        bench.enqueue("c1", text);
    }
    bench.run();
    bench.cut();
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["a", "b", "c"]);
}

#[test]
fn retried_entry_names_the_held_head() {
    let mut bench = Bench::stored().connected();
    bench.store.mode = StoreMode::Fails;
    let a = bench.enqueue("c1", "a");
    let b = bench.enqueue("c1", "b");
    bench.run();
    bench.store.mode = StoreMode::Stores;
    assert!(bench.held(&a).is_some() && bench.held(&b).is_some());
    assert!(bench.act(&b, EntryAction::Retry));
    assert_eq!(bench.entry(&b).blocked_by, Some(a.clone()));
    assert!(bench.act(&a, EntryAction::Retry));
    bench.run();
    assert_eq!(bench.texts(), ["a", "b"]);
}

#[test]
fn refused_head_blocks_its_conversation() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 403, 1);
    let a = bench.enqueue("c1", "a");
    let b = bench.enqueue("c1", "b");
    bench.enqueue("c2", "x");
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["x"]);
    assert!(matches!(bench.held(&a), Some(HeldReason::Refused(error)) if error.status == 403));
    assert_eq!(bench.entry(&b).blocked_by, Some(a.clone()));
    let late = bench.enqueue("c1", "late");
    bench.run();
    assert_eq!(bench.entry(&late).blocked_by, Some(a.clone()));
    bench.restart();
    assert_eq!(
        bench.entry(&b).blocked_by,
        Some(a.clone()),
        "after a restart"
    );
    assert!(matches!(bench.held(&a), Some(HeldReason::Refused(error)) if error.status == 403));
    assert!(bench.act(&a, EntryAction::Discard));
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["x", "b", "late"]);
}

#[test]
fn refusal_debug_hides_the_text_after_a_restart() {
    let mut bench = Bench::stored().connected();
    bench.script.add(|request| {
        let answer = serde_json::json!({"errorCode": "NO", "reasons": ["not 'confidential'"]});
        (request.method == "POST" && request.path.ends_with("/messages"))
            .then_some(Answer::Reply(403, answer))
    });
    let entry = bench.enqueue("c1", "confidential");
    bench.run();
    bench.restart();
    let debug = format!("{:?}", bench.held(&entry));
    assert!(
        debug.contains("NO") && !debug.contains("confidential"),
        "{debug}"
    );
}

#[test]
fn refused_entry_skipped_blocks_nothing() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 403, 1);
    let a = bench.enqueue("c1", Enqueue::from("a").on_refusal(OnRefusal::Skip));
    let reply = Enqueue::from("reply").reply_to_entry(a.clone());
    bench.enqueue("c1", "b");
    let reply = bench.enqueue("c1", reply);
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["b"]);
    assert_eq!(
        bench.entry(&reply).blocked_by,
        Some(a.clone()),
        "it needs the message"
    );
    assert!(bench.act(&a, EntryAction::Retry));
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["b", "a", "reply"]);
}

#[test]
fn paused_conversation_sends_nothing_until_resumed() {
    let mut bench = Bench::stored().connected();
    let now = bench.now;
    let paused = bench.session.pause_conversation(now, conversation("c1"));
    paused.expect("there is an outbox");
    bench.enqueue("c1", "a");
    bench.enqueue("c2", "x");
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["x"]);
    let now = bench.now;
    let resumed = bench.session.resume_conversation(now, conversation("c1"));
    resumed.expect("there is an outbox");
    bench.run();
    assert_eq!(bench.texts(), ["x", "a"]);
}

#[test]
fn retry_all_sends_all_held_entries() {
    let mut bench = Bench::stored().connected();
    for (to, text) in [("c1", "a"), ("c2", "b")] {
        bench.refuse(text, 403, 1);
        bench.enqueue(to, text);
    }
    bench.run_for(seconds(1));
    assert!(bench.texts().is_empty());
    let now = bench.now;
    bench.session.retry_all(now).expect("there is an outbox");
    bench.run();
    assert_eq!(bench.texts(), ["a", "b"]);
}
