//! Cached windows, and the live windows that replace them.

use std::sync::Arc;

use serde_json::json;
use talk_proto::cache::Freshness;
use talk_proto::changes::Changes;
use talk_proto::{Session, Snapshot, Topic};

use super::bench::{Bench, ids, window};
use crate::support::{Answer, Network, conversation, data, seconds};

#[test]
fn cached_windows_show_without_a_connection() {
    let mut bench = Bench::offline();
    let messages = bench.messages("c1");
    let conversations = bench.conversations();
    let update = bench.last(messages);
    assert_eq!(ids(update), ["m3", "m2", "m1"]);
    assert_eq!(update.changes, Changes::Reset);
    let Freshness::Cached { at } = update.freshness() else {
        panic!("it is cached");
    };
    assert!(at < bench.now);
    let shown = window(update);
    assert!(!shown.loaded_all(), "it is not stored");
    let sender = shown[0].sender.as_ref().expect("a sender");
    assert_eq!(sender.name, "Name of bob");
    assert!(Arc::ptr_eq(
        sender,
        shown[1].sender.as_ref().expect("a sender")
    ));
    let update = bench.last(conversations);
    assert_eq!(ids(update), ["c1", "c2"]);
    assert!(update.freshness().is_cached());
    bench.run_for(seconds(600));
    assert_eq!(bench.updates(messages).len(), 1);
}

#[test]
fn live_window_replaces_the_cached_one_in_one_update() {
    let mut bench = Bench::offline();
    let messages = bench.messages("c1");
    let conversations = bench.conversations();
    bench.go_online();
    for id in [messages, conversations] {
        let updates = bench.updates(id);
        let freshness: Vec<_> = updates
            .iter()
            .map(|it| it.freshness().is_cached())
            .collect();
        assert_eq!(freshness, [true, false]);
        assert_eq!(updates[1].changes, Changes::Reset);
    }
    assert!(window(bench.last(messages)).loaded_all());
}

#[test]
fn equal_items_keep_their_allocation() {
    let mut bench = Bench::offline();
    let messages = bench.messages("c1");
    let conversations = bench.conversations();
    bench.messages.borrow_mut()[1]["content"][0]["children"][0] = "edited".into();
    let newer = data::message("m4", 4);
    bench.messages.borrow_mut().insert(0, newer);
    bench.go_online();
    let (cached, live) = (
        window(bench.updates(messages)[0]),
        window(bench.last(messages)),
    );
    assert_eq!(ids(bench.last(messages)), ["m4", "m3", "m2", "m1"]);
    let is_same = |cached: usize, live_at: usize| {
        Arc::ptr_eq(
            &cached_at(cached, bench.updates(messages)[0]),
            &live[live_at],
        )
    };
    assert!(is_same(0, 1));
    assert!(!is_same(1, 2), "it was edited");
    assert!(is_same(2, 3));
    let sender = |at: &talk_proto::model::MessageSnapshot| at.sender.clone().expect("a sender");
    assert!(Arc::ptr_eq(&sender(&cached[0]), &sender(&live[0])));
    let list = |index: usize| match &bench.updates(conversations)[index].snapshot {
        Snapshot::Conversations(window) => Arc::clone(&window[1]),
        other => panic!("{other:?}"),
    };
    let (cached, live) = (list(0), list(1));
    assert_ne!(cached.last_message, live.last_message);

    bench.publish(&[json!({
        "type": "message.created", "conversationId": "c1", "messageId": "m5",
        "state": data::message("m5", 5),
    })]);
    bench.run();
    let (before, after) = (bench.updates(messages)[1], bench.last(messages));
    assert!(Arc::ptr_eq(&window(before)[1], &window(after)[2]));
}

fn cached_at(index: usize, update: &talk_proto::Update) -> Arc<talk_proto::model::MessageSnapshot> {
    Arc::clone(&window(update)[index])
}

#[test]
fn equal_conversations_keep_their_allocation() {
    let mut bench = Bench::offline();
    let conversations = bench.conversations();
    bench.go_online();
    let list = |index: usize| match &bench.updates(conversations)[index].snapshot {
        Snapshot::Conversations(window) => Arc::clone(&window[0]),
        other => panic!("{other:?}"),
    };
    assert!(Arc::ptr_eq(&list(0), &list(1)));
}

/// Creates a session without a connection, after an earlier session that showed 60 messages.
fn after_long_window() -> Bench {
    let mut bench = Bench::new();
    add_messages(&mut bench, 4..=60);
    let messages = bench.messages("c1");
    bench.load_more(messages, None).expect("a request");
    bench.run_for(seconds(10));
    bench.network = Network::Refuse;
    bench.restart();
    bench
}

/// Adds messages to the front of the server's list.
fn add_messages(bench: &mut Bench, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        let message = data::message(&format!("m{number}"), number);
        bench.messages.borrow_mut().insert(0, message);
    }
}

#[test]
fn live_window_covers_the_cached_range() {
    for (newer, len) in [(0, 50), (5, 55), (45, 95)] {
        let mut bench = after_long_window();
        let messages = bench.messages("c1");
        assert_eq!(ids(bench.last(messages)).len(), 50);
        add_messages(&mut bench, 61..=60 + newer);
        bench.go_online();
        let updates = bench.updates(messages);
        let lens: Vec<_> = updates.iter().map(|update| ids(update).len()).collect();
        assert_eq!(lens, [50, len]);
        let last = ids(bench.last(messages)).pop();
        assert_eq!(last, Some("m11"));
    }
}

#[test]
fn live_window_without_overlap_has_its_usual_length() {
    let mut bench = after_long_window();
    let messages = bench.messages("c1");
    add_messages(&mut bench, 61..=200);
    bench.go_online();
    assert_eq!(ids(bench.last(messages)).len(), 30);
}

#[test]
fn cached_window_without_overlap_is_dropped() {
    let mut bench = Bench::offline();
    let messages = bench.messages("c1");
    *bench.messages.borrow_mut() = vec![data::message("m9", 9), data::message("m8", 8)];
    bench.go_online();
    assert_eq!(ids(bench.last(messages)), ["m9", "m8"]);
}

#[test]
fn window_of_an_active_list_is_not_shown_as_cached() {
    let mut bench = Bench::offline();
    bench.messages("c1");
    bench.go_online();
    let second = bench.messages("c1");
    assert_eq!(bench.updates(second).len(), 1);
    assert_eq!(bench.last(second).freshness(), Freshness::Live);
}

/// Makes the session a standby.
fn stand_by(bench: &mut Bench) {
    let options = bench.options.clone();
    bench.world.session = Session::standby(options, 0x57b, bench.now);
}

/// Passes the records of the store to the session.
fn take_over(bench: &mut Bench) {
    let (now, records) = (bench.now, bench.store.records());
    bench.session.open_store(now, &records);
    bench.run();
}

#[test]
fn standby_that_takes_over_shows_cached_windows() {
    let mut bench = Bench::offline();
    stand_by(&mut bench);
    let messages = bench.messages("c1");
    let conversations = bench.conversations();
    assert_eq!(bench.updates(messages).len(), 0);
    take_over(&mut bench);
    assert_eq!(ids(bench.last(messages)), ["m3", "m2", "m1"]);
    assert_eq!(ids(bench.last(conversations)), ["c1", "c2"]);
    bench.go_online();
    for id in [messages, conversations] {
        let updates = bench.updates(id).into_iter();
        let are_cached: Vec<_> = updates.map(|it| it.freshness().is_cached()).collect();
        assert_eq!(are_cached, [true, false]);
    }
}

#[test]
fn standby_that_takes_over_keeps_live_windows() {
    let mut bench = Bench::offline();
    stand_by(&mut bench);
    bench.go_online();
    let messages = bench.messages("c1");
    let conversations = bench.conversations();
    take_over(&mut bench);
    for id in [messages, conversations] {
        assert_eq!(bench.updates(id).len(), 1);
        assert_eq!(bench.last(id).freshness(), Freshness::Live);
    }
}

#[test]
fn list_never_shown_has_no_cached_window() {
    let mut bench = Bench::offline();
    let messages = bench.messages("c2");
    assert_eq!(bench.updates(messages).len(), 0);
    let user = bench.subscribe(Topic::User {
        user: crate::support::user("bob"),
    });
    bench.run();
    assert_eq!(bench.updates(user).len(), 0, "only lists are cached");
}

#[test]
fn cached_window_shows_the_unsent_entries() {
    let mut bench = Bench::offline();
    let messages = bench.messages("c1");
    let now = bench.now;
    bench.invariants.keep_secret("hello from the train");
    let text = "hello from the train";
    let entry = bench.session.enqueue(now, conversation("c1"), text.into());
    let entry = entry.expect("the entry is accepted");
    bench.run();
    let pending = window(bench.last(messages)).pending();
    assert_eq!(pending.len(), 1);
    assert!(bench.last(messages).freshness().is_cached());

    let posted = Arc::clone(&pending[0]);
    bench.messages.borrow_mut().insert(0, {
        let mut message = data::message("msg_1", 9);
        message["senderId"] = "alice".into();
        message["content"] = serde_json::to_value(&posted.content).expect("JSON");
        message
    });
    bench.go_online();
    let updates = bench.updates(messages);
    let from = updates
        .iter()
        .position(|it| !window(it).pending().is_empty());
    let mut settled = 0;
    for update in &updates[from.expect("an echo")..] {
        let is_pending = window(update).pending().iter().any(|it| it.id == entry);
        let is_message = ids(update).contains(&"msg_1");
        assert!(is_pending != is_message, "exactly one of both");
        settled += update.settled.len();
    }
    assert_eq!(ids(bench.last(messages))[0], "msg_1");
    assert_eq!(settled, 1);
}

#[test]
fn cached_window_reports_each_state_once() {
    let mut bench = Bench::offline();
    let first = bench.messages("c1");
    let now = bench.now;
    bench.invariants.keep_secret("hello from the train");
    let text = "hello from the train";
    let entry = bench.session.enqueue(now, conversation("c1"), text.into());
    entry.expect("the entry is accepted");
    let second = bench.messages("c1");
    bench.run_for(seconds(10));
    for id in [first, second] {
        let updates = bench.updates(id);
        assert_eq!(window(bench.last(id)).pending().len(), 1);
        assert_eq!(updates[0].changes, Changes::Reset);
        for pair in updates.windows(2) {
            assert_ne!(pair[0].snapshot, pair[1].snapshot);
        }
    }
}

#[test]
fn refused_or_absent_list_is_deleted() {
    for status in [403, 404] {
        let mut bench = Bench::offline();
        let messages = bench.messages("c1");
        bench.script.add(move |request| {
            let is_list = request.path.contains("/conversations/c1");
            is_list.then(|| Answer::refuse(status, "NO"))
        });
        bench.go_online();
        assert_eq!(bench.store.with_prefix("cache/messages/").len(), 0);
        bench.network = Network::Refuse;
        bench.restart();
        let again = bench.messages("c1");
        assert_eq!(bench.updates(again).len(), 0);
        let _ = messages;
    }
}
