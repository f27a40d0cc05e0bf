//! Attempts after failures.

use talk_proto::outbox::{EntryAction, HeldReason, Stage};

use super::bench::Bench;
use crate::support::{Answer, seconds};

#[test]
fn failure_500_is_retried_with_growing_delays() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 500, 6);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    let start = bench.now;
    assert_eq!(*bench.stage(&entry), Stage::Queued, "it waits");
    bench.run_for(seconds(100));
    let times = bench.log.times_of("POST /conversations/c1/messages");
    let after: Vec<_> = times
        .iter()
        .map(|at| at.saturating_since(start).as_secs())
        .collect();
    assert_eq!(after, [0, 1, 3, 7, 15, 31, 61]);
    assert_eq!(bench.texts(), ["a"]);
    assert!(bench.keys().iter().all(|key| *key == entry.as_str()));
}

#[test]
fn failure_500_ten_times_in_10_minutes_holds() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 502, usize::MAX);
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(599));
    assert_eq!(bench.held(&entry), None);
    assert!(bench.keys().len() > 10);
    bench.run_for(seconds(60));
    assert!(matches!(bench.held(&entry), Some(HeldReason::Refused(error)) if error.status == 502));
    let tries = bench.keys().len();
    bench.run_for(seconds(600));
    assert_eq!(bench.keys().len(), tries);
}

#[test]
fn retry_ends_the_delay() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 500, 1);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::Retry));
    assert_eq!(bench.texts(), ["a"]);
    assert!(!bench.act(&entry, EntryAction::Retry), "it is sent");
}

#[test]
fn loss_in_flight_sends_the_same_key_again() {
    let mut bench = Bench::stored().connected();
    bench.posts.borrow_mut().is_silent = true;
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    bench.posts.borrow_mut().is_silent = false;
    bench.cut();
    bench.run();
    assert_eq!(*bench.stage(&entry), Stage::Queued);
    bench.run_for(seconds(10));
    assert_eq!(bench.keys(), [entry.as_str(), entry.as_str()]);
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn loss_before_the_frame_keeps_the_entry_editable() {
    let mut bench = Bench::stored().connected();
    bench.store.mode = crate::support::store::StoreMode::Waits;
    let entry = bench.enqueue("c1", "a");
    bench.run();
    bench.network = crate::support::Network::Refuse;
    bench.cut();
    bench.store.mode = crate::support::store::StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    assert_eq!(bench.entry(&entry).tries, 0);
    assert!(bench.act(&entry, EntryAction::Edit("b".into())));
    bench.network = crate::support::Network::Up(seconds(0));
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["b"]);
}

#[test]
fn unreadable_answer_is_retried() {
    let mut bench = Bench::stored().connected();
    bench
        .script
        .next
        .push_back(Answer::Reply(200, serde_json::json!({})));
    bench.enqueue("c1", "a");
    bench.run_for(seconds(2));
    assert_eq!(bench.texts(), ["a"]);
}
