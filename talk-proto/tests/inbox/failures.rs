//! Refusals, failures and late answers of the reads of an inbox.

use std::time::Duration;

use serde_json::json;
use talk_proto::inbox::InboxEvent;

use super::bench::{Bench, beginning, with};
use crate::support::{Answer, millis, seconds};

/// Refuses the next requests with a method and a path.
fn refuse(
    bench: &mut Bench,
    (method, path): (&'static str, &'static str),
    status: u16,
    mut times: usize,
) {
    bench.script.add(move |request| {
        if times == 0 || request.method != method || request.path != path {
            return None;
        }
        times -= 1;
        Some(Answer::refuse(status, "NO"))
    });
}

/// Refuses the next requests with a cursor.
fn refuse_cursors(bench: &mut Bench, status: u16, mut times: usize) {
    bench.script.add(move |request| {
        if times == 0 || !request.data["cursor"].is_string() {
            return None;
        }
        times -= 1;
        Some(Answer::refuse(status, "NO"))
    });
}

#[test]
fn refused_subscription_is_requested_by_the_next_open() {
    let mut bench = Bench::stored();
    bench.join("c1");
    refuse(&mut bench, ("SUBSCRIBE", "/me/conversations"), 403, 1);
    bench.open(with(|_| {}));
    let ended = bench.inbox_events().last();
    assert!(
        matches!(ended, Some(InboxEvent::Ended { error: Some(_) })),
        "{ended:?}"
    );
    bench.open(with(|_| {}));
    assert_eq!(bench.inbox_events().last(), Some(&InboxEvent::Opened));
    bench.post("c1", "a");
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn failed_subscription_or_list_page_is_retried() {
    for (method, status) in [("SUBSCRIBE", 503), ("GET", 502)] {
        let mut bench = Bench::stored();
        bench.join("c1");
        refuse(&mut bench, (method, "/me/conversations"), status, 25);
        bench.open(with(|_| {}));
        bench.run_for(seconds(1_200));
        let last = bench.inbox_events().last();
        assert_eq!(last, Some(&InboxEvent::Opened), "{method}");
        bench.post("c1", "a");
        assert_eq!(bench.texts(), ["a"], "{method}");
    }
}

#[test]
fn failed_list_page_lets_known_news_through() {
    let mut bench = Bench::stored();
    for room in ["c1", "c2"] {
        bench.join(room);
    }
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    // A later scan stores that c1 has undelivered messages.
    bench.run_for(seconds(650));
    bench.post("c2", "b");
    bench.run_for(seconds(650));
    refuse(&mut bench, ("GET", "/me/conversations"), 502, usize::MAX);
    bench.restart(with(|_| {}));
    bench.run_for(seconds(600));
    assert!(bench.texts().contains(&"a".to_owned()));
}

#[test]
fn refused_list_cursor_backs_off() {
    let mut bench = Bench::stored();
    for number in 0..100 {
        bench.join(&format!("c{number}"));
    }
    bench.open(with(|_| {}));
    bench.crash();
    bench.act(|server| {
        for number in 0..100 {
            server.send(&format!("c{number}"), Some("bob"), &number.to_string());
        }
    });
    refuse_cursors(&mut bench, 400, 12);
    bench.log.requests.clear();
    bench.open(with(|_| {}));
    bench.run_for(seconds(60));
    let pages = bench.requests("GET", "/me/conversations");
    assert!(pages <= 14, "{pages} pages in a minute");
    bench.run_for(seconds(1_800));
    assert_eq!(bench.ack_all(), 100);
}

#[test]
fn absent_list_cursor_restarts_the_scan() {
    let mut bench = Bench::stored();
    for number in 0..100 {
        bench.join(&format!("c{number}"));
    }
    bench.open(with(|_| {}));
    bench.crash();
    bench.act(|server| {
        for number in 0..100 {
            server.send(&format!("c{number}"), Some("bob"), &number.to_string());
        }
    });
    refuse_cursors(&mut bench, 404, 1);
    bench.open(with(|_| {}));
    bench.run_for(seconds(60));
    assert_eq!(bench.ack_all(), 100);
}

#[test]
fn absent_message_cursor_restarts_the_walk() {
    let mut bench = Bench::stored();
    bench.act(|server| {
        server.join("c1");
        for number in 0..450 {
            server.send("c1", Some("bob"), &number.to_string());
        }
    });
    refuse_cursors(&mut bench, 404, 1);
    bench.open(beginning());
    bench.run_for(seconds(60));
    assert_eq!(bench.ack_all(), 450);
}

#[test]
fn late_page_of_a_cleared_conversation_is_ignored() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    // The first page arrives after the conversation was cleared, and before the second page.
    let mut delays = [millis(100), millis(500)].into_iter();
    bench.script.add(move |request| {
        let is_page = request.method == "GET" && request.path.ends_with("/c1/messages");
        let delay: Duration = is_page.then(|| delays.next()).flatten()?;
        let message = json!({"id": "cleared", "type": "UserMessage", "senderId": "bob",
            "createdAt": crate::support::START.as_millis() + 1_000,
            "content": [{"type": "text", "children": ["cleared"]}]});
        let data = if delay == millis(100) {
            json!([message])
        } else {
            json!([])
        };
        Some(Answer::Late(
            delay,
            200,
            json!({"data": data, "cursor": null}),
        ))
    });
    bench.post("c1", "cleared");
    bench.publish(&[json!({"type": "conversation.cleared", "conversationId": "c1"})]);
    bench.run_for(seconds(5));
    assert_eq!(bench.texts(), [""; 0]);
}

#[test]
fn unreadable_event_during_a_scan_repeats_it() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.lose();
    bench.latency = millis(100);
    bench.log.requests.clear();
    let lists = |bench: &Bench| bench.requests("GET", "/me/conversations");
    while lists(&bench) == 0 {
        bench.run_for(millis(10));
    }
    bench.publish(&[json!({"type": "side.edited", "diff": {"lastMessageAt": 5}})]);
    bench.run_for(seconds(30));
    assert_eq!(lists(&bench), 2);
}

#[test]
fn open_waits_for_the_unsubscribe_of_an_earlier_inbox() {
    let mut bench = Bench::stored();
    bench.join("c1");
    let first = bench.open(with(|_| {}));
    // The server processes the UNSUBSCRIBE only when it is sent again.
    refuse(&mut bench, ("UNSUBSCRIBE", "/me/conversations"), 500, 1);
    let now = bench.now;
    assert_eq!(bench.session.close_inbox(now, first), Ok(true));
    bench.run_published();
    bench.open(with(|_| {}));
    bench.run_for(seconds(60));
    bench.post("c1", "a");
    assert_eq!(bench.texts(), ["a"]);
}
