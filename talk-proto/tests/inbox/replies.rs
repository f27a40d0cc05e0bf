//! Replies: an entry and an acknowledgement in one write.

use talk_proto::CommandError;
use talk_proto::outbox::{Enqueue, HeldReason, OutboxFile, OutboxOptions, Stage};
use talk_proto::upload::{Upload, UploadKind};

use super::bench::{Bench, with};
use crate::support::store::StoreMode;
use crate::support::{Answer, seconds};

/// Returns a bench with a delivered question.
fn asked() -> Bench {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a?");
    bench
}

fn answers(bench: &Bench) -> Vec<String> {
    let server = bench.server();
    let posts = server.rooms["c1"].posts.iter();
    let own = posts.filter(|post| post.sender.as_deref() == Some("alice"));
    own.map(|post| post.text.clone()).collect()
}

#[test]
fn reply_stores_entry_and_ack_together() {
    let mut bench = asked();
    bench.store.mode = StoreMode::Waits;
    let entry = bench.reply(bench.delivery("a?"), "b");
    assert!(answers(&bench).is_empty(), "nothing is stored");
    let before = bench.store.records().len();
    bench.store.mode = StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    assert_eq!(answers(&bench), ["b"]);
    assert_eq!(bench.acked(), [bench.delivery("a?")]);
    assert!(bench.store.records().len() > before);
    assert!(bench.session.outbox_receipt(&entry).is_some());
}

#[test]
fn reply_without_outbox_options_is_sent() {
    let mut bench = Bench::in_memory();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a?");
    let entry = bench.reply(bench.delivery("a?"), "b");
    assert_eq!(answers(&bench), ["b"]);
    assert_eq!(bench.acked(), [bench.delivery("a?")]);
    assert!(bench.session.outbox_receipt(&entry).is_some());
}

#[test]
fn reply_batch_lost_in_a_crash_asks_again() {
    let mut bench = asked();
    bench.store.mode = StoreMode::Waits;
    let entry = bench.reply(bench.delivery("a?"), "b");
    bench.store.mode = StoreMode::Stores;
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), ["a?"]);
    assert_eq!(
        bench.reply(bench.delivery("a?"), "b"),
        entry,
        "the key is derived"
    );
    assert_eq!(answers(&bench), ["b"]);
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), [""; 0]);
}

#[test]
fn reply_crash_after_every_output_answers_once() {
    for crash in 1.. {
        let mut bench = asked();
        let limit = bench.outputs + crash;
        bench.crash_after = Some(limit);
        bench.reply(bench.delivery("a?"), "b");
        bench.run_for(seconds(1));
        let has_crashed = bench.has_crashed();
        bench.restart(with(|_| {}));
        if !bench.deliveries().is_empty() {
            bench.reply(bench.delivery("a?"), "b");
        }
        bench.run_for(seconds(1));
        assert_eq!(answers(&bench), ["b"], "crash {crash}");
        if !has_crashed {
            assert!(crash > 5, "the scenario has several outputs");
            return;
        }
    }
}

#[test]
fn reply_repeated_returns_the_same_entry() {
    let mut bench = asked();
    let delivery = bench.delivery("a?");
    let entry = bench.reply(delivery, "b");
    assert_eq!(bench.reply(delivery, "other"), entry);
    assert_eq!(answers(&bench), ["b"]);
}

#[test]
fn reply_to_an_acked_delivery_is_refused() {
    let mut bench = asked();
    let delivery = bench.delivery("a?");
    bench.ack(delivery);
    let now = bench.now;
    let refused = bench.session.reply(now, delivery, "b".into());
    assert_eq!(refused, Err(CommandError::UnknownDelivery));
}

#[test]
fn reply_to_a_full_outbox_leaves_the_delivery_out() {
    let mut bench = asked();
    bench.lose();
    bench.network = crate::support::Network::Refuse;
    let now = bench.now;
    for number in 0..1_000 {
        let message = Enqueue::from(format!("filler {number}"));
        let to = crate::support::conversation("c2");
        bench
            .session
            .enqueue(now, to, message)
            .expect("there is room");
    }
    let delivery = bench.delivery("a?");
    let refused = bench.session.reply(now, delivery, "b".into());
    assert!(matches!(refused, Err(CommandError::OutboxFull { .. })));
    assert_eq!(
        bench.session.ack(now, delivery),
        Ok(true),
        "it is still out"
    );
}

#[test]
fn reply_refused_does_not_block_later_ones() {
    let mut bench = asked();
    bench.post("c1", "b?");
    bench.script.add(|request| {
        let is_it = request.data["content"][0]["children"][0] == "bad";
        is_it.then(|| Answer::refuse(403, "NOT_ALLOWED"))
    });
    let bad = bench.reply(bench.delivery("a?"), "bad");
    bench.reply(bench.delivery("b?"), "good");
    assert_eq!(answers(&bench), ["good"]);
    let held = &bench.session.outbox_entry(&bad).expect("it is held").stage;
    assert!(matches!(held, Stage::Held(HeldReason::Refused(_))));
}

#[test]
fn reply_is_never_stale_and_survives_a_failed_store() {
    let mut bench = asked();
    bench.lose();
    bench.network = crate::support::Network::Refuse;
    bench.store.mode = StoreMode::Fails;
    bench.reply(bench.delivery("a?"), "b");
    bench.run_for(seconds(10));
    assert_eq!(bench.acked(), [], "nothing is stored");
    bench.store.mode = StoreMode::Stores;
    bench.run_for(seconds(2 * 24 * 60 * 60));
    assert_eq!(bench.acked(), [bench.delivery("a?")]);
    bench.network = crate::support::Network::Up(std::time::Duration::ZERO);
    bench.run_for(seconds(60));
    assert_eq!(answers(&bench), ["b"]);
}

#[test]
fn held_replies_do_not_fill_the_outbox() {
    let mut outbox = OutboxOptions::default();
    outbox.entries = 5;
    outbox.bytes = 5_000;
    let mut bench = Bench::with_outbox(outbox, true);
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.script.add(|request| {
        let is_send = request.method == "POST" && request.path.ends_with("/messages");
        is_send.then(|| Answer::refuse(403, "READ_ONLY"))
    });
    for number in 0..150 {
        let question = number.to_string();
        bench.post("c1", &question);
        bench.reply(bench.delivery(&question), &format!("re {question}"));
    }
    let entries: Vec<_> = bench.session.outbox_entries().cloned().collect();
    assert_eq!(entries.len(), 100, "the oldest ones are discarded");
    assert_eq!(entries[0].plaintext(), "re 50");
    let is_refused = |reason: Option<&HeldReason>| matches!(reason, Some(HeldReason::Refused(_)));
    assert!(entries.iter().all(|entry| is_refused(entry.held())));
    assert_eq!(bench.store.with_prefix("outbox/entry/").len(), 100);
    bench.restart(with(|_| {}));
    bench.post("c1", "last");
    bench.reply(bench.delivery("last"), "re last");
}

#[test]
fn files_of_held_replies_are_bounded() {
    let mut outbox = OutboxOptions::default();
    outbox.bytes = 5_000;
    let mut bench = Bench::with_outbox(outbox, true);
    bench.join("c1");
    bench.open(with(|_| {}));
    let is_check = |path: &str| path.contains("/files");
    bench
        .script
        .add(move |request| is_check(&request.path).then(|| Answer::refuse(403, "READ_ONLY")));
    for number in 0..4 {
        let question = number.to_string();
        bench.post("c1", &question);
        let upload = Upload::new(UploadKind::File, question.clone(), 0);
        let reply = Enqueue::from(OutboxFile::bytes(upload, vec![0; 1_500]));
        let (now, delivery) = (bench.now, bench.delivery(&question));
        bench
            .session
            .reply(now, delivery, reply)
            .expect("there is room");
        bench.run();
    }
    let entries = bench.session.outbox_entries();
    let names: Vec<_> = entries
        .map(|entry| entry.files[0].filename.clone())
        .collect();
    assert_eq!(names, ["2", "3"], "the oldest ones are discarded");
    assert_eq!(bench.store.with_prefix("outbox/file/").len(), 2);
}
