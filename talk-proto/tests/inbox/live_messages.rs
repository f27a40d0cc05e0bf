//! Messages of subscribed conversations, which arrive with their events.

use talk_proto::Topic;
use talk_proto::inbox::InboxOptions;

use super::bench::{Bench, with};
use crate::support::{Answer, conversation, seconds};

/// Returns a bench with a subscribed conversation and a delivered message.
fn subscribed(set: impl FnOnce(&mut InboxOptions)) -> Bench {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(set));
    bench.post("c1", "first");
    assert_eq!(bench.requests("SUBSCRIBE", "/c1/messages"), 1);
    bench.log.requests.clear();
    bench
}

fn reads(bench: &Bench) -> usize {
    let requests = bench.log.requests.iter();
    let reads = requests.filter(|it| it.method == "GET" && it.path.contains("/c1"));
    reads.count()
}

#[test]
fn message_of_a_subscribed_conversation_costs_no_read() {
    let mut bench = subscribed(|_| {});
    let texts: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    for text in &texts {
        bench.post("c1", text);
        bench.ack(bench.delivery(text));
    }
    assert_eq!(bench.texts()[1..], texts);
    assert_eq!(reads(&bench), 0);
    bench.run_for(seconds(1_300));
    assert_eq!(bench.session.counters().missed_inbox_events, 0);
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), ["first"]);
}

#[test]
fn own_message_in_a_subscribed_conversation_costs_no_read() {
    for own in [false, true] {
        let mut bench = subscribed(|options| options.own = own);
        bench.act(|server| server.send("c1", Some("alice"), "own"));
        bench.post("c1", "b");
        let texts: &[&str] = match own {
            true => &["first", "own", "b"],
            false => &["first", "b"],
        };
        assert_eq!(bench.texts(), texts);
        assert_eq!(reads(&bench), 0);
    }
}

#[test]
fn message_without_its_event_is_read() {
    let mut bench = subscribed(|_| {});
    bench.server().hides_messages = true;
    bench.post("c1", "a");
    bench.run_for(seconds(6));
    assert_eq!(bench.texts(), ["first", "a"]);
    bench.server().hides_messages = false;
    bench.post("c1", "b");
    assert_eq!(bench.texts(), ["first", "a", "b"]);
    assert_eq!(reads(&bench), 1);
}

#[test]
fn missing_message_is_read_after_a_loss() {
    let mut bench = subscribed(|_| {});
    bench.server().hides_messages = true;
    bench.post("c1", "a");
    bench.lose();
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["first", "a"]);
}

#[test]
fn evicted_conversation_loses_nothing() {
    let mut bench = Bench::stored();
    for room in 0..120 {
        bench.join(&format!("c{room}"));
    }
    bench.open(with(|options| options.max_subscribed = 3));
    let mut expected = Vec::new();
    for round in 0..3 {
        for room in 0..120 {
            let text = format!("{round} {room}");
            bench.post(&format!("c{room}"), &text);
            bench.ack(bench.delivery(&text));
            bench.run_for(seconds(6));
            expected.push(text);
        }
    }
    assert_eq!(bench.texts(), expected);
    let subscribed = bench.server().subscribed_rooms.len();
    assert_eq!(subscribed, 3);
    assert!(bench.requests("UNSUBSCRIBE", "/messages") > 100);
    assert_eq!(bench.session.counters().missed_inbox_events, 0);
}

#[test]
fn busy_conversation_is_not_evicted() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
    }
    bench.open(with(|options| options.max_subscribed = 1));
    for number in 0..20 {
        for room in ["c1", "c2"] {
            let text = format!("{room} {number}");
            bench.post(room, &text);
            bench.ack(bench.delivery(&text));
            bench.run_for(seconds(2));
        }
    }
    assert_eq!(bench.deliveries().len(), 40);
    assert_eq!(bench.requests("UNSUBSCRIBE", "/messages"), 0);
    assert_eq!(bench.requests("GET", "/c1/messages"), 1);
}

#[test]
fn eviction_keeps_undelivered_messages() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
    }
    let slow = with(|options| {
        options.max_subscribed = 1;
        options.max_unacked = 8;
    });
    bench.open(slow);
    for number in 0..10 {
        bench.post("c1", &number.to_string());
    }
    bench.run_for(seconds(30));
    bench.post("c2", "other");
    assert_eq!(bench.requests("UNSUBSCRIBE", "/c1/messages"), 1);
    bench.post("c1", "last");
    bench.ack_all();
    let mut texts = bench.texts();
    texts.retain(|text| text != "other");
    let numbers = (0..10).map(|number| number.to_string());
    let expected: Vec<_> = numbers.chain(["last".to_owned()]).collect();
    assert_eq!(texts, expected);
}

#[test]
fn conversation_that_waits_for_a_read_is_not_subscribed() {
    let rooms: Vec<_> = (0..20).map(|number| format!("c{number:02}")).collect();
    let mut bench = Bench::stored();
    for room in rooms.iter().map(String::as_str).chain(["first", "new"]) {
        bench.join(room);
    }
    bench.open(with(|options| {
        options.max_subscribed = 21;
        options.max_unacked = 1;
    }));
    for room in &rooms {
        bench.post(room, "subscribes");
        bench.ack_all();
    }
    bench.post("first", "blocks");
    bench.post("new", "evicts");
    for room in &rooms {
        bench.post(room, "waits");
    }
    // The subscription of `first` is evicted last.
    bench.post("first", "waits");
    bench.run_for(seconds(11));
    // Each read evicts the conversation that is read next, and a conversation is not subscribed
    // again before its UNSUBSCRIBE is answered. The bench checks that nothing is due after a drain.
    bench.ack(bench.delivery("blocks"));
    bench.ack_all();
    let texts = bench.texts();
    let delivered = texts.iter().filter(|text| *text == "waits");
    assert_eq!(delivered.count(), 21);
}

#[test]
fn stalled_consumer_keeps_few_messages() {
    let mut bench = subscribed(|options| options.max_unacked = 4);
    let texts: Vec<_> = (0..500).map(|number| number.to_string()).collect();
    for text in &texts {
        bench.post("c1", text);
    }
    assert_eq!(bench.texts(), ["first"]);
    assert!(reads(&bench) <= 5, "a full queue is not read again");
    for text in ["first"]
        .into_iter()
        .chain(texts.iter().map(String::as_str))
    {
        bench.ack(bench.delivery(text));
    }
    assert_eq!(bench.texts()[1..], texts);
}

#[test]
fn undelivered_message_follows_edits_and_deletions() {
    let mut bench = subscribed(|options| options.max_unacked = 1);
    let deleted = bench.post("c1", "deleted");
    let edited = bench.post("c1", "b");
    bench.act(|server| server.delete("c1", &deleted));
    bench.act(|server| server.edit("c1", &edited, "edited"));
    bench.ack(bench.delivery("first"));
    assert_eq!(bench.texts(), ["first", "edited"]);
    bench.log.requests.clear();
    bench.act(|server| server.edit("c1", &edited, "again"));
    bench.post("c1", "c");
    bench.ack(bench.delivery("edited"));
    assert_eq!(bench.texts(), ["first", "edited", "c"]);
    assert_eq!(reads(&bench), 0, "a delivered message is not read again");
}

#[test]
fn window_and_inbox_share_a_subscription() {
    let mut bench = subscribed(|_| {});
    let topic = Topic::Messages {
        conversation: conversation("c1"),
    };
    let window = bench.subscribe(topic.clone());
    bench.run_published();
    let now = bench.now;
    bench.session.unsubscribe(now, window).expect("it is open");
    bench.run_for(seconds(60));
    bench.log.requests.clear();
    bench.post("c1", "a");
    assert_eq!((bench.texts().len(), reads(&bench)), (2, 0));
    bench.subscribe(topic);
    bench.run_published();
    bench.close_inbox();
    bench.run_for(seconds(60));
    assert_eq!(bench.requests("UNSUBSCRIBE", "/c1/messages"), 0);
    assert_eq!(bench.server().subscribed_rooms.len(), 1);
}

#[test]
fn closed_inbox_ends_its_subscriptions() {
    let mut bench = subscribed(|_| {});
    bench.close_inbox();
    bench.run_for(seconds(1));
    assert!(bench.server().subscribed_rooms.is_empty());
}

#[test]
fn closed_inbox_drops_a_retried_subscription() {
    let mut bench = Bench::stored();
    bench.join("c1");
    let mut is_busy = true;
    bench.script.add(move |request| {
        let is_subscription = request.method == "SUBSCRIBE" && request.path.ends_with("/messages");
        let refuses = is_subscription && std::mem::take(&mut is_busy);
        refuses.then(|| Answer::refuse(429, "LATER"))
    });
    bench.open(with(|_| {}));
    bench.post("c1", "first");
    bench.close_inbox();
    bench.run_for(seconds(60));
    assert_eq!(bench.requests("SUBSCRIBE", "/c1/messages"), 1);
    assert!(bench.server().subscribed_rooms.is_empty());
}
