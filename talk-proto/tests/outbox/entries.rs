//! Enqueueing, IDs, receipts and restarts.

use talk_proto::command::SendMessage;
use talk_proto::content::ContentBlock;
use talk_proto::outbox::{Enqueue, Stage};
use talk_proto::{CommandError, ConnectionState, Timestamp};

use super::bench::Bench;
use crate::support::store::StoreMode;
use crate::support::{Network, conversation, options, seconds};

const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn dedup(text: &str) -> Enqueue {
    Enqueue::from(text).dedup_key("answer to msg_9", AT)
}

#[test]
fn enqueue_in_memory_is_sent_and_never_durable() {
    let mut bench = Bench::in_memory();
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    assert_eq!(bench.texts(), ["a"]);
    let reported = bench.reported(&entry);
    assert_eq!(
        reported,
        [("queued", false), ("sending", false), ("sent", false)]
    );
    assert!(bench.session.outbox_receipt(&entry).is_some());
}

#[test]
fn entry_id_is_the_idempotency_key() {
    let mut bench = Bench::stored();
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    assert_eq!(bench.keys(), [entry.as_str()]);
}

#[test]
fn equal_texts_are_two_messages() {
    let mut bench = Bench::stored();
    assert_ne!(bench.enqueue("c1", "a"), bench.enqueue("c1", "a"));
    bench.run_for(seconds(1));
    assert_eq!(bench.texts(), ["a", "a"]);
}

#[test]
fn dedup_key_returns_the_known_entry() {
    let mut bench = Bench::stored();
    let entry = bench.enqueue("c1", dedup("a"));
    assert_eq!(bench.enqueue("c1", dedup("a")), entry, "an entry");
    bench.run_for(seconds(1));
    assert_eq!(bench.enqueue("c1", dedup("a")), entry, "a receipt");
    bench.restart();
    assert_eq!(bench.enqueue("c1", dedup("a")), entry, "after a restart");
    assert_ne!(bench.enqueue("c2", dedup("b")), entry);
    bench.run_for(seconds(1));
    assert_eq!(bench.texts(), ["a", "b"]);
}

#[test]
fn dedup_key_crash_anywhere_posts_once() {
    for crash in 1..100 {
        let mut bench = Bench::stored();
        bench.crash_after = Some(crash);
        bench.enqueue("c1", dedup("a"));
        bench.run_for(seconds(1));
        let has_crashed = bench.has_crashed();
        bench.restart();
        bench.enqueue("c1", dedup("a"));
        bench.run_for(seconds(10));
        assert_eq!(bench.texts(), ["a"], "crash after {crash}");
        if !has_crashed {
            return;
        }
    }
    panic!("the scenario does not end");
}

#[test]
fn receipt_expires_after_24_hours() {
    let mut bench = Bench::stored();
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    bench.sleep_until(AT + seconds(23 * 3600));
    assert!(bench.session.outbox_receipt(&entry).is_some());
    bench.sleep_until(AT + seconds(25 * 3600));
    assert!(bench.session.outbox_receipt(&entry).is_none());
}

#[test]
fn restored_entries_open_the_connection() {
    let mut bench = Bench::stored();
    bench.network = crate::support::Network::Refuse;
    bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    bench.network = crate::support::Network::Up(seconds(0));
    let sockets = bench.log.sockets.len();
    bench.restart();
    assert!(bench.log.sockets.len() > sockets);
    bench.run_for(seconds(1));
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn session_without_entries_opens_no_connection() {
    let mut bench = Bench::stored();
    bench.restart();
    bench.run_for(seconds(10));
    assert!(bench.log.sockets.is_empty());
    assert!(bench.session.is_idle());
    assert_eq!(bench.session.connection(), &ConnectionState::Idle);
}

#[test]
fn restart_sends_tried_entry_with_the_same_key() {
    let mut bench = Bench::stored();
    bench.posts.borrow_mut().is_silent = true;
    let entry = bench.enqueue("c1", "a");
    bench.run_for(seconds(1));
    assert_eq!(*bench.stage(&entry), Stage::Sending);
    bench.posts.borrow_mut().is_silent = false;
    bench.restart();
    bench.run_for(seconds(1));
    assert_eq!(bench.keys(), [entry.as_str(), entry.as_str()]);
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn restart_keeps_content_custom_data_and_reference() {
    let mut bench = Bench::stored();
    let text = SendMessage::text("*a* :party: https://a.example").custom("k", "v");
    let message = talk_proto::model::MessageId::new("msg_7").expect("not empty");
    bench.enqueue("c1", text.clone().reply_to(&message));
    bench.enqueue(
        "c1",
        SendMessage::content([ContentBlock::location(1.5, 2.0)]),
    );
    bench.drain();
    bench.restart();
    bench.run_for(seconds(1));
    let sent: Vec<_> = bench
        .posts
        .borrow()
        .posted
        .iter()
        .map(|p| p.data.clone())
        .collect();
    let mut plain = crate::support::World::new(options());
    plain.call(talk_proto::Call::SendMessage {
        conversation: conversation("c1"),
        message: text.reply_to(&message),
    });
    plain.run();
    let wire = |data: &serde_json::Value| {
        let mut data = data.clone();
        data["idempotencyKey"] = "".into();
        data
    };
    let lines = plain.log.of("POST /conversations/c1/messages");
    assert_eq!(wire(&sent[0]), wire(&lines[0].data), "as a plain send");
    assert_eq!(sent[1]["content"][0]["latitude"], 1.5);
}

#[test]
fn enqueue_without_outbox_is_refused() {
    let mut world = crate::support::World::new(options());
    let entry = world
        .session
        .enqueue(world.now, conversation("c1"), "a".into());
    assert_eq!(entry, Err(CommandError::NoOutbox));
}

#[test]
fn reply_to_unsent_entry_refers_to_its_message() {
    let mut bench = Bench::stored();
    let question = bench.enqueue("c1", "a");
    bench.enqueue("c1", Enqueue::from("b").reply_to_entry(question.clone()));
    bench.run_for(seconds(1));
    bench.enqueue("c1", Enqueue::from("c").reply_to_entry(question.clone()));
    bench.run_for(seconds(1));
    let references = |at: usize| {
        let posts = bench.posts.borrow();
        posts.posted[at].data["referencedMessageId"].clone()
    };
    assert_eq!(references(1), "msg_1");
    assert_eq!(references(2), "msg_1");
    let now = bench.now;
    let other = Enqueue::from("d").reply_to_entry(question);
    let refused = bench.session.enqueue(now, conversation("c2"), other);
    assert_eq!(refused, Err(CommandError::UnknownEntry));
}

#[test]
fn reply_to_discarded_entry_loses_its_reference() {
    let mut bench = Bench::stored();
    bench.store.mode = StoreMode::Waits;
    let question = bench.enqueue("c1", "a");
    bench.enqueue("c1", Enqueue::from("b").reply_to_entry(question.clone()));
    bench.drain();
    assert!(bench.act(&question, talk_proto::outbox::EntryAction::Discard));
    bench.complete_batches(&Ok(()));
    bench.store.mode = StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    bench.run_for(seconds(1));
    assert_eq!(bench.texts(), ["b"]);
    assert!(bench.posts.borrow().posted[0].data["referencedMessageId"].is_null());
}

#[test]
fn ended_session_with_unsent_entry_is_idle() {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    bench.enqueue("c1", "a");
    bench.run();
    assert!(!bench.session.is_idle());
    let now = bench.now;
    bench.session.shutdown(now);
    bench.run();
    assert!(bench.session.is_idle());
}
