//! The topic of all entries.

use talk_proto::changes::Changes;
use talk_proto::outbox::EntryAction;
use talk_proto::{CommandError, Snapshot, SubscriptionId, Topic, Update};

use super::bench::Bench;
use crate::support::{Network, World, options};

fn updates(bench: &Bench, id: SubscriptionId) -> Vec<&Update> {
    bench.log.updates(id).collect()
}

fn texts(update: &Update) -> Vec<String> {
    match &update.snapshot {
        Snapshot::Outbox(window) => window.iter().map(|entry| entry.plaintext()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn topic_lists_entries_oldest_first() {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    let first = bench.enqueue("c1", "a");
    bench.enqueue("c2", "b");
    let topic = bench.subscribe(Topic::Outbox);
    bench.run();
    assert_eq!(texts(updates(&bench, topic)[0]), ["a", "b"]);
    bench.enqueue("c1", "c");
    bench.run();
    assert_eq!(
        texts(updates(&bench, topic).last().expect("an update")),
        ["a", "b", "c"]
    );
    assert!(bench.act(&first, EntryAction::Discard));
    let updates = updates(&bench, topic);
    let last = updates.last().expect("an update");
    assert_eq!(texts(last), ["b", "c"]);
    assert!(matches!(&last.changes, Changes::List(changes) if changes.removed[0].index == 0));
}

#[test]
fn topic_subscribed_again_lists_entries_of_the_pause() {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    let first = bench.enqueue("c1", "a");
    let topic = bench.subscribe(Topic::Outbox);
    bench.run();
    let now = bench.now;
    bench.session.unsubscribe(now, topic).expect("it is active");
    bench.enqueue("c1", "b");
    assert!(bench.act(&first, EntryAction::Discard));
    bench.run();
    let again = bench.subscribe(Topic::Outbox);
    bench.run();
    assert_eq!(texts(updates(&bench, again)[0]), ["b"]);
}

#[test]
fn topic_needs_no_connection() {
    let mut bench = Bench::stored();
    let topic = bench.subscribe(Topic::Outbox);
    bench.run();
    assert!(
        texts(updates(&bench, topic)[0]).is_empty(),
        "the first snapshot comes at once"
    );
    assert!(bench.log.sockets.is_empty());
    assert_eq!(bench.session.subscriptions(), 1);
    let now = bench.now;
    let more = bench.session.load_more(now, topic, None);
    assert_eq!(more, Err(CommandError::NotAList));
    bench.session.unsubscribe(now, topic).expect("it is active");
    bench.run();
    assert_eq!(
        bench.session.unsubscribe(now, topic),
        Err(CommandError::Unknown)
    );
    bench.subscribe(Topic::Outbox);
    bench.session.shutdown(now);
    bench.drain();
}

#[test]
fn topic_without_outbox_is_refused() {
    let mut world = World::new(options());
    assert_eq!(
        world.try_subscribe(Topic::Outbox),
        Err(CommandError::NoOutbox)
    );
}

#[test]
fn entry_serialises_for_the_command_line() {
    let mut bench = Bench::in_memory();
    bench.network = Network::Refuse;
    let entry = bench.enqueue("c1", "*a*");
    bench.run();
    let json = serde_json::to_value(bench.entry(&entry)).expect("JSON");
    let expected = serde_json::json!({
        "id": entry.as_str(),
        "conversation": "c1",
        "content": [{"type": "text", "children": [{"type": "bold", "children": ["a"]}]}],
        "plaintext": "a",
        "custom": {},
        "referencedMessage": null,
        "createdAt": crate::support::START.as_millis(),
        "stage": "queued",
        "durable": false,
        "tries": 0,
    });
    assert_eq!(json, expected);
}
