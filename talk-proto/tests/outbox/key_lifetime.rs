//! The lifetime of keys, stale entries, and the search for lost messages.

use talk_proto::Timestamp;
use talk_proto::model::EntryId;
use talk_proto::outbox::{Enqueue, EntryAction, HeldReason, OutboxOptions};

use super::bench::Bench;
use crate::support::{Answer, Network, seconds};

const HOUR: u64 = 3600;

/// Leaves an entry that the server has received, but did not answer, and disconnects.
fn lost(posts: bool) -> (Bench, EntryId) {
    let mut bench = Bench::stored().connected();
    if posts {
        bench.posts.borrow_mut().is_silent = true;
    } else {
        bench.script.next.push_back(Answer::Silence);
    }
    let entry = bench.enqueue("c1", "*a*");
    bench.run_for(seconds(1));
    bench.posts.borrow_mut().is_silent = false;
    bench.network = Network::Refuse;
    bench.cut();
    bench.run_for(seconds(1));
    (bench, entry)
}

/// Leaves an entry that the server has not received, after an equal one that is sent.
fn lost_twin() -> (Bench, EntryId) {
    let mut bench = Bench::stored().connected();
    bench.enqueue("c1", "*a*");
    bench.run();
    bench.script.next.push_back(Answer::Silence);
    let lost = bench.enqueue("c1", "*a*");
    bench.run_for(seconds(1));
    bench.network = Network::Refuse;
    bench.cut();
    (bench, lost)
}

fn reconnect_after(bench: &mut Bench, hours: u64) {
    let at = bench.now + seconds(hours * HOUR);
    bench.sleep_until(at);
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
}

#[test]
fn key_within_its_lifetime_is_sent_again() {
    let (mut bench, entry) = lost(true);
    reconnect_after(&mut bench, 22);
    assert_eq!(bench.keys(), [entry.as_str(), entry.as_str()]);
    assert!(bench.session.outbox_receipt(&entry).is_some());
}

#[test]
fn key_beyond_its_lifetime_finds_the_lost_message() {
    let (mut bench, entry) = lost(true);
    bench.posts.borrow_mut().forgets_keys = true;
    reconnect_after(&mut bench, 24);
    assert_eq!(bench.keys(), [entry.as_str()], "it is not sent again");
    let receipt = bench.session.outbox_receipt(&entry).expect("it is found");
    assert_eq!(receipt.message, "msg_1");
}

#[test]
fn key_beyond_its_lifetime_without_message_is_uncertain() {
    let (mut bench, entry) = lost(false);
    reconnect_after(&mut bench, 24);
    assert_eq!(bench.keys(), [entry.as_str()]);
    assert_eq!(bench.held(&entry), Some(&HeldReason::Uncertain));
    bench.restart();
    assert_eq!(
        bench.held(&entry),
        Some(&HeldReason::Uncertain),
        "after a restart"
    );
    assert!(bench.act(&entry, EntryAction::Retry), "the user decides");
    bench.run_for(seconds(1));
    assert_eq!(bench.posts.borrow().posted.len(), 1);
}

#[test]
fn search_covers_at_most_20_pages() {
    for (newer, is_found) in [(1_500, true), (2_100, false)] {
        let (mut bench, entry) = lost(true);
        let first = bench.posts.borrow().posted[0].clone();
        for number in 0..newer {
            let mut other = first.clone();
            other.id = format!("other_{number}");
            other.data = serde_json::json!({
                "content": [{"type": "text", "children": ["other"]}],
            });
            bench.posts.borrow_mut().posted.push(other);
        }
        reconnect_after(&mut bench, 24);
        assert_eq!(bench.session.outbox_receipt(&entry).is_some(), is_found);
        assert_eq!(bench.session.outbox_entry(&entry).is_none(), is_found);
    }
}

#[test]
fn search_ignores_messages_before_the_floor() {
    let (mut bench, entry) = lost(true);
    bench.posts.borrow_mut().posted[0].created_at -= 1_000 * 2 * HOUR as i64;
    reconnect_after(&mut bench, 24);
    assert_eq!(bench.held(&entry), Some(&HeldReason::Uncertain));
}

#[test]
fn search_ignores_claimed_messages() {
    let (mut bench, lost) = lost_twin();
    reconnect_after(&mut bench, 23);
    assert_eq!(bench.held(&lost), Some(&HeldReason::Uncertain));
}

#[test]
fn search_after_24_hours_ignores_claimed_messages() {
    let (mut bench, lost) = lost_twin();
    let at = bench.now + seconds(25 * HOUR);
    bench.sleep_until(at);
    bench.restart();
    reconnect_after(&mut bench, 0);
    assert_eq!(bench.held(&lost), Some(&HeldReason::Uncertain));
}

#[test]
fn search_restarts_after_a_loss() {
    let (mut bench, entry) = lost(true);
    bench.script.add({
        let mut is_first = true;
        move |request| {
            let is_page = request.line() == "GET /me/conversations/c1/messages";
            (is_page && std::mem::take(&mut is_first)).then_some(Answer::Drop)
        }
    });
    reconnect_after(&mut bench, 24);
    assert!(bench.session.outbox_receipt(&entry).is_some());
}

#[test]
fn search_page_failed_is_retried() {
    let (mut bench, entry) = lost(true);
    let mut failures = 12;
    bench.script.add(move |request| {
        let is_page = request.line() == "GET /me/conversations/c1/messages";
        let fails = is_page && failures > 0;
        failures -= usize::from(fails);
        fails.then(|| Answer::refuse(503, "BUSY"))
    });
    reconnect_after(&mut bench, 24);
    bench.run_for(seconds(600));
    assert!(bench.session.outbox_receipt(&entry).is_some());
}

#[test]
fn search_page_failing_for_long_is_uncertain() {
    let (mut bench, entry) = lost(true);
    bench.script.add(|request| {
        let is_page = request.line() == "GET /me/conversations/c1/messages";
        is_page.then(|| Answer::refuse(503, "BUSY"))
    });
    reconnect_after(&mut bench, 24);
    assert_eq!(bench.held(&entry), None);
    bench.run_for(seconds(3 * HOUR));
    assert_eq!(bench.held(&entry), Some(&HeldReason::Uncertain));
}

#[test]
fn search_with_a_refused_cursor_restarts() {
    let (mut bench, entry) = lost(true);
    let first = bench.posts.borrow().posted[0].clone();
    for number in 0..300 {
        let mut other = first.clone();
        other.id = format!("other_{number}");
        other.data = serde_json::json!({
            "content": [{"type": "text", "children": ["other"]}],
        });
        bench.posts.borrow_mut().posted.push(other);
    }
    let mut refusals = 2;
    bench.script.add(move |request| {
        let is_refused = request.data["cursor"].is_string() && refusals > 0;
        refusals -= usize::from(is_refused);
        is_refused.then(|| Answer::refuse(404, "NO_CURSOR"))
    });
    reconnect_after(&mut bench, 24);
    assert!(bench.session.outbox_receipt(&entry).is_some());
}

#[test]
fn dedup_key_with_an_expired_receipt_is_unknown() {
    let mut bench = Bench::stored().connected();
    let at = bench.now;
    let again = || Enqueue::from("a").dedup_key("job", at);
    let entry = bench.enqueue("c1", again());
    bench.run();
    for _ in 0..2 {
        let later = bench.now + seconds(25 * HOUR);
        bench.sleep_until(later);
        bench.posts.borrow_mut().posted.clear();
        assert_eq!(bench.enqueue("c1", again()), entry);
        let is_known = bench.session.outbox_entry(&entry).is_some();
        assert!(is_known, "neither entry nor receipt would say its state");
        bench.run_for(seconds(60));
        assert_eq!(bench.texts(), ["a"]);
        assert!(bench.session.outbox_receipt(&entry).is_some());
        assert_eq!(bench.enqueue("c1", again()), entry);
        bench.run_for(seconds(60));
        assert_eq!(bench.texts(), ["a"]);
    }
}

#[test]
fn refusal_after_an_unanswered_try_searches() {
    for posts in [true, false] {
        let (mut bench, entry) = lost(posts);
        // The server checks access before keys.
        bench.script.add(|request| {
            let is_send = request.line() == "POST /conversations/c1/messages";
            is_send.then(|| Answer::refuse(403, "READ_ONLY"))
        });
        reconnect_after(&mut bench, 1);
        if posts {
            assert!(bench.session.outbox_receipt(&entry).is_some());
        } else {
            assert_eq!(bench.held(&entry), Some(&HeldReason::Uncertain));
        }
    }
}

#[test]
fn entry_untried_for_24_hours_is_stale() {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    let entry = bench.enqueue("c1", "running late");
    bench.run_for(seconds(1));
    reconnect_after(&mut bench, 24);
    assert_eq!(bench.held(&entry), Some(&HeldReason::Stale));
    assert!(bench.texts().is_empty());
    assert!(bench.act(&entry, EntryAction::Retry));
    assert_eq!(bench.texts(), ["running late"]);
}

#[test]
fn entry_clock_set_back_ages_nothing() {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    bench.now = Timestamp::from_millis(1_000);
    bench.network = Network::Up(seconds(0));
    bench.restart();
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn key_lifetime_is_an_option() {
    let set = |options: &mut OutboxOptions| options.key_lifetime = seconds(60);
    let mut bench = Bench::with(set, true).connected();
    bench.posts.borrow_mut().is_silent = true;
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    bench.posts.borrow_mut().is_silent = false;
    bench.network = Network::Refuse;
    bench.cut();
    bench.run_for(seconds(60));
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
    assert_eq!(bench.keys(), [entry.as_str()], "it was searched");
    assert!(bench.session.outbox_receipt(&entry).is_some());
}
