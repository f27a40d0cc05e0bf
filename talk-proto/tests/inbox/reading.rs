//! The order and the choice of messages.

use talk_proto::Event;
use talk_proto::inbox::InboxEvent;

use super::bench::{Bench, beginning, with};
use crate::support::{Answer, seconds};

/// Returns the numbers of all messages in their order.
fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

/// Acknowledges until nothing is delivered any more.
fn handle_all(bench: &mut Bench) {
    let mut handled = 0;
    loop {
        bench.run_for(seconds(1));
        let deliveries = bench.deliveries();
        if deliveries.len() == handled {
            return;
        }
        for delivery in &deliveries[handled..] {
            bench.ack(delivery.id);
        }
        handled = deliveries.len();
    }
}

fn fill(bench: &mut Bench, room: &str, count: usize) {
    bench.act(|server| {
        server.join(room);
        for number in numbers(count) {
            server.send(room, Some("bob"), &number);
        }
    });
}

#[test]
fn backlog_is_delivered_oldest_first() {
    let mut bench = Bench::stored();
    fill(&mut bench, "c1", 1_234);
    bench.open(beginning());
    handle_all(&mut bench);
    assert_eq!(bench.texts(), numbers(1_234));
    let pages = bench.requests("GET", "/c1/messages");
    assert!(pages <= 28, "{pages} pages for 13 pages of messages");
}

#[test]
fn backlog_of_one_page_is_read_twice_at_most() {
    let mut bench = Bench::stored();
    fill(&mut bench, "c1", 250);
    bench.open(with(|_| {}));
    bench.crash();
    bench.act(|server| {
        for number in numbers(100) {
            server.send("c1", Some("bob"), &number);
        }
    });
    bench.log.requests.clear();
    bench.open(with(|_| {}));
    handle_all(&mut bench);
    assert_eq!(bench.texts(), numbers(100));
    assert_eq!(bench.requests("GET", "/c1/messages"), 2);
}

#[test]
fn refused_cursor_restarts_the_walk() {
    let mut bench = Bench::stored();
    fill(&mut bench, "c1", 450);
    bench.server().refused_cursors = 3;
    bench.open(beginning());
    bench.run_for(seconds(200));
    handle_all(&mut bench);
    assert_eq!(bench.texts(), numbers(450));
}

#[test]
fn messages_during_the_walk_follow_in_order() {
    let mut bench = Bench::stored();
    fill(&mut bench, "c1", 300);
    bench.latency = crate::support::millis(50);
    bench.open(beginning());
    for number in 300..330 {
        bench.post("c1", &number.to_string());
        bench.run_for(crate::support::millis(20));
    }
    handle_all(&mut bench);
    assert_eq!(bench.texts(), numbers(330));
}

#[test]
fn own_and_system_messages_are_delivered_on_request() {
    for (own, system, expected) in [
        (false, false, vec!["b"]),
        (true, false, vec!["a", "b"]),
        (false, true, vec!["s", "b"]),
        (true, true, vec!["a", "s", "b"]),
    ] {
        let mut bench = Bench::stored();
        bench.join("c1");
        bench.open(with(|options| {
            options.own = own;
            options.system = system;
        }));
        bench.act(|server| server.send("c1", Some("alice"), "a"));
        bench.act(|server| server.send("c1", None, "s"));
        bench.post("c1", "b");
        assert_eq!(bench.texts(), expected);
    }
}

#[test]
fn own_message_costs_no_read() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.post("c1", "a");
    bench.open(with(|_| {}));
    bench.log.requests.clear();
    bench.act(|server| server.send("c1", Some("alice"), "b"));
    bench.run_for(seconds(500));
    let reads = |bench: &Bench| {
        let requests = bench.log.requests.iter();
        let reads = requests.filter(|it| it.method == "GET" && it.path.contains("/c1"));
        reads.count()
    };
    assert_eq!(reads(&bench), 0);
    bench.run_for(seconds(1_300));
    assert_eq!(reads(&bench), 1, "the regular scan trusts no event");
    assert_eq!(bench.session.counters().missed_inbox_events, 0);
}

#[test]
fn message_of_an_unsubscribed_conversation_costs_one_page() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|options| options.max_subscribed = 0));
    bench.post("c1", "a");
    bench.log.requests.clear();
    bench.post("c1", "b");
    assert_eq!(bench.texts(), ["a", "b"]);
    assert_eq!(bench.requests("GET", "/c1/messages"), 1);
    assert_eq!(bench.requests("GET", "/me/conversations/c1"), 0);
    assert_eq!(bench.requests("SUBSCRIBE", "/c1/messages"), 0);
}

#[test]
fn sender_is_read_once_a_minute() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    for (text, reads) in [("a", 1), ("b", 1), ("c", 2), ("d", 2)] {
        bench.post("c1", text);
        assert_eq!(bench.requests("GET", "/users"), reads, "{text}");
        bench.run_for(seconds(35));
    }
    assert_eq!(bench.texts(), ["a", "b", "c", "d"]);
}

#[test]
fn equal_times_are_delivered_each() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    let at = bench.server().tick();
    for text in ["a", "b", "c"] {
        bench.act(|server| server.send_at("c1", Some("bob"), text, at));
    }
    assert_eq!(bench.texts(), ["a", "b", "c"]);
    bench.ack(bench.delivery("b"));
    bench.crash();
    bench.act(|server| server.send_at("c1", Some("bob"), "d", at));
    bench.open(with(|_| {}));
    assert_eq!(bench.texts(), ["a", "c", "d"]);
    bench.lose();
    bench.act(|server| server.send_at("c1", Some("bob"), "e", at));
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["a", "c", "d", "e"]);
}

#[test]
fn back_dated_message_is_not_delivered() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    let at = bench.server().now - 1;
    bench.act(|server| server.send_at("c1", Some("bob"), "imported", at));
    bench.post("c1", "b");
    bench.run_for(seconds(1_300));
    assert_eq!(bench.texts(), ["a", "b"]);
}

#[test]
fn message_deleted_before_its_delivery_is_skipped() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|options| options.max_unacked = 1));
    let deleted = bench.act(|server| {
        server.send("c1", Some("bob"), "a");
        let deleted = server.send("c1", Some("bob"), "b");
        server.send("c1", Some("bob"), "c");
        deleted
    });
    assert_eq!(bench.texts(), ["a"]);
    bench.act(|server| server.delete("c1", &deleted));
    bench.run_for(seconds(20));
    bench.ack(bench.delivery("a"));
    assert_eq!(bench.texts(), ["a", "c"]);
}

#[test]
fn message_deleted_between_event_and_page_is_skipped() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.act(|server| {
        let deleted = server.send("c1", Some("bob"), "a");
        server.delete("c1", &deleted);
    });
    assert_eq!(bench.texts(), [""; 0]);
    bench.post("c1", "b");
    assert_eq!(bench.texts(), ["b"]);
}

#[test]
fn delivery_has_its_sender_and_quote() {
    let mut bench = Bench::stored();
    bench.join("c1");
    let quoted = bench.post("c1", "a");
    bench.open(with(|_| {}));
    bench.act(|server| {
        server.send("c1", Some("carol"), "b");
        let posts = &mut server.rooms.get_mut("c1").expect("the room").posts;
        posts.last_mut().expect("the message").quotes = Some(quoted);
    });
    let delivery = &bench.deliveries()[0];
    assert_eq!(delivery.conversation.id, "c1");
    let sender = delivery.message.sender.as_ref().expect("a sender");
    assert_eq!(sender.id, "carol");
    let quote = delivery.message.referenced_message.as_ref();
    assert_eq!(quote.expect("a quote").plaintext(), "a");
}

/// Returns the texts of the deliveries, each with that of the last message of its conversation.
fn last_messages(bench: &Bench) -> Vec<(String, String)> {
    let deliveries = bench.deliveries();
    let texts = deliveries.iter().map(|delivery| {
        let last = delivery.conversation.last_message.as_ref();
        let last = last.expect("a last message");
        assert_eq!(last.sender.as_ref().expect("a sender").id, "bob");
        assert!(last.created_at <= delivery.conversation.last_message_at);
        (delivery.message.plaintext(), last.plaintext())
    });
    texts.collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = of.iter();
    pairs
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn delivery_has_the_newest_known_message_as_last() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.act(|server| {
        for text in ["b", "c", "d"] {
            server.send("c1", Some("bob"), text);
        }
    });
    bench.run_for(seconds(70));
    bench.post("c1", "e");
    let expected = [("a", "a"), ("b", "d"), ("c", "d"), ("d", "d"), ("e", "e")];
    assert_eq!(last_messages(&bench), pairs(&expected));
}

#[test]
fn delivery_follows_deletion_of_the_last_message() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|options| options.max_unacked = 1));
    bench.post("c1", "a");
    let deleted = bench.act(|server| {
        server.send("c1", Some("bob"), "b");
        server.send("c1", Some("bob"), "c")
    });
    bench.act(|server| server.delete("c1", &deleted));
    bench.ack(bench.delivery("a"));
    bench.run_for(seconds(20));
    assert_eq!(last_messages(&bench), pairs(&[("a", "a"), ("b", "b")]));
}

#[test]
fn loss_during_the_walk_repeats_nothing() {
    for cut in 1..40 {
        let mut bench = Bench::stored();
        fill(&mut bench, "c1", 260);
        bench.latency = crate::support::millis(10);
        bench.open(beginning());
        bench.run_for(crate::support::millis(cut * 5));
        bench.lose();
        bench.run_for(seconds(60));
        handle_all(&mut bench);
        assert_eq!(bench.texts(), numbers(260), "cut {cut}");
    }
}

#[test]
fn failed_read_is_repeated() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    let mut failures = 1;
    bench.script.add(move |request| {
        let is_page = request.method == "GET" && request.path.ends_with("/c1/messages");
        if !is_page || failures == 0 {
            return None;
        }
        failures -= 1;
        Some(Answer::refuse(400, "ODD"))
    });
    bench.post("c1", "a");
    assert_eq!(bench.texts(), [""; 0]);
    bench.run_for(seconds(31));
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn unreadable_message_is_skipped_alone() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.script.add(|request| {
        let is_page = request.method == "GET" && request.path.ends_with("/c1/messages");
        is_page.then(|| {
            let message = |id: &str, at: i64| {
                serde_json::json!({"id": id, "type": "UserMessage", "senderId": "bob",
                    "createdAt": at, "content": [{"type": "text", "children": [id]}]})
            };
            let at = crate::support::START.as_millis() + 1_000;
            let data = [message("c", at + 2), serde_json::json!(7), message("a", at)];
            Answer::Reply(200, serde_json::json!({"data": data, "cursor": null}))
        })
    });
    bench.post("c1", "any");
    assert_eq!(bench.texts(), ["a", "c"]);
    let is_warning = |(_, event): &(_, Event)| matches!(event, Event::Warning(_));
    assert!(bench.log.events.iter().any(is_warning));
    let opened = bench.inbox_events().filter(|it| **it == InboxEvent::Opened);
    assert_eq!(opened.count(), 1);
}
