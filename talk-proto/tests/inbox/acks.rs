//! Acknowledgements and their storage.

use std::collections::BTreeSet;

use super::bench::{Bench, beginning, with};
use crate::support::store::StoreMode;
use crate::support::{millis, seconds};

#[test]
fn ack_is_reported_after_stored() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.store.mode = StoreMode::Waits;
    let delivery = bench.delivery("a");
    assert!(bench.ack(delivery));
    assert!(!bench.ack(delivery), "it is acknowledged already");
    assert_eq!(bench.acked(), []);
    bench.complete_batches(&Err("disk full".to_owned()));
    assert_eq!(bench.acked(), [], "the write is repeated");
    bench.run_for(seconds(2));
    bench.complete_batches(&Ok(()));
    assert_eq!(bench.acked(), [delivery]);
}

#[test]
fn ack_in_memory_is_reported_at_once() {
    let mut bench = Bench::in_memory();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.ack(bench.delivery("a"));
    assert_eq!(bench.acked(), [bench.delivery("a")]);
}

#[test]
fn ack_out_of_order_is_kept_over_a_restart() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    for text in ["a", "b", "c", "d"] {
        bench.post("c1", text);
    }
    for text in ["b", "d"] {
        let delivery = bench.delivery(text);
        bench.ack(delivery);
        assert_eq!(bench.acked().last(), Some(&delivery));
    }
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), ["a", "c"]);
    bench.ack(bench.delivery("c"));
    bench.ack(bench.delivery("a"));
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), [""; 0]);
}

#[test]
fn unstored_acks_count_as_unacked() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2", "c3"] {
        bench.join(room);
    }
    bench.open(with(|options| options.max_unacked = 2));
    for room in ["c1", "c2", "c3"] {
        bench.post(room, room);
    }
    assert_eq!(bench.texts(), ["c1", "c2"]);
    bench.store.mode = StoreMode::Waits;
    bench.ack(bench.delivery("c1"));
    assert_eq!(bench.texts(), ["c1", "c2"]);
    bench.complete_batches(&Ok(()));
    assert_eq!(bench.texts(), ["c1", "c2", "c3"]);
}

#[test]
fn crash_after_every_output_loses_nothing() {
    for crash in 1.. {
        let mut bench = Bench::stored();
        for room in ["c1", "c2"] {
            bench.join(room);
        }
        bench.crash_after = Some(crash);
        let mut handled = BTreeSet::new();
        let mut acked = BTreeSet::new();
        bench.open(beginning());
        for number in 0..4 {
            let room = ["c1", "c2"][number % 2];
            bench.post(room, &format!("{room}/{number}"));
            handle(&mut bench, &mut handled, &mut acked);
        }
        bench.run_for(seconds(1));
        let has_crashed = bench.has_crashed();
        bench.restart(beginning());
        for delivery in bench.deliveries() {
            let text = delivery.message.plaintext();
            assert!(!acked.contains(&text), "crash {crash}: {text} was stored");
        }
        handle(&mut bench, &mut handled, &mut acked);
        assert_eq!(handled.len(), 4, "crash {crash}: {handled:?}");
        if !has_crashed {
            assert!(crash > 20, "the scenario has many outputs");
            return;
        }
    }
}

/// Acknowledges all deliveries.
fn handle(bench: &mut Bench, handled: &mut BTreeSet<String>, acked: &mut BTreeSet<String>) {
    for delivery in bench.deliveries() {
        if bench.has_crashed() {
            break;
        }
        handled.insert(delivery.message.plaintext());
        bench.ack(delivery.id);
    }
    let stored = bench.acked();
    for delivery in bench.deliveries() {
        if stored.contains(&delivery.id) {
            acked.insert(delivery.message.plaintext());
        }
    }
}

#[test]
fn ack_after_close_has_no_effect() {
    let mut bench = Bench::stored();
    bench.join("c1");
    let inbox = bench.open(with(|_| {}));
    bench.post("c1", "a");
    let now = bench.now;
    bench.session.close_inbox(now, inbox).expect("it is open");
    bench.run();
    assert!(!bench.ack(bench.delivery("a")));
    bench.log.events.clear();
    bench.open(with(|_| {}));
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn close_reports_pending_acks_first() {
    let mut bench = Bench::stored();
    bench.join("c1");
    let inbox = bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.store.mode = StoreMode::Waits;
    bench.ack(bench.delivery("a"));
    let now = bench.now;
    bench.session.close_inbox(now, inbox).expect("it is open");
    bench.run_for(millis(10));
    let count = bench.inbox_events().count();
    bench.complete_batches(&Ok(()));
    assert_eq!(bench.acked(), [bench.delivery("a")]);
    assert_eq!(bench.inbox_events().count(), count + 2);
}
