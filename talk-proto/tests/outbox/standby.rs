//! Sessions whose store another session uses.

use talk_proto::changes::{Changes, RemovalReason};
use talk_proto::model::EntryId;
use talk_proto::storage::StoreError;
use talk_proto::{CommandError, Event, Session, SessionError, Snapshot, SubscriptionId, Topic};

use super::bench::Bench;
use crate::support::store::StoreMode;
use crate::support::{Network, conversation, mark_as_read, seconds};

/// Makes the session a standby that has never had the store.
fn standby(bench: &mut Bench) {
    bench.world.restart(bench.options.clone());
    bench.world.session = Session::standby(bench.options.clone(), 0x57b, bench.now);
    bench.run();
}

/// Passes the records of the store to the session.
fn open_store(bench: &mut Bench) {
    let (now, records) = (bench.now, bench.store.records());
    bench.session.open_store(now, &records);
    bench.run();
}

/// Takes the store from the session.
fn close_store(bench: &mut Bench) {
    let now = bench.now;
    bench.session.close_store(now);
    bench.run();
}

/// Leaves an entry that no session has sent.
fn unsent() -> (Bench, EntryId) {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    let entry = bench.enqueue("c1", "a");
    bench.run();
    (bench, entry)
}

/// Returns the texts of the pending entries or of the entries of the topic, in each update.
fn updates(bench: &Bench, id: SubscriptionId) -> Vec<Vec<String>> {
    let texts = |event: &Event| match event {
        Event::Updated {
            subscription,
            update,
        } if *subscription == id => match &update.snapshot {
            Snapshot::Outbox(window) => Some(window.iter().map(|e| e.plaintext()).collect()),
            Snapshot::Messages(Some(window)) => {
                let pending = window.pending().iter();
                Some(pending.map(|entry| entry.plaintext()).collect())
            }
            _ => None,
        },
        _ => None,
    };
    let events = bench.log.events.iter();
    events.filter_map(|(_, event)| texts(event)).collect()
}

#[test]
fn standby_refuses_outbox_and_makes_calls() {
    let (mut bench, entry) = unsent();
    standby(&mut bench);
    bench.network = Network::Up(seconds(0));
    let now = bench.now;
    let refused = bench.session.enqueue(now, conversation("c1"), "b".into());
    assert_eq!(refused, Err(CommandError::Standby));
    let refused = bench.session.retry_all(now);
    assert_eq!(refused, Err(CommandError::Standby));
    assert!(bench.session.outbox_entry(&entry).is_none());
    let call = bench.call(mark_as_read("c1"));
    bench.run_for(seconds(60));
    assert!(bench.outcomes.contains_key(&call));
    assert!(bench.texts().is_empty(), "the other session sends it");
}

#[test]
fn standby_with_the_store_sends_its_entries() {
    let (mut bench, entry) = unsent();
    standby(&mut bench);
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
    assert!(bench.session.is_idle(), "no connection is needed");
    open_store(&mut bench);
    bench.run_for(seconds(60));
    assert_eq!(bench.keys(), [entry.as_str()]);
    bench.enqueue("c1", "b");
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["a", "b"]);
}

#[test]
fn standby_topic_waits_for_the_records() {
    let (mut bench, _) = unsent();
    standby(&mut bench);
    let topic = bench.subscribe(Topic::Outbox);
    bench.run_for(seconds(60));
    assert!(updates(&bench, topic).is_empty());
    open_store(&mut bench);
    assert_eq!(updates(&bench, topic), [["a"]]);
}

#[test]
fn store_opened_twice_changes_nothing() {
    let (mut bench, _) = unsent();
    open_store(&mut bench);
    assert_eq!(bench.unsent(), ["a"]);
}

#[test]
fn store_lost_withdraws_its_entries() {
    let mut bench = Bench::stored().connected();
    let window = bench.subscribe(Topic::Messages {
        conversation: conversation("c1"),
    });
    let topic = bench.subscribe(Topic::Outbox);
    bench.posts.borrow_mut().is_silent = true;
    let entry = bench.enqueue("c1", "a");
    bench.enqueue("c1", "b");
    bench.run_for(seconds(1));
    bench.log.events.clear();
    close_store(&mut bench);
    assert_eq!(bench.unsent(), Vec::<String>::new());
    for id in [window, topic] {
        assert_eq!(updates(&bench, id), [Vec::<String>::new()]);
    }
    let is_left = |event: &Event| match event {
        Event::EntryRemoved { .. } => panic!("the entry is neither sent nor discarded"),
        Event::Updated { update, .. } => match &update.changes {
            Changes::List(changes) => {
                let mut removed = changes.removed.iter();
                removed.any(|removal| removal.reason == RemovalReason::Evicted)
            }
            _ => false,
        },
        _ => false,
    };
    assert!(bench.log.events.iter().any(|(_, event)| is_left(event)));

    bench.posts.borrow_mut().is_silent = false;
    bench.cut();
    bench.run_for(seconds(60));
    assert_eq!(bench.keys(), [entry.as_str()], "the other session sends it");
    open_store(&mut bench);
    bench.run_for(seconds(60));
    assert_eq!(bench.texts(), ["a", "b"], "with the same key");
}

#[test]
fn store_lost_late_answers_have_no_effect() {
    for is_stored in [true, false] {
        let mut bench = Bench::stored().connected();
        bench.store.mode = StoreMode::Waits;
        bench.enqueue("c1", "a");
        bench.run();
        let now = bench.now;
        bench.session.close_store(now);
        bench.run();
        bench.store.mode = StoreMode::Stores;
        let result = match is_stored {
            true => Ok(()),
            false => Err("lost".to_owned()),
        };
        bench.complete_batches(&result);
        bench.run_for(seconds(60));
        assert!(bench.keys().is_empty());
        open_store(&mut bench);
        bench.run_for(seconds(60));
        assert_eq!(bench.texts().len(), usize::from(is_stored));
    }
}

#[test]
fn store_lost_keeps_pauses() {
    let (mut bench, _) = unsent();
    let now = bench.now;
    let paused = bench.session.pause_conversation(now, conversation("c1"));
    paused.expect("the outbox is open");
    close_store(&mut bench);
    open_store(&mut bench);
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
    assert_eq!(bench.unsent(), ["a"]);
}

#[test]
fn store_failed_ends_without_another_write() {
    let (mut bench, entry) = unsent();
    bench.enqueue("c1", "b");
    let before = bench.store.records();
    let lost = StoreError::Lost;
    let now = bench.now;
    bench.session.fail_store(now, lost.clone());
    bench.run();
    assert_eq!(bench.session.ended(), Some(&SessionError::Store(lost)));
    assert_eq!(bench.store.records(), before);
    assert!(bench.session.outbox_entry(&entry).is_none());
}

#[test]
fn outbox_in_memory_is_never_a_standby() {
    let mut bench = Bench::in_memory();
    bench.network = Network::Refuse;
    bench.enqueue("c1", "a");
    bench.run();
    close_store(&mut bench);
    assert_eq!(bench.unsent(), ["a"]);
}
