//! The storage rules, each with a crash after every output.

use std::collections::BTreeSet;
use std::rc::Rc;

use talk_proto::outbox::{HeldReason, Stage};
use talk_proto::storage::StorageEvent;
use talk_proto::{Event, outbox::EntryAction};

use super::bench::Bench;
use crate::support::store::StoreMode;
use crate::support::{millis, seconds};

#[test]
fn rule_1_queued_is_durable_after_stored() {
    let mut bench = Bench::stored();
    bench.store.mode = StoreMode::Waits;
    let entry = bench.enqueue("c1", "a");
    bench.run();
    let reported = bench.reported(&entry);
    assert_eq!(
        reported.first(),
        Some(&("queued", false)),
        "visible at once"
    );
    assert!(!bench.entry(&entry).durable);
    bench.complete_batches(&Ok(()));
    assert!(bench.entry(&entry).durable);
    let reported = bench.reported(&entry);
    assert_eq!(reported.last(), Some(&("queued", true)));
}

#[test]
fn rule_2_no_frame_before_first_try_is_stored() {
    let mut bench = Bench::stored().connected();
    bench.store.mode = StoreMode::Waits;
    bench.enqueue("c1", "a");
    bench.run_for(seconds(5));
    assert!(bench.keys().is_empty());
    bench.complete_batches(&Ok(()));
    assert_eq!(
        bench.texts(),
        ["a"],
        "the entry and its attempt share a batch"
    );
}

#[test]
fn rule_2_crash_after_every_output_sends_only_recorded_keys() {
    for crash in 1..100 {
        let mut bench = Bench::stored().connected();
        let before = bench.outputs;
        bench.crash_after = Some(before + crash);
        bench.enqueue("c1", "a");
        bench.run_for(seconds(1));
        if !bench.has_crashed() {
            assert!(crash > 5, "the scenario has several outputs");
            return;
        }
        let stored = bench.store.with_prefix("outbox/");
        let recorded = |key: &String| {
            stored.iter().any(|record| {
                let is_tried = record["firstTry"].is_number() || record["message"].is_string();
                is_tried
                    && [&record["id"], &record["entry"]]
                        .iter()
                        .any(|id| *id == key)
            })
        };
        assert!(
            bench.keys().iter().all(recorded),
            "crash after {crash}: {stored:?}"
        );
    }
    panic!("the scenario does not end");
}

#[test]
fn rule_3_sent_entry_leaves_with_a_receipt() {
    let mut bench = Bench::stored().connected();
    bench.store.mode = StoreMode::Waits;
    let entry = bench.enqueue("c1", "a");
    bench.run();
    bench.complete_batches(&Ok(()));
    assert!(
        matches!(bench.stage(&entry), Stage::Sent { .. }),
        "the answer is not stored"
    );
    bench.complete_batches(&Ok(()));
    assert!(bench.session.outbox_entry(&entry).is_none());
    let receipt = bench.session.outbox_receipt(&entry).expect("a receipt");
    assert_eq!(receipt.message, "msg_1");
    assert!(bench.store.with_prefix("outbox/entry/").is_empty());
    assert_eq!(
        bench.store.with_prefix("outbox/receipt/")[0]["message"],
        "msg_1"
    );
    let removed = bench.log.events.iter().any(|(_, event)| match event {
        Event::EntryRemoved {
            entry: id,
            message: Some(message),
        } => *id == entry && *message == "msg_1",
        _ => false,
    });
    assert!(removed);
}

#[test]
fn rule_4_crash_after_every_output_posts_each_message_once() {
    let mut crash = 0;
    loop {
        crash += 1;
        let mut bench = Bench::stored();
        bench.crash_after = Some(crash);
        for (to, text) in [("c1", "a"), ("c2", "x"), ("c1", "b")] {
            bench.enqueue(to, text);
        }
        bench.run_for(seconds(1));
        if !bench.has_crashed() {
            bench.cut();
            bench.enqueue("c1", "c");
            bench.run_for(seconds(40));
        }
        let has_crashed = bench.has_crashed();
        if has_crashed {
            let durable: BTreeSet<_> = bench
                .session
                .outbox_entries()
                .filter(|entry| entry.durable)
                .map(|entry| entry.plaintext())
                .collect();
            bench.restart();
            bench.run_for(seconds(60));
            let texts = bench.texts();
            let lost: Vec<_> = durable
                .iter()
                .filter(|text| !texts.contains(text))
                .collect();
            assert!(
                lost.is_empty(),
                "crash after {crash}: {lost:?} of {texts:?}"
            );
        }
        assert_eq!(bench.unsent(), [""; 0], "crash after {crash}");
        let texts = bench.texts();
        let distinct: BTreeSet<_> = texts.iter().collect();
        assert_eq!(
            distinct.len(),
            texts.len(),
            "crash after {crash}: {texts:?}"
        );
        let in_c1: Vec<_> = texts.iter().filter(|text| *text != "x").collect();
        assert!(in_c1.is_sorted(), "crash after {crash}: {texts:?}");
        if !has_crashed {
            assert_eq!(texts.len(), 4);
            assert!(crash > 20, "the scenario has several outputs");
            return;
        }
    }
}

#[test]
fn rule_5_unstored_entry_is_never_sent() {
    let mut bench = Bench::stored().connected();
    bench.store.mode = StoreMode::Fails;
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(100));
    let reason = HeldReason::StoreFailed("disk full".into());
    assert_eq!(bench.held(&entry), Some(&reason));
    assert!(!bench.entry(&entry).durable);
    assert_eq!(bench.entry(&entry).tries, 0);
    assert!(bench.keys().is_empty());
    bench.store.mode = StoreMode::Stores;
    assert!(bench.act(&entry, EntryAction::Retry));
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn unstored_receipt_is_stored_later() {
    let mut bench = Bench::stored().connected();
    bench.store.mode = StoreMode::Waits;
    let entry = bench.enqueue("c1", "a");
    bench.run();
    bench.complete_batches(&Ok(()));
    bench.complete_batches(&Err("disk full".to_owned()));
    bench.store.mode = StoreMode::Stores;
    assert!(matches!(bench.stage(&entry), Stage::Sent { .. }));
    bench.run_for(seconds(2));
    assert!(bench.session.outbox_entry(&entry).is_none());
    assert_eq!(bench.store.with_prefix("outbox/receipt/").len(), 1);
    assert!(bench.store.with_prefix("outbox/entry/").is_empty());
}

#[test]
fn batch_unanswered_for_30_s_is_reported() {
    let mut bench = Bench::stored().connected();
    bench.store.mode = StoreMode::Waits;
    bench.enqueue("c1", "a");
    bench.run_for(seconds(31));
    let stalled = |(_, event): &&(_, Event)| matches!(event, Event::Storage(StorageEvent::Stalled));
    assert_eq!(bench.log.events.iter().filter(stalled).count(), 1);
    let request = bench.call(crate::support::send("c1", "not durable"));
    bench.run();
    assert!(bench.outcome(request).is_ok(), "sends need no storage");
    bench.complete_batches(&Ok(()));
    assert_eq!(bench.texts(), ["not durable", "a"]);
}

#[test]
fn record_of_unknown_version_is_kept_and_reported() {
    let mut bench = Bench::stored();
    let (newer, broken) = ("outbox/entry/newer", "outbox/receipt/broken");
    bench.store.insert(newer, r#"{"v":2,"secret":"x"}"#);
    bench.store.insert(broken, "{");
    bench.store.insert("cache/list", r#"{"v":9}"#);
    bench.restart();
    bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    assert_eq!(bench.texts(), ["a"]);
    let reported = bench
        .log
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Storage(event) => Some(event.clone()),
            _ => None,
        });
    let reported: Vec<_> = reported.collect();
    let newer = newer.to_owned();
    let broken = broken.to_owned();
    let expected = [
        StorageEvent::UnknownVersion { key: newer },
        StorageEvent::Unreadable { key: broken },
    ];
    assert_eq!(reported, expected);
    assert_eq!(bench.store.records().len(), 4, "none was dropped");
}

#[test]
fn shutdown_stores_waiting_changes() {
    let mut bench = Bench::stored();
    bench.enqueue("c1", "a");
    let now = bench.now;
    bench.session.shutdown(now);
    bench.drain();
    assert_eq!(bench.store.with_prefix("outbox/entry/").len(), 1);
    bench.restart();
    bench.run_for(seconds(1));
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn refused_entry_keeps_its_reason_if_its_record_fails() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 403, 1);
    bench.latency = seconds(1);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    bench.store.mode = StoreMode::Fails;
    bench.run_for(seconds(3));
    let is_refused = |reason: Option<&HeldReason>| matches!(reason, Some(HeldReason::Refused(_)));
    assert!(is_refused(bench.held(&entry)), "{:?}", bench.held(&entry));
    bench.store.mode = StoreMode::Stores;
    bench.run_for(seconds(60));
    bench.restart();
    assert!(is_refused(bench.held(&entry)), "the record is stored later");
}

#[test]
fn answers_of_sends_in_flight_share_one_write() {
    let mut bench = Bench::stored().connected();
    let conversations = ["c1", "c2", "c3"];
    for to in conversations.into_iter().chain(conversations) {
        bench.enqueue(to, "a");
    }
    bench.run();
    assert_eq!(bench.texts().len(), 6);
    // The entries, then twice the answers of all conversations.
    assert_eq!(bench.store.writes, 3);
}

#[test]
fn answer_waits_5_ms_for_those_of_other_sends() {
    let mut bench = bench_with_a_silent_send();
    assert_eq!(bench.texts(), ["a", "late"]);
    bench.run_for(millis(4));
    assert_eq!(bench.texts(), ["a", "late"], "the attempt is not stored");
    bench.run_for(millis(1));
    assert_eq!(bench.texts(), ["a", "late", "b"]);
}

#[test]
fn new_entry_is_stored_at_once_during_sends() {
    let mut bench = bench_with_a_silent_send();
    let new = bench.enqueue("c3", "new");
    bench.run();
    assert!(bench.entry(&new).durable);
    assert_eq!(bench.texts(), ["a", "late", "b", "new"]);
}

/// Returns a world with two entries in one conversation, of which the first one is answered, and
/// one in another whose answer is late.
fn bench_with_a_silent_send() -> Bench {
    let mut bench = Bench::stored().connected();
    let posts = Rc::clone(&bench.posts);
    bench.script.add(move |request| {
        let is_late = request.data["content"][0]["children"][0] == "late";
        posts.borrow_mut().is_silent = is_late;
        None
    });
    for (to, text) in [("c1", "a"), ("c1", "b"), ("c2", "late")] {
        bench.enqueue(to, text);
    }
    bench.run();
    bench
}
