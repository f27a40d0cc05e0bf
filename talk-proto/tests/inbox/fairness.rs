//! Slow consumers and unequal conversations.

use talk_proto::Session;
use talk_proto::inbox::{InboxOptions, InboxStart};

use super::bench::{Bench, size, with};
use crate::support::{START, conversation, options, seconds};

/// The largest memory of one conversation in bytes.
const BYTES_PER_CONVERSATION: i64 = 2_048;

fn fill(bench: &mut Bench, room: &str, count: usize) {
    bench.act(|server| {
        server.join(room);
        for number in 0..count {
            server.send(room, Some("bob"), &format!("{room}/{number}"));
        }
    });
}

#[test]
fn busy_conversation_does_not_starve_a_quiet_one() {
    let mut bench = Bench::stored();
    fill(&mut bench, "busy", size(100_000, 20_000));
    bench.join("quiet");
    bench.open(with(|options| {
        options.start = InboxStart::Beginning;
        options.max_unacked = 8;
    }));
    assert_eq!(bench.texts().len(), 2, "a quarter of the limit");
    bench.post("quiet", "q");
    assert_eq!(
        bench.texts().last().map(String::as_str),
        Some("q"),
        "at once"
    );
}

#[test]
fn share_of_a_conversation_can_be_set() {
    let delivered = |set: fn(&mut InboxOptions)| {
        let mut bench = Bench::stored();
        fill(&mut bench, "busy", 30);
        bench.open(with(|options| {
            options.start = InboxStart::Beginning;
            options.max_unacked = 8;
            set(options);
        }));
        bench.texts().len()
    };
    assert_eq!(delivered(|_| {}), 2);
    assert_eq!(
        delivered(|options| options.max_per_conversation = Some(5)),
        5
    );
    assert_eq!(
        delivered(|options| options.max_per_conversation = Some(99)),
        8
    );
    assert_eq!(
        delivered(|options| options.max_per_conversation = Some(0)),
        1
    );
    let only = |options: &mut InboxOptions| options.conversation = Some(conversation("busy"));
    assert_eq!(delivered(only), 8);
}

#[test]
fn long_backlog_is_delivered_while_a_quiet_one_is_served() {
    let count = size(100_000, 10_000);
    let mut bench = Bench::stored();
    fill(&mut bench, "busy", count);
    bench.join("quiet");
    bench.open(with(|options| options.start = InboxStart::Beginning));
    let (mut seen, mut next, mut round) = (0, 0, 0);
    loop {
        let mut new = bench.deliveries_since(&mut seen);
        if new.is_empty() {
            break;
        }
        if round % 100 == 0 {
            let question = format!("question {round}");
            bench.post("quiet", &question);
            new.extend(bench.deliveries_since(&mut seen));
            let mut texts = new.iter().map(|it| it.message.plaintext());
            assert!(texts.any(|text| text == question), "at once");
        }
        round += 1;
        for delivery in new {
            if delivery.conversation.id == "busy" {
                assert_eq!(delivery.message.plaintext(), format!("busy/{next}"));
                next += 1;
            }
            bench.ack(delivery.id);
        }
    }
    assert_eq!(next, count);
}

#[test]
fn full_inbox_delivers_in_turns() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2", "c3", "c4", "c5", "c6"] {
        fill(&mut bench, room, 50);
    }
    bench.open(with(|options| {
        options.start = InboxStart::Beginning;
        options.max_unacked = 4;
    }));
    assert_eq!(bench.texts().len(), 4);
    for _ in 0..20 {
        let out = bench.deliveries();
        let acked = bench.acked();
        let oldest = out.iter().find(|it| !acked.contains(&it.id));
        bench.ack(oldest.expect("a delivery").id);
    }
    let texts = bench.texts();
    for room in ["c1", "c2", "c3", "c4", "c5", "c6"] {
        let count = texts.iter().filter(|text| text.starts_with(room)).count();
        assert!(
            (3..=5).contains(&count),
            "{room}: {count} of {}",
            texts.len()
        );
    }
}

#[test]
fn handler_that_never_returns_blocks_only_its_conversation() {
    let mut bench = Bench::stored();
    for room in ["hung", "c2"] {
        bench.join(room);
    }
    bench.open(with(|options| options.max_unacked = 4));
    bench.post("hung", "never");
    for number in 0..50 {
        bench.post("hung", &number.to_string());
        bench.post("c2", &format!("c2/{number}"));
        let last = bench.deliveries().last().expect("a delivery").clone();
        assert_eq!(last.message.plaintext(), format!("c2/{number}"));
        bench.ack(last.id);
    }
    bench.run_for(seconds(4_000));
    bench.ack(bench.delivery("never"));
    for number in 0..50 {
        bench.ack(bench.delivery(&number.to_string()));
    }
}

#[test]
fn stalled_consumer_reads_nothing() {
    let mut bench = Bench::stored();
    for number in 0..60 {
        fill(&mut bench, &format!("c{number}"), 30);
    }
    bench.open(with(|options| {
        options.start = InboxStart::Beginning;
        options.max_unacked = 10;
    }));
    assert_eq!(bench.texts().len(), 10);
    let pages = bench.requests("GET", "/messages");
    assert!(pages <= 20, "{pages}");
    bench.run_for(seconds(500));
    assert_eq!(bench.requests("GET", "/messages"), pages);
}

#[test]
fn stalled_consumer_holds_2_kib_per_conversation() {
    const ROOMS: i64 = 4_000;
    let mut bench = Bench::in_memory();
    bench.act(|server| {
        for number in 0..ROOMS {
            let room = format!("conversation-{number}");
            server.join(&room);
            server.send(&room, Some("bob"), "a question");
        }
    });
    bench.open(with(|options| options.start = InboxStart::Beginning));
    assert_eq!(bench.texts().len(), 256);
    let other = Session::new(options(), 1, START);
    let session = std::mem::replace(&mut bench.session, other);
    let freed = allocation_counter::measure(|| drop(session));
    let held = -freed.bytes_current / ROOMS;
    assert!(held <= BYTES_PER_CONVERSATION, "{held} bytes");
    assert!(held > 200, "{held} bytes: the positions are in memory");
}
