//! The entries in message windows, and the update in which an entry becomes a message.

use serde_json::json;
use talk_proto::model::EntryId;
use talk_proto::outbox::{EntryAction, HeldReason};
use talk_proto::{Snapshot, SubscriptionId, Topic, Update};

use super::bench::{Bench, Posted};
use crate::support::store::StoreMode;
use crate::support::{Answer, Network, conversation, millis, seconds};

fn open(bench: &mut Bench) -> SubscriptionId {
    let window = bench.subscribe(Topic::Messages {
        conversation: conversation("c1"),
    });
    bench.run();
    window
}

/// Publishes the message that was posted at `index`.
fn publish(bench: &mut Bench, index: usize) {
    let posted = bench.posts.borrow().posted[index].clone();
    publish_posted(bench, &posted);
}

fn publish_posted(bench: &mut Bench, posted: &Posted) {
    bench.publish(&[json!({
        "type": "message.created", "conversationId": "c1", "messageId": posted.id,
        "state": posted.json(),
    })]);
    bench.run();
}

/// A message of the same user from another device.
fn of_other_device(bench: &mut Bench, text: &str) -> Posted {
    post(bench, "alice", text)
}

fn post(bench: &mut Bench, sender: &str, text: &str) -> Posted {
    let mut posts = bench.posts.borrow_mut();
    let posted = Posted {
        id: format!("other_{}", posts.posted.len()),
        conversation: "c1".to_owned(),
        sender: sender.to_owned(),
        key: "other".to_owned(),
        data: json!({"content": [{"type": "text", "children": [text]}]}),
        created_at: bench.world.now.as_millis(),
    };
    posts.posted.push(posted.clone());
    posted
}

fn updates(bench: &Bench, window: SubscriptionId) -> Vec<&Update> {
    let updates = bench.log.updates(window);
    // A restarted session uses the same IDs again.
    let of_messages = |update: &&Update| matches!(update.snapshot, Snapshot::Messages(_));
    updates.filter(of_messages).collect()
}

/// Returns the pending entries and the messages of a snapshot, both oldest first.
fn shown(update: &Update) -> (Vec<String>, Vec<String>) {
    let Snapshot::Messages(Some(window)) = &update.snapshot else {
        panic!("{update:?}");
    };
    let pending = window.pending().iter().map(|entry| entry.plaintext());
    let items = window.iter().rev().map(|message| message.plaintext());
    (pending.collect(), items.collect())
}

fn last(bench: &Bench, window: SubscriptionId) -> (Vec<String>, Vec<String>) {
    shown(updates(bench, window).last().expect("an update"))
}

/// Checks that each update from the first echo on shows `text` exactly once, and returns the number
/// of updates that settle the entry.
fn settled(bench: &Bench, window: SubscriptionId, entry: &EntryId, text: &str) -> usize {
    let updates = updates(bench, window);
    let is_pending = |update: &&Update| shown(update).0.iter().any(|shown| shown == text);
    let from = updates.iter().position(is_pending);
    let updates = &updates[from.expect("an echo")..];
    for update in updates {
        let (pending, items) = shown(update);
        let count = pending
            .iter()
            .chain(&items)
            .filter(|shown| *shown == text)
            .count();
        assert_eq!(count, 1, "{pending:?} {items:?}");
    }
    let settles = |update: &&&Update| update.settled.iter().any(|(id, _)| id == entry);
    updates.iter().filter(settles).count()
}

#[test]
fn echo_settles_when_the_message_follows_the_answer() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert_eq!(last(&bench, window), (vec!["a".to_owned()], vec![]));
    assert!(
        bench.session.outbox_entry(&entry).is_some(),
        "the message is not visible"
    );
    publish(&mut bench, 0);
    assert_eq!(last(&bench, window), (vec![], vec!["a".to_owned()]));
    assert_eq!(settled(&bench, window, &entry, "a"), 1);
    let updates = updates(&bench, window);
    assert_eq!(updates.last().expect("an update").settled[0].1, "msg_1");
    assert!(bench.session.outbox_entry(&entry).is_none());
}

#[test]
fn echo_settles_when_the_message_precedes_the_answer() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    bench.latency = seconds(1);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    publish(&mut bench, 0);
    assert_eq!(
        last(&bench, window),
        (vec!["a".to_owned()], vec![]),
        "held back"
    );
    bench.run_for(seconds(1));
    assert_eq!(last(&bench, window), (vec![], vec!["a".to_owned()]));
    assert_eq!(settled(&bench, window, &entry, "a"), 1);
    assert!(bench.session.outbox_entry(&entry).is_none());
}

#[test]
fn echo_settles_when_the_server_changes_the_content() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    bench.latency = seconds(1);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    let mut posted = bench.posts.borrow().posted[0].clone();
    posted.data["content"][0]["children"][0] = "[a]".into();
    publish_posted(&mut bench, &posted);
    assert_eq!(last(&bench, window), (vec!["a".to_owned()], vec![]));
    bench.run_for(seconds(1));
    assert_eq!(last(&bench, window), (vec![], vec!["[a]".to_owned()]));
    assert!(bench.session.outbox_entry(&entry).is_none());
}

#[test]
fn own_message_of_other_device_waits_for_answer() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    bench.latency = seconds(1);
    bench.enqueue("c1", "a");
    bench.run();
    let other = of_other_device(&mut bench, "b");
    publish_posted(&mut bench, &other);
    assert_eq!(last(&bench, window), (vec!["a".to_owned()], vec![]));
    bench.run_for(seconds(1));
    assert_eq!(
        last(&bench, window),
        (vec!["a".to_owned()], vec!["b".to_owned()])
    );
    publish(&mut bench, 0);
    assert!(last(&bench, window).0.is_empty());
}

#[test]
fn own_message_is_held_back_for_at_most_10_s() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    bench.script.next.push_back(Answer::Silence);
    bench.enqueue("c1", "a");
    bench.run();
    let other = of_other_device(&mut bench, "b");
    publish_posted(&mut bench, &other);
    bench.run_for(seconds(9));
    assert!(last(&bench, window).1.is_empty());
    bench.run_for(seconds(2));
    assert_eq!(last(&bench, window).1, ["b"]);
}

#[test]
fn older_own_messages_are_visible_in_a_new_session() {
    let mut bench = Bench::stored().connected();
    for text in ["old 1", "old 2"] {
        of_other_device(&mut bench, text);
    }
    bench.run_for(seconds(6));
    post(&mut bench, "bob", "newest");
    bench.run_for(seconds(60));
    bench.script.next.push_back(Answer::Silence);
    bench.enqueue("c1", "a");
    bench.run();
    let window = open(&mut bench);
    let items = ["old 1", "old 2", "newest"].map(str::to_owned).to_vec();
    assert_eq!(last(&bench, window), (vec!["a".to_owned()], items));
}

#[test]
fn own_message_after_the_attempt_stays_held_back() {
    let mut bench = Bench::stored().connected();
    of_other_device(&mut bench, "old");
    bench.run_for(seconds(6));
    bench.script.next.push_back(Answer::Silence);
    bench.enqueue("c1", "a");
    bench.run();
    of_other_device(&mut bench, "b");
    for number in 1..=3 {
        bench.run_for(seconds(3));
        post(&mut bench, "bob", &number.to_string());
    }
    let window = open(&mut bench);
    let items = last(&bench, window).1;
    assert_eq!(items, ["old", "1", "2", "3"]);
}

/// The times of imported messages are not those of the server.
#[test]
fn imported_message_from_future_reveals_no_own_message() {
    let mut bench = Bench::stored().connected();
    bench.script.next.push_back(Answer::Silence);
    bench.enqueue("c1", "a");
    bench.run();
    of_other_device(&mut bench, "b");
    post(&mut bench, "bob", "imported");
    if let Some(imported) = bench.posts.borrow_mut().posted.last_mut() {
        imported.data["origin"] = json!("import");
        imported.created_at += 3_600_000;
    }
    let window = open(&mut bench);
    assert_eq!(last(&bench, window).1, ["imported"]);
}

/// Returns a window of a list that holds at most `cap` messages, and a silent entry "a". The list
/// is full, and its oldest loaded message is "b", which is held back.
fn full_window_with_held_back_end(cap: usize) -> (Bench, SubscriptionId) {
    let mut bench = Bench::stored();
    bench.options.limits.window = cap;
    bench.restart();
    let mut bench = bench.connected();
    for text in ["x", "y", "z"] {
        post(&mut bench, "bob", text);
    }
    bench.run_for(seconds(1));
    bench.script.next.push_back(Answer::Silence);
    bench.enqueue("c1", "a");
    bench.run();
    of_other_device(&mut bench, "b");
    for index in 1..cap {
        bench.run_for(millis(1));
        post(&mut bench, "bob", &index.to_string());
    }
    let window = open(&mut bench);
    (bench, window)
}

#[test]
fn full_first_window_shows_released_message() {
    let (mut bench, window) = full_window_with_held_back_end(3);
    assert_eq!(last(&bench, window).1, ["1", "2"]);
    bench.run_for(seconds(11));
    assert_eq!(last(&bench, window).1, ["b", "1", "2"]);
}

#[test]
fn full_extended_window_shows_released_message() {
    let (mut bench, window) = full_window_with_held_back_end(35);
    assert_eq!(last(&bench, window).1.len(), 30);
    bench.load_more(window, None).expect("a request");
    bench.run();
    assert_eq!(last(&bench, window).1.len(), 34);
    bench.run_for(seconds(11));
    assert_eq!(last(&bench, window).1.len(), 35);
}

#[test]
fn message_of_another_user_is_not_held_back() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    bench.latency = seconds(1);
    bench.enqueue("c1", "a");
    bench.run();
    bench.latency = seconds(0);
    let other = post(&mut bench, "bob", "b");
    publish_posted(&mut bench, &other);
    assert_eq!(
        last(&bench, window),
        (vec!["a".to_owned()], vec!["b".to_owned()])
    );
}

#[test]
fn echo_shows_offline_and_survives_refetches() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    let first = bench.enqueue("c1", "a");
    bench.run();
    publish(&mut bench, 0);
    bench.network = Network::Refuse;
    bench.cut();
    let entry = bench.enqueue("c1", "b");
    bench.run();
    assert_eq!(
        last(&bench, window),
        (vec!["b".to_owned()], vec!["a".to_owned()])
    );
    bench.network = Network::Up(seconds(0));
    while bench.texts().len() < 2 {
        bench.run_for(millis(100));
    }
    publish(&mut bench, 1);
    assert_eq!(last(&bench, window).1, ["a", "b"]);
    assert_eq!(settled(&bench, window, &first, "a"), 1);
    assert_eq!(settled(&bench, window, &entry, "b"), 1);
}

#[test]
fn echo_of_posted_entry_settles_after_a_restart() {
    let mut bench = Bench::stored().connected();
    bench.posts.borrow_mut().is_silent = true;
    let entry = bench.enqueue("c1", "a");
    bench.run();
    bench.posts.borrow_mut().is_silent = false;
    bench.script.add(|request| {
        // The page arrives before the answer to the second attempt.
        let is_send = request.line() == "POST /conversations/c1/messages";
        is_send.then(|| Answer::Late(seconds(3), 200, json!({"id": "msg_1"})))
    });
    bench.world.restart(bench.options.clone());
    let window = open(&mut bench);
    bench.run_for(seconds(10));
    assert_eq!(last(&bench, window), (vec![], vec!["a".to_owned()]));
    assert_eq!(settled(&bench, window, &entry, "a"), 1);
    assert!(bench.session.outbox_entry(&entry).is_none());
}

#[test]
fn sent_entry_without_window_leaves_after_10_s() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(9));
    assert!(bench.session.outbox_entry(&entry).is_some());
    bench.run_for(seconds(2));
    assert!(bench.session.outbox_entry(&entry).is_none());
    assert!(last(&bench, window).0.is_empty());
}

#[test]
fn echoes_of_several_entries_keep_their_order() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    bench.latency = seconds(1);
    for text in ["a", "b", "c"] {
        bench.enqueue("c1", text);
    }
    bench.enqueue("c2", "x");
    bench.run();
    assert_eq!(last(&bench, window).0, ["a", "b", "c"]);
    for index in [0, 2, 3] {
        bench.run_for(seconds(1));
        publish(&mut bench, index);
    }
    bench.run_for(seconds(2));
    assert_eq!(
        last(&bench, window),
        (vec![], ["a", "b", "c"].map(String::from).to_vec())
    );
    for update in updates(&bench, window) {
        let (pending, items) = shown(update);
        let all: Vec<_> = items.into_iter().chain(pending).collect();
        assert!(all.is_sorted(), "{all:?}");
    }
}

#[test]
fn held_entry_hides_no_own_message() {
    let mut bench = Bench::stored().connected();
    bench.script.next.push_back(Answer::Silence);
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    bench.network = Network::Refuse;
    bench.cut();
    let later = bench.now + seconds(24 * 3600);
    bench.sleep_until(later);
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
    assert_eq!(bench.held(&entry), Some(&HeldReason::Uncertain));
    let window = open(&mut bench);
    let other = of_other_device(&mut bench, "b");
    publish_posted(&mut bench, &other);
    assert_eq!(last(&bench, window).1, ["b"]);
}

#[test]
fn sent_message_equal_to_next_entry_is_visible() {
    let mut bench = Bench::stored().connected();
    bench.latency = seconds(1);
    let first = bench.enqueue("c1", "a");
    let second = bench.enqueue("c1", "a");
    bench.run_for(millis(1500));
    assert!(bench.session.outbox_entry(&first).is_none(), "it has left");
    bench.latency = seconds(0);
    let window = open(&mut bench);
    assert!(bench.session.outbox_entry(&second).is_some(), "in flight");
    let one = || vec!["a".to_owned()];
    assert_eq!(last(&bench, window), (one(), one()));
}

#[test]
fn entry_sent_before_first_snapshot_stays_in_window() {
    let mut bench = Bench::stored().connected();
    post(&mut bench, "bob", "b");
    // The first snapshot waits for Bob, and the sent message waits longer for its sender.
    bench.script.add(|request| {
        if (request.method.as_str(), request.path.as_str()) != ("GET", "/users") {
            return None;
        }
        let id = request.data["ids"][0].as_str()?;
        let delay = if id == "bob" { 1 } else { 2 };
        let user = json!({"id": id, "name": id, "custom": {}, "role": "default"});
        Some(Answer::Late(seconds(delay), 200, json!({ id: user })))
    });
    let window = open(&mut bench);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    publish(&mut bench, 1);
    assert!(bench.entry(&entry).message().is_some(), "it is sent");
    bench.run_for(millis(1500));
    let first = (vec!["a".to_owned()], vec!["b".to_owned()]);
    assert_eq!(last(&bench, window), first);
    bench.run_for(seconds(1));
    let messages = vec!["b".to_owned(), "a".to_owned()];
    assert_eq!(last(&bench, window), (vec![], messages));
    assert_eq!(settled(&bench, window, &entry, "a"), 1);
    assert!(bench.session.outbox_entry(&entry).is_none());
}

#[test]
fn entry_enqueued_with_subscription_is_in_first_snapshot() {
    let mut bench = Bench::stored();
    open(&mut bench);
    let entry = bench.enqueue("c1", "a");
    let window = bench.subscribe(Topic::Messages {
        conversation: conversation("c1"),
    });
    bench.run();
    let first = shown(updates(&bench, window).first().expect("an update"));
    assert_eq!(first, (vec!["a".to_owned()], vec![]));
    assert!(bench.session.outbox_entry(&entry).is_some());
}

#[test]
fn entry_of_deleted_message_is_not_shown_again() {
    // The message arrives before its deletion, or not at all.
    for is_received in [true, false] {
        let mut bench = Bench::stored();
        let window = open(&mut bench);
        bench.latency = seconds(1);
        let entry = bench.enqueue("c1", "a");
        bench.run_for(millis(1500));
        // The entry stays until its answer is stored.
        bench.store.mode = StoreMode::Waits;
        bench.run();
        assert!(bench.entry(&entry).message().is_some(), "it is sent");
        if is_received {
            publish(&mut bench, 0);
        }
        let id = bench.posts.borrow().posted[0].id.clone();
        bench.publish(&[json!({
            "type": "message.deleted", "conversationId": "c1", "messageId": id,
        })]);
        bench.run();
        assert_eq!(last(&bench, window), (vec![], vec![]), "{is_received}");
        bench.store.mode = StoreMode::Stores;
        bench.complete_batches(&Ok(()));
        bench.run();
        assert!(
            bench.session.outbox_entry(&entry).is_none(),
            "{is_received}"
        );
    }
}

#[test]
fn held_entry_of_deleted_message_is_shown() {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    let window = open(&mut bench);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::EditAfter("b".into())));
    bench.script.add(|request| {
        let is_edit = request.method == "PATCH";
        is_edit.then(|| Answer::refuse(404, "MESSAGE_NOT_FOUND"))
    });
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
    bench.publish(&[json!({
        "type": "message.deleted", "conversationId": "c1", "messageId": "msg_1",
    })]);
    let other = post(&mut bench, "bob", "c");
    publish_posted(&mut bench, &other);
    assert!(bench.held(&entry).is_some());
    let items = || vec!["c".to_owned()];
    assert_eq!(last(&bench, window), (vec!["a".to_owned()], items()));
    assert!(bench.act(&entry, EntryAction::Discard));
    assert_eq!(last(&bench, window), (vec![], items()));
}

#[test]
fn entry_of_message_lost_by_the_server_is_shown_once() {
    let mut bench = Bench::stored();
    let window = open(&mut bench);
    bench.latency = seconds(1);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    // The entry stays until its answer is stored.
    bench.store.mode = StoreMode::Fails;
    bench.run_for(seconds(3));
    publish(&mut bench, 0);
    bench.latency = seconds(0);
    bench.run_for(seconds(3));
    assert_eq!(last(&bench, window), (vec![], vec!["a".to_owned()]));
    // The snapshot without the message waits for Bob.
    bench.posts.borrow_mut().posted.clear();
    post(&mut bench, "bob", "b");
    bench.script.add(|request| {
        let is_user = request.method == "GET" && request.data["ids"][0] == "bob";
        let bob = json!({"bob": {"id": "bob", "name": "bob", "custom": {}, "role": "default"}});
        is_user.then_some(Answer::Late(seconds(5), 200, bob))
    });
    bench.cut();
    bench.run_for(seconds(30));
    let after = (vec!["a".to_owned()], vec!["b".to_owned()]);
    assert_eq!(last(&bench, window), after);
    assert_eq!(settled(&bench, window, &entry, "a"), 1);
    bench.store.mode = StoreMode::Stores;
    bench.run_for(seconds(60));
    assert_eq!(last(&bench, window), (vec![], vec!["b".to_owned()]));
    assert!(bench.session.outbox_entry(&entry).is_none());
}
