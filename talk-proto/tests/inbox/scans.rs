//! The list of conversations after losses, restarts, and missing events.

use super::bench::{Bench, size, with};
use crate::support::seconds;

#[test]
fn messages_during_a_loss_are_delivered() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
    }
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.lose();
    bench.post("c1", "b");
    bench.post("c2", "c");
    bench.join("c3");
    bench.post("c3", "d");
    bench.run_for(seconds(60));
    let mut texts = bench.texts();
    texts.sort();
    assert_eq!(texts, ["a", "b", "c", "d"]);
    assert_eq!(bench.session.counters().missed_inbox_events, 0);
}

#[test]
fn conversation_without_event_is_found_and_counted() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    let mut server = bench.server();
    server.now += 5_000;
    server.send("c1", Some("bob"), "silent");
    server.events.clear();
    drop(server);
    bench.run_for(seconds(599));
    assert_eq!(bench.texts(), [""; 0]);
    bench.run_for(seconds(2));
    assert_eq!(bench.texts(), ["silent"]);
    assert_eq!(bench.session.counters().missed_inbox_events, 1);
}

#[test]
fn scan_after_a_restart_starts_at_the_low_water_mark() {
    let mut bench = Bench::stored();
    bench.act(|server| {
        for number in 0..100 {
            server.join(&format!("idle{number}"));
            server.now += 10_000;
        }
        server.join("c1");
    });
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.run_for(seconds(1_300));
    bench.log.requests.clear();
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), ["a"], "it was not acknowledged");
    assert_eq!(bench.requests("GET", "/me/conversations"), 1);
    let read = bench
        .log
        .requests
        .iter()
        .filter(|it| it.path.contains("/idle"));
    assert_eq!(read.count(), 0);
}

#[test]
fn unacked_message_behind_the_mark_is_delivered_again() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
    }
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    for _ in 0..5 {
        bench.run_for(seconds(650));
        bench.post("c2", "later");
        let later = bench.deliveries().last().expect("a delivery").id;
        bench.ack(later);
    }
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), ["a"]);
    let mark = bench.store.with_prefix("inbox/bot")[0]["mark"].as_i64();
    let position = bench.store.with_prefix("inbox/bot/c1")[0].clone();
    assert!(mark > position["from"].as_i64(), "the mark has passed it");
    assert_eq!(position["behind"], true);
}

#[test]
fn many_conversations_after_a_week_offline_are_delivered() {
    let rooms = size(10_000, 2_000);
    let mut bench = Bench::stored();
    bench.act(|server| {
        for number in 0..rooms {
            server.join(&format!("c{number}"));
        }
    });
    bench.open(with(|_| {}));
    bench.crash();
    let week = seconds(7 * 24 * 60 * 60);
    bench.world.now = bench.now + week;
    bench.act(|server| {
        for number in 0..rooms {
            server.send(&format!("c{number}"), Some("bob"), &number.to_string());
        }
    });
    bench.open(with(|_| {}));
    assert_eq!(bench.ack_all(), rooms);
    assert_eq!(
        bench.requests("GET", "/me/conversations/c7"),
        0,
        "the list has it"
    );
}

#[test]
fn catch_up_reads_few_messages_twice() {
    // Every message at most 1.5 times, and at most 2.2 times in a long conversation.
    for (rooms, most) in [(40, 6_000), (1, 8_800)] {
        let mut bench = Bench::stored();
        bench.act(|server| {
            for number in 0..rooms {
                server.join(&format!("c{number}"));
            }
        });
        bench.open(with(|_| {}));
        bench.crash();
        bench.act(|server| {
            for number in 0..4_000 {
                let room = format!("c{}", number % rooms);
                server.send(&room, Some("bob"), &number.to_string());
            }
        });
        bench.log.requests.clear();
        bench.open(with(|_| {}));
        let mut handled = 0;
        while bench.deliveries().len() > handled {
            let deliveries = bench.deliveries();
            for delivery in &deliveries[handled..] {
                bench.ack(delivery.id);
            }
            handled = deliveries.len();
        }
        assert_eq!(handled, 4_000);
        let pages = bench.log.requests.iter();
        let pages = pages.filter(|it| it.path.ends_with("/messages"));
        let read: u64 = pages.filter_map(|it| it.data["limit"].as_u64()).sum();
        assert!(read <= most, "{rooms} rooms: {read} messages");
        assert!(bench.requests("GET", "/users") <= 2);
    }
}

#[test]
fn client_clock_that_is_hours_off_changes_nothing() {
    let mut bench = Bench::stored();
    bench.server().now += 6 * 60 * 60 * 1_000;
    bench.join("c1");
    bench.post("c1", "old");
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.ack(bench.delivery("a"));
    bench.restart(with(|_| {}));
    bench.post("c1", "b");
    assert_eq!(bench.texts(), ["b"]);
}

#[test]
fn planned_restart_of_the_server_loses_nothing() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.publish(&[serde_json::json!({"type": "upstream.restarting"})]);
    bench.lose();
    bench.post("c1", "a");
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["a"]);
}
