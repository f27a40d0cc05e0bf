//! The first messages of an inbox.

use talk_proto::Timestamp;
use talk_proto::inbox::{InboxEvent, InboxStart};

use super::bench::{Bench, beginning, with};
use crate::support::seconds;
use crate::support::store::StoreMode;

#[test]
fn start_now_delivers_later_messages() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.post("c1", "old");
    bench.open(with(|_| {}));
    assert_eq!(bench.texts(), [""; 0]);
    bench.post("c1", "new");
    assert_eq!(bench.texts(), ["new"], "at once");
    bench.run_for(seconds(3_600));
    assert_eq!(bench.texts(), ["new"]);
}

#[test]
fn start_beginning_delivers_all_messages() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
        for text in ["a", "b", "c"] {
            bench.post(room, &format!("{room}{text}"));
        }
    }
    bench.open(beginning());
    let mut texts = bench.texts();
    texts.sort();
    assert_eq!(texts, ["c1a", "c1b", "c1c", "c2a", "c2b", "c2c"]);
}

#[test]
fn start_at_includes_messages_of_that_time() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.post("c1", "a");
    bench.post("c1", "b");
    let at = Timestamp::from_millis(bench.server().now);
    bench.post("c1", "c");
    bench.open(with(|options| options.start = InboxStart::At(at)));
    assert_eq!(bench.texts(), ["b", "c"]);
}

#[test]
fn start_without_conversations_delivers_after_a_join() {
    let mut bench = Bench::stored();
    bench.open(with(|_| {}));
    bench.join("c1");
    bench.post("c1", "a");
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn start_is_stored_before_the_inbox_is_open() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.post("c1", "old");
    bench.store.mode = StoreMode::Waits;
    bench.open(with(|_| {}));
    bench.post("c1", "new");
    assert_eq!(bench.inbox_events().next(), None);
    bench.store.mode = StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    assert_eq!(bench.inbox_events().next(), Some(&InboxEvent::Opened));
    assert_eq!(bench.texts(), ["new"]);
}

#[test]
fn start_of_a_known_name_is_its_position() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.post("c1", "b");
    bench.ack(bench.delivery("a"));
    bench.crash();
    bench.post("c1", "c");
    bench.open(with(|_| {}));
    assert_eq!(bench.texts(), ["b", "c"]);
}

#[test]
fn reopened_inbox_in_memory_continues() {
    let mut bench = Bench::in_memory();
    bench.join("c1");
    let inbox = bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.post("c1", "b");
    bench.ack(bench.delivery("a"));
    let now = bench.now;
    assert_eq!(bench.session.close_inbox(now, inbox), Ok(true));
    bench.run();
    let ended = InboxEvent::Ended { error: None };
    assert!(bench.inbox_events().any(|event| *event == ended));
    bench.post("c1", "c");
    bench.log.events.clear();
    bench.open(with(|_| {}));
    assert_eq!(bench.texts(), ["b", "c"]);
}

#[test]
fn two_inboxes_are_independent() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    let now = bench.now;
    let other = bench.session.open_inbox(now, "other/bot", with(|_| {}));
    let other = other.expect("another name");
    bench.invariants.inboxes.accepted(other, 256);
    bench.run();
    bench.post("c1", "a");
    assert_eq!(bench.texts(), ["a", "a"]);
    let keys = bench.store.records().into_iter().map(|record| record.key);
    let keys: Vec<_> = keys.collect();
    let runs = ["inbox-run/bot", "inbox-run/other%2Fbot"];
    assert_eq!(keys[..2], runs);
    assert_eq!(keys[2..], ["inbox/bot", "inbox/other%2Fbot"]);
}

#[test]
fn reopened_inbox_stores_unacked_positions() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
    }
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.run_for(seconds(300));
    bench.post("c2", "b");
    bench.close_inbox();
    bench.open(with(|_| {}));
    bench.run_for(seconds(1_200));
    bench.restart(with(|_| {}));
    bench.run_for(seconds(1_200));
    let mut texts = bench.texts();
    texts.sort();
    assert_eq!(texts, ["a", "b"]);
}
