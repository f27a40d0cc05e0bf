//! Edits, cancellations and their times.

use talk_proto::command::EditMessage;
use talk_proto::outbox::{EntryAction, HeldReason};

use super::bench::Bench;
use crate::support::store::StoreMode;
use crate::support::{Answer, Network, millis, seconds};

fn offline() -> Bench {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    bench
}

fn go_online(bench: &mut Bench) {
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
}

#[test]
fn edit_before_the_first_try_replaces_the_content() {
    let mut bench = offline();
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::Edit("b".into())));
    bench.restart();
    assert_eq!(bench.entry(&entry).plaintext(), "b");
    go_online(&mut bench);
    assert_eq!(bench.texts(), ["b"]);
    assert_eq!(bench.keys(), [entry.as_str()]);
}

#[test]
fn cancel_before_the_first_try_removes_the_entry() {
    let mut bench = offline();
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::Cancel));
    assert!(!bench.act(&entry, EntryAction::Cancel));
    assert!(bench.store.records().is_empty());
    go_online(&mut bench);
    assert!(bench.texts().is_empty());
}

#[test]
fn edit_and_cancel_after_a_try_are_too_late() {
    let mut bench = Bench::stored().connected();
    bench.latency = seconds(1);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(!bench.act(&entry, EntryAction::Edit("b".into())));
    assert!(!bench.act(&entry, EntryAction::Cancel));
    bench.run_for(seconds(2));
    assert_eq!(bench.texts(), ["a"]);
}

#[test]
fn edit_after_the_only_try_was_refused_has_a_new_key() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 400, 1);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::Edit("b".into())));
    assert_eq!(bench.texts(), ["b"]);
    let keys = bench.keys();
    assert_eq!(keys[0], entry.as_str());
    assert_ne!(keys[1], entry.as_str());
    assert!(
        bench.session.outbox_receipt(&entry).is_some(),
        "the ID stays"
    );
}

#[test]
fn edit_after_a_second_refusal_is_too_late() {
    let mut bench = Bench::stored().connected();
    bench.refuse("a", 400, 2);
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::Retry));
    assert!(matches!(bench.held(&entry), Some(HeldReason::Refused(_))));
    assert!(!bench.act(&entry, EntryAction::Edit("b".into())));
}

#[test]
fn edit_after_and_delete_after_follow_the_send() {
    let edit = EntryAction::EditAfter(EditMessage::text("*b*").custom("k", "v"));
    for action in [edit, EntryAction::DeleteAfter] {
        let mut bench = offline();
        let entry = bench.enqueue("c1", "a");
        bench.run();
        assert!(bench.act(&entry, action.clone()));
        bench.restart();
        go_online(&mut bench);
        assert_eq!(bench.texts(), ["a"]);
        let line = match action {
            EntryAction::DeleteAfter => "DELETE /conversations/c1/messages/msg_1",
            _ => "PATCH /conversations/c1/messages/msg_1",
        };
        let sent = bench.log.of(line);
        assert_eq!(sent.len(), 1);
        if line.starts_with("PATCH") {
            assert_eq!(sent[0].data["content"][0]["children"][0]["type"], "bold");
            assert_eq!(sent[0].data["custom"]["k"], "v");
        }
        assert!(bench.session.outbox_entry(&entry).is_none());
        assert!(bench.store.with_prefix("outbox/entry/").is_empty());
    }
}

#[test]
fn follow_up_crash_after_every_output_is_sent() {
    for crash in 1..200 {
        let mut bench = offline();
        let entry = bench.enqueue("c1", "a");
        bench.run();
        assert!(bench.act(&entry, EntryAction::DeleteAfter));
        bench.network = Network::Up(seconds(0));
        bench.crash_after = Some(bench.outputs + crash);
        bench.run_for(seconds(60));
        let has_crashed = bench.has_crashed();
        if has_crashed {
            bench.restart();
            bench.run_for(seconds(60));
        }
        assert_eq!(bench.texts(), ["a"], "crash after {crash}");
        let deleted = bench.log.of("DELETE /conversations/c1/messages/msg_1");
        assert!(!deleted.is_empty(), "crash after {crash}");
        assert!(
            bench.store.with_prefix("outbox/entry/").is_empty(),
            "crash after {crash}"
        );
        if !has_crashed {
            return;
        }
    }
    panic!("the scenario does not end");
}

#[test]
fn follow_up_refused_is_held() {
    let mut bench = offline();
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::EditAfter("b".into())));
    let mut times = 1;
    bench.script.add(move |request| {
        let is_refused = request.method == "PATCH" && times > 0;
        times -= usize::from(is_refused);
        is_refused.then(|| Answer::refuse(403, "NO"))
    });
    go_online(&mut bench);
    assert!(matches!(bench.held(&entry), Some(HeldReason::Refused(error)) if error.status == 403));
    bench.enqueue("c1", "later");
    bench.run();
    assert_eq!(
        bench.texts(),
        ["a", "later"],
        "the message is sent, so it blocks nothing"
    );
    bench.restart();
    assert!(bench.act(&entry, EntryAction::Retry));
    bench.run_for(seconds(1));
    assert_eq!(
        bench.log.of("PATCH /conversations/c1/messages/msg_1").len(),
        2
    );
    assert!(bench.session.outbox_entry(&entry).is_none());
}

#[test]
fn follow_up_that_is_held_names_the_message() {
    let mut bench = offline();
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::DeleteAfter));
    bench.script.add(|request| {
        let is_refused = request.method == "DELETE";
        is_refused.then(|| Answer::refuse(403, "NO"))
    });
    go_online(&mut bench);
    for _ in 0..2 {
        assert!(bench.held(&entry).is_some());
        let message = bench.entry(&entry).message();
        assert_eq!(message.map(|id| id.as_str()), Some("msg_1"));
        bench.restart();
        bench.run_for(seconds(1));
    }
}

#[test]
fn nothing_follows_the_deletion_of_the_message() {
    let mut bench = offline();
    let entry = bench.enqueue("c1", "a");
    bench.run();
    assert!(bench.act(&entry, EntryAction::DeleteAfter));
    bench.network = Network::Up(seconds(1));
    bench.latency = seconds(1);
    // The entry stays until its answer is stored.
    let deleted = "DELETE /conversations/c1/messages/msg_1";
    while bench.log.of(deleted).is_empty() {
        bench.run_for(millis(100));
    }
    bench.store.mode = StoreMode::Waits;
    bench.run_for(seconds(5));
    assert_eq!(bench.held(&entry), None);
    for action in [EntryAction::EditAfter("b".into()), EntryAction::DeleteAfter] {
        assert!(!bench.act(&entry, action));
    }
    bench.store.mode = StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    bench.run();
    assert!(bench.session.outbox_entry(&entry).is_none());
    assert_eq!(bench.log.of(deleted).len(), 1);
}

#[test]
fn discard_in_flight_forgets_the_entry() {
    let mut bench = Bench::stored().connected();
    bench.latency = seconds(1);
    let entry = bench.enqueue("c1", "a");
    bench.enqueue("c1", "b");
    bench.run();
    assert!(bench.act(&entry, EntryAction::Discard));
    bench.run_for(seconds(5));
    assert!(bench.session.outbox_entry(&entry).is_none());
    assert_eq!(bench.unsent(), [""; 0]);
}
