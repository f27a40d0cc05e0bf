//! Messages that were out at several unclean ends.

use super::bench::{Bench, with};
use crate::support::seconds;
use crate::support::store::StoreMode;

/// Returns a bench with three rooms, whose process has crashed `ends` times while these messages
/// were out: `bad` and `next` in c1, and `other` in c2.
fn crashed(ends: usize, pause: u64) -> Bench {
    let mut bench = Bench::stored();
    for room in ["c1", "c2", "c3"] {
        bench.join(room);
    }
    bench.open(with(|_| {}));
    for (room, text) in [("c1", "bad"), ("c1", "next"), ("c2", "other")] {
        bench.post(room, text);
    }
    for end in 0..ends {
        assert_eq!(bench.texts().len(), 3, "end {end}");
        bench.run_for(seconds(pause));
        bench.restart(with(|_| {}));
    }
    bench
}

#[test]
fn message_out_at_three_ends_is_delivered_alone() {
    let mut bench = crashed(3, 5);
    assert_eq!(bench.texts(), ["bad"]);
    bench.run_for(seconds(30));
    bench.post("c3", "new");
    assert_eq!(bench.texts(), ["bad"], "others wait");
    bench.ack(bench.delivery("bad"));
    assert_eq!(bench.texts(), ["bad", "new"], "the new one is no suspect");
    bench.ack(bench.delivery("new"));
    let mut others = Vec::new();
    for _ in 0..2 {
        bench.run_for(seconds(10));
        others.extend(bench.texts().pop());
        bench.ack(bench.delivery(&others[others.len() - 1]));
    }
    others.sort_unstable();
    assert_eq!(others, ["next", "other"], "one after the other");
    assert_eq!(bench.deliveries().len(), 4);
}

#[test]
fn message_out_at_two_ends_is_delivered_with_others() {
    let bench = crashed(2, 5);
    assert_eq!(bench.texts().len(), 3);
}

#[test]
fn ends_over_more_than_a_minute_make_no_suspect() {
    let bench = crashed(4, 31);
    assert_eq!(bench.texts().len(), 3);
}

#[test]
fn suspect_comes_after_the_messages_of_others() {
    let mut bench = crashed(2, 5);
    bench.ack(bench.delivery("other"));
    bench.ack(bench.delivery("next"));
    bench.crash();
    bench.act(|server| server.send("c2", Some("bob"), "a"));
    bench.open(with(|_| {}));
    assert_eq!(bench.texts(), ["a"]);
    bench.ack(bench.delivery("a"));
    assert_eq!(bench.texts(), ["a", "bad"]);
    // The suspect ends the process again, and the others do not wait for it.
    bench.crash();
    bench.act(|server| server.send("c3", Some("bob"), "b"));
    bench.open(with(|_| {}));
    assert_eq!(bench.texts(), ["b"]);
    bench.ack(bench.delivery("b"));
    bench.ack(bench.delivery("bad"));
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), [""; 0]);
}

#[test]
fn suspect_is_delivered_despite_traffic() {
    let mut bench = crashed(2, 5);
    bench.ack(bench.delivery("other"));
    bench.ack(bench.delivery("next"));
    bench.crash();
    bench.act(|server| server.send("c2", Some("bob"), "0"));
    bench.open(with(|_| {}));
    // A message is always out.
    let mut number = 0;
    while !bench.texts().contains(&"bad".to_owned()) {
        assert!(number < 100, "the suspect starves");
        bench.run_for(seconds(1));
        bench.post("c2", &(number + 1).to_string());
        bench.ack(bench.delivery(&number.to_string()));
        number += 1;
    }
    assert!(number > 20, "others come first");
    bench.ack(bench.delivery("bad"));
    assert_eq!(bench.texts().pop(), Some(number.to_string()));
}

#[test]
fn isolation_ends_after_a_minute() {
    let mut bench = crashed(3, 5);
    bench.post("c3", "new");
    bench.run_for(seconds(59));
    assert_eq!(bench.texts(), ["bad"]);
    bench.run_for(seconds(2));
    let mut texts = bench.texts();
    texts.sort_unstable();
    assert_eq!(texts, ["bad", "new", "next", "other"]);
    // Another end isolates the messages that are still out.
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), ["new"]);
    bench.ack(bench.delivery("new"));
    assert_eq!(bench.texts(), ["new", "bad"]);
}

#[test]
fn isolation_ends_while_another_message_is_out() {
    let mut bench = crashed(2, 5);
    bench.crash();
    bench.act(|server| server.send("c3", Some("bob"), "hung"));
    bench.open(with(|_| {}));
    bench.run_for(seconds(59));
    assert_eq!(bench.texts(), ["hung"], "the suspects wait");
    bench.run_for(seconds(2));
    assert_eq!(bench.texts().len(), 4);
}

#[test]
fn suspect_that_ends_each_run_does_not_starve_others() {
    let mut bench = crashed(3, 5);
    assert_eq!(bench.texts(), ["bad"]);
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), ["other"], "it was out at fewer ends");
    bench.ack(bench.delivery("other"));
    assert_eq!(bench.texts(), ["other", "bad"]);
}

#[test]
fn delivery_after_an_unclean_end_is_recorded_first() {
    for result in [Ok(()), Err("disk full".to_owned())] {
        let mut bench = crashed(1, 5);
        bench.crash();
        bench.store.mode = StoreMode::Waits;
        bench.open(with(|_| {}));
        bench.complete_batches(&Ok(()));
        assert_eq!(bench.texts(), [""; 0], "the handler may end the process");
        bench.store.mode = StoreMode::Stores;
        bench.complete_batches(&result);
        assert_eq!(bench.texts().len(), 3);
    }
}

#[test]
fn clean_end_makes_no_suspect() {
    let mut bench = crashed(0, 0);
    for _ in 0..5 {
        bench.close_inbox();
        bench.crash();
        bench.open(with(|_| {}));
        assert_eq!(bench.texts().len(), 3);
        let now = bench.now;
        bench.session.shutdown(now);
        bench.drain();
        bench.crash();
        bench.open(with(|_| {}));
        assert_eq!(bench.texts().len(), 3);
    }
    bench.close_inbox();
    assert!(bench.store.with_prefix("inbox-run/").is_empty());
}

#[test]
fn first_run_stores_no_deliveries() {
    let bench = crashed(0, 0);
    assert!(bench.store.with_prefix("inbox-run/bot/").is_empty());
}

#[test]
fn message_deleted_while_its_record_waits_is_not_delivered() {
    let mut bench = crashed(1, 5);
    bench.store.mode = StoreMode::Waits;
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), [""; 0]);
    bench.act(|server| {
        let id = server.rooms["c1"].posts[0].id.clone();
        server.delete("c1", &id);
    });
    bench.run_for(seconds(15));
    bench.store.mode = StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    bench.run_published();
    let mut texts = bench.texts();
    texts.sort_unstable();
    assert_eq!(texts, ["next", "other"]);
}
