//! The records of the cache.

use serde_json::json;
use talk_proto::storage::StorageEvent;
use talk_proto::{Event, Topic};

use super::bench::{Bench, ids};
use crate::support::store::StoreMode;
use crate::support::{Network, conversation, data, seconds, user};

fn publish(bench: &mut Bench, number: u64) {
    let id = format!("new_{number}");
    bench.publish(&[json!({
        "type": "message.created", "conversationId": "c1", "messageId": id,
        "state": data::message(&id, 100 + number),
    })]);
    bench.run();
}

#[test]
fn cache_is_off_by_default() {
    let mut bench = Bench::offline();
    bench.options.cache = false;
    assert!(!crate::support::options().cache);
    bench.restart();
    let messages = bench.messages("c1");
    assert_eq!(bench.updates(messages).len(), 0);
    bench.go_online();
    let before = bench.store.writes;
    publish(&mut bench, 1);
    bench.run_for(seconds(10));
    assert_eq!(bench.store.writes, before);
}

#[test]
fn writes_are_coalesced() {
    let mut bench = Bench::new();
    bench.messages("c1");
    bench.run_for(seconds(10));
    let before = bench.store.writes;
    for number in 0..100 {
        publish(&mut bench, number);
    }
    assert_eq!(bench.store.writes, before);
    bench.run_for(seconds(10));
    assert_eq!(bench.store.writes, before + 1);
}

#[test]
fn last_change_is_written_at_the_end() {
    let mut bench = Bench::new();
    bench.messages("c1");
    bench.run_for(seconds(10));
    publish(&mut bench, 1);
    let now = bench.now;
    bench.session.shutdown(now);
    bench.run();
    bench.network = Network::Refuse;
    bench.restart();
    let messages = bench.messages("c1");
    assert_eq!(ids(bench.last(messages))[0], "new_1");
}

#[test]
fn failed_connection_keeps_the_records() {
    let mut bench = Bench::offline();
    for _ in 0..3 {
        let messages = bench.messages("c1");
        assert_eq!(ids(bench.last(messages)), ["m3", "m2", "m1"]);
        bench.run_for(seconds(24 * 60 * 60));
        bench.restart();
    }
}

#[test]
fn records_are_limited() {
    let mut bench = Bench::new();
    let messages = (1..=80).rev().map(|n| data::message(&format!("m{n}"), n));
    *bench.messages.borrow_mut() = messages.collect();
    let first = bench.messages("c0");
    bench.run_for(seconds(1));
    let now = bench.now;
    bench.load_more(first, Some(40)).expect("more messages");
    bench.run_for(seconds(5));
    assert!(bench.now > now);
    let stored = bench.store.with_prefix("cache/messages/");
    let items = stored[0]["items"].as_array().expect("a list");
    assert_eq!((items.len(), &items[0]["id"]), (50, &json!("m80")));
    for number in 1..=40 {
        bench.messages(&format!("c{number}"));
        bench.run_for(seconds(3));
    }
    assert_eq!(bench.store.with_prefix("cache/messages/").len(), 30);
    bench.network = Network::Refuse;
    bench.restart();
    let (old, new) = (bench.messages("c1"), bench.messages("c40"));
    assert_eq!(bench.updates(old).len(), 0, "the oldest are evicted");
    assert_eq!(bench.updates(new).len(), 1);
}

#[test]
fn typing_presence_and_completeness_are_not_stored() {
    let mut bench = Bench::new();
    let in_c1 = || conversation("c1");
    bench.subscribe(Topic::Typing {
        conversation: in_c1(),
    });
    bench.subscribe(Topic::Online { user: user("bob") });
    bench.subscribe(Topic::Participants {
        conversation: in_c1(),
    });
    bench.messages("c1");
    bench.run_for(seconds(10));
    let stored = bench.store.with_prefix("cache/");
    assert_eq!(stored.len(), 1);
    let members = stored[0].as_object().expect("an object");
    let mut names: Vec<_> = members.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["at", "items", "list", "v"]);
}

#[test]
fn record_of_unknown_version_is_reported() {
    let mut bench = Bench::offline();
    let records = bench.store.records();
    let keys = records.iter().map(|record| record.key.clone());
    let key = keys
        .into_iter()
        .find(|key| key.starts_with("cache/messages/"));
    let key = key.expect("a record");
    bench.store.insert(&key, r#"{"v":99}"#);
    bench.restart();
    let messages = bench.messages("c1");
    assert_eq!(bench.updates(messages).len(), 0);
    let is_reported = |event: &Event| match event {
        Event::Storage(StorageEvent::UnknownVersion { key: reported }) => *reported == key,
        _ => false,
    };
    assert!(bench.log.events.iter().any(|(_, event)| is_reported(event)));
}

#[test]
fn failed_write_is_repeated_with_the_next_change() {
    let mut bench = Bench::new();
    bench.store.mode = StoreMode::Fails;
    bench.messages("c1");
    bench.run_for(seconds(60));
    assert_eq!(bench.store.with_prefix("cache/").len(), 0);
    bench.store.mode = StoreMode::Stores;
    publish(&mut bench, 1);
    bench.run_for(seconds(60));
    assert_eq!(bench.store.with_prefix("cache/").len(), 1);
}
