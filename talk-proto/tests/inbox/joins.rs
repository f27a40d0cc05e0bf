//! Conversations that come and go.

use talk_proto::filter::{SimpleFilter, StringFilter};

use super::bench::{Bench, beginning, with};
use crate::support::{conversation, seconds};

#[test]
fn joined_conversation_starts_at_the_join() {
    for options in [beginning(), with(|_| {})] {
        let mut bench = Bench::stored();
        bench.join("c1");
        bench.open(options);
        bench.act(|server| {
            for number in 0..150 {
                server.send("c2", Some("bob"), &format!("old {number}"));
            }
        });
        bench.join("c2");
        bench.post("c2", "new");
        assert_eq!(bench.texts(), ["new"]);
        bench.lose();
        bench.run_for(seconds(60));
        assert_eq!(bench.texts(), ["new"]);
    }
}

#[test]
fn history_on_join_delivers_earlier_messages() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.post("c1", "before");
    bench.open(with(|options| options.history_on_join = true));
    bench.act(|server| server.send("c2", Some("bob"), "old"));
    bench.join("c2");
    bench.post("c2", "new");
    assert_eq!(bench.texts(), ["old", "new"]);
}

#[test]
fn rejoin_skips_messages_in_between() {
    for is_connected in [true, false] {
        let mut bench = Bench::stored();
        bench.join("c1");
        bench.open(with(|_| {}));
        bench.post("c1", "a");
        if !is_connected {
            bench.lose();
        }
        bench.act(|server| {
            server.send("c1", Some("bob"), "b");
            server.leave("c1");
            server.send("c1", Some("bob"), "between");
            server.join("c1");
            server.send("c1", Some("bob"), "c");
        });
        bench.run_for(seconds(60));
        assert_eq!(bench.texts(), ["a", "c"], "{is_connected}");
    }
}

#[test]
fn conversation_left_during_the_walk_is_dropped() {
    let mut bench = Bench::stored();
    bench.act(|server| {
        server.join("c1");
        for number in 0..500 {
            server.send("c1", Some("bob"), &number.to_string());
        }
    });
    bench.open(with(|options| {
        options.start = talk_proto::inbox::InboxStart::Beginning;
        options.max_unacked = 1;
    }));
    assert_eq!(bench.texts(), ["0"]);
    bench.act(|server| server.leave("c1"));
    bench.ack(bench.delivery("0"));
    bench.run_for(seconds(1_300));
    assert_eq!(bench.texts(), ["0"]);
    bench.join("c1");
    bench.post("c1", "again");
    assert_eq!(bench.texts(), ["0", "again"]);
}

#[test]
fn conversation_that_is_gone_is_skipped() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
    }
    bench.open(with(|_| {}));
    bench.lose();
    bench.act(|server| {
        server.send("c1", Some("bob"), "a");
        server.send("c2", Some("bob"), "b");
        server.leave("c1");
    });
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["b"]);
}

#[test]
fn conversation_scope_ignores_others() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
        bench.post(room, "old");
    }
    let options = with(|options| options.conversation = Some(conversation("c1")));
    bench.open(options.clone());
    bench.post("c2", "other");
    bench.post("c1", "a");
    bench.lose();
    bench.post("c1", "b");
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["a", "b"]);
    assert_eq!(bench.requests("GET", "/me/conversations"), 0);
    bench.restart(options);
    assert_eq!(bench.texts(), ["a", "b"]);
}

#[test]
fn conversation_scope_of_an_unknown_one_waits_for_the_join() {
    let mut bench = Bench::stored();
    bench.open(with(|options| {
        options.conversation = Some(conversation("c1"));
    }));
    bench.act(|server| server.send("c1", Some("bob"), "old"));
    bench.join("c1");
    bench.post("c1", "a");
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn filter_is_judged_at_delivery_and_keeps_the_position() {
    let filter = SimpleFilter::new().subject(StringFilter::is("open"));
    let options = with(|options| options.filter = Some(filter.into()));
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.act(|server| server.set_subject("c1", "open"));
    bench.open(options.clone());
    bench.post("c1", "a");
    bench.ack(bench.delivery("a"));
    bench.act(|server| server.set_subject("c1", "closed"));
    bench.post("c1", "b");
    assert_eq!(bench.texts(), ["a"]);
    bench.act(|server| server.set_subject("c1", "open"));
    assert_eq!(bench.texts(), ["a", "b"], "at once");
    bench.ack(bench.delivery("b"));

    bench.act(|server| server.set_subject("c1", "closed"));
    bench.post("c1", "c");
    bench.run_for(seconds(1_300));
    bench.restart(options);
    assert_eq!(bench.texts(), [""; 0]);
    bench.lose();
    bench.act(|server| server.set_subject("c1", "open"));
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["c"], "it changed while offline");
}

#[test]
fn joined_conversation_without_messages_is_not_missed() {
    let mut bench = Bench::stored();
    bench.open(with(|_| {}));
    bench.join("c1");
    bench.run_for(seconds(1_300));
    assert_eq!(bench.session.counters().missed_inbox_events, 0);
}
