//! The files of entries.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use talk_proto::model::EntryId;
use talk_proto::outbox::{
    Enqueue, EntryAction, FileSource, HeldReason, OnRefusal, OutboxFile, Stage,
};
use talk_proto::upload::{Upload, UploadKind};
use talk_proto::{CommandError, HttpBody, Timestamp};

use super::bench::Bench;
use crate::support::store::StoreMode;
use crate::support::{Answer, Network, conversation, seconds};

/// The statuses of the next uploads; later ones succeed.
type Statuses = Rc<RefCell<Vec<Option<u16>>>>;

/// Adds a server that accepts files, except for the next ones as `statuses` says. `None` is a
/// network failure.
fn accept_files(bench: &mut Bench, statuses: &[Option<u16>]) -> Statuses {
    let statuses = Rc::new(RefCell::new(statuses.to_vec()));
    let left = Rc::clone(&statuses);
    let mut uploaded = 0;
    bench.script.add_http(move |uri| {
        if !uri.ends_with("/files") {
            return None;
        }
        let mut left = left.borrow_mut();
        if !left.is_empty() {
            return Some(left.remove(0).map(|status| (status, json!({}))));
        }
        uploaded += 1;
        Some(Some((200, json!({"fileToken": format!("ft_{uploaded}")}))))
    });
    statuses
}

fn upload(name: &str) -> Upload {
    Upload::new(UploadKind::File, name, 5)
}

fn on_disk(name: &str) -> OutboxFile {
    let modified = Timestamp::from_millis(1_600_000_000_000);
    OutboxFile::path(upload(name), format!("/home/alice/{name}"), Some(modified))
}

fn in_store(name: &str) -> OutboxFile {
    OutboxFile::bytes(upload(name), "Hello")
}

/// Returns the number of times that a file was sent.
fn attempts(bench: &Bench) -> usize {
    bench.http_of("/files").len()
}

/// Returns the tokens and texts of the posted messages.
fn posted(bench: &Bench) -> Vec<String> {
    let part = |block: &Value| match block["fileToken"].as_str() {
        Some(token) => token.to_owned(),
        None => block["children"][0].as_str().unwrap_or_default().to_owned(),
    };
    let posts = bench.posts.borrow();
    let message = |data: &Value| {
        let blocks = data["content"].as_array().expect("content is a list");
        blocks.iter().map(part).collect::<Vec<_>>().join("+")
    };
    posts.posted.iter().map(|it| message(&it.data)).collect()
}

/// Leaves an entry with a file that no session has sent.
fn offline(file: OutboxFile) -> (Bench, EntryId) {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    let entry = bench.enqueue("c1", file);
    bench.run_for(seconds(1));
    (bench, entry)
}

/// Refuses all messages with a file.
fn refuse_tokens(bench: &mut Bench) {
    bench.script.add(|request| {
        let has_file = request.data["content"][0]["fileToken"].is_string();
        has_file.then(|| Answer::refuse(400, "INVALID_FILE_TOKEN"))
    });
}

#[test]
fn file_is_uploaded_before_its_message_is_sent() {
    for file in [on_disk("a.txt"), in_store("a.txt")] {
        let mut bench = Bench::stored().connected();
        accept_files(&mut bench, &[]);
        let source = file.source.clone();
        let entry = bench.enqueue("c1", Enqueue::from("see").file(file));
        let queued = bench.entry(&entry).clone();
        assert_eq!(
            (queued.files.len(), queued.plaintext().as_str()),
            (1, "see")
        );
        bench.run();
        assert_eq!(posted(&bench), ["see+ft_1"]);
        let HttpBody::Upload {
            source: sent,
            length,
            ..
        } = &bench.http_of("/files")[0].body
        else {
            panic!("the body is the file");
        };
        assert_eq!((sent.as_ref(), *length), (Some(&source), 5));
    }
}

#[test]
fn stages_are_queued_uploading_sending_sent() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    bench.latency = seconds(1);
    let entry = bench.enqueue("c1", on_disk("a.txt"));
    bench.run_for(seconds(10));
    let mut stages: Vec<_> = bench.reported(&entry).iter().map(|it| it.0).collect();
    stages.dedup();
    let expected = ["queued", "uploading", "queued", "sending", "sent"];
    assert_eq!(stages, expected);
}

#[test]
fn uploads_run_ahead_and_messages_keep_their_order() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    bench.latency = seconds(1);
    for text in ["a", "b", "c"] {
        bench.enqueue("c1", text);
    }
    bench.enqueue("c1", on_disk("d.txt"));
    bench.enqueue("c1", "e");
    bench.run_for(seconds(2));
    assert_eq!(
        attempts(&bench),
        1,
        "the file is uploaded ahead of its turn"
    );
    assert!(posted(&bench).len() < 4);
    bench.run_for(seconds(20));
    assert_eq!(posted(&bench), ["a", "b", "c", "ft_1", "e"]);
}

#[test]
fn upload_failing_blocks_only_its_conversation() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[Some(500), Some(500), Some(500)]);
    let failing = bench.enqueue("c1", on_disk("a.txt"));
    bench.run();
    bench.enqueue("c1", "behind");
    bench.enqueue("c2", "other");
    bench.run();
    assert_eq!(posted(&bench), ["other"]);
    assert_eq!(
        *bench.stage(&failing),
        Stage::Queued,
        "it waits for a retry"
    );
    bench.run_for(seconds(10));
    assert_eq!(posted(&bench), ["other", "ft_1", "behind"]);
}

#[test]
fn upload_pending_leaves_room_for_other_conversations() {
    let mut bench = Bench::stored().connected();
    bench.script.hold_http("/files");
    for name in ["a.txt", "b.txt"] {
        bench.enqueue("c1", on_disk(name));
        bench.enqueue("c2", on_disk(name));
    }
    bench.run();
    assert_eq!(attempts(&bench), 2, "one of each conversation");
}

#[test]
fn upload_failures_are_retried_with_growing_delays() {
    let mut bench = Bench::stored().connected();
    let failures = [Some(500), Some(503), None, Some(429), None, Some(502)];
    accept_files(&mut bench, &failures);
    bench.enqueue("c1", on_disk("a.txt"));
    let start = bench.now;
    bench.run_for(seconds(100));
    let asked = bench.http_of("/files");
    let after = asked
        .iter()
        .map(|it| it.at.saturating_since(start).as_secs());
    assert_eq!(after.collect::<Vec<_>>(), [0, 1, 3, 7, 15, 31, 61]);
    assert_eq!(posted(&bench), ["ft_1"]);
}

#[test]
fn upload_failing_for_10_minutes_is_held() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[Some(500); 100]);
    let entry = bench.enqueue("c1", on_disk("a.txt"));
    bench.run_for(seconds(700));
    assert!(matches!(bench.held(&entry), Some(HeldReason::Refused(error)) if error.status == 500));
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[None; 100]);
    let entry = bench.enqueue("c1", on_disk("a.txt"));
    bench.run_for(seconds(1_200));
    assert_eq!(bench.held(&entry), None, "a network failure holds nothing");
}

#[test]
fn file_refused_by_the_server_is_held() {
    let mut bench = Bench::stored().connected();
    bench.script.add(|request| {
        let is_check = request.path == "/files/validate";
        is_check.then(|| Answer::refuse(400, "FILE_TOO_LARGE"))
    });
    let skipped = Enqueue::from(on_disk("a.txt")).on_refusal(OnRefusal::Skip);
    let entry = bench.enqueue("c1", skipped);
    bench.enqueue("c1", "b");
    bench.run();
    assert!(matches!(bench.held(&entry), Some(HeldReason::Refused(error)) if error.status == 400));
    assert_eq!(attempts(&bench), 0);
    assert_eq!(posted(&bench), ["b"]);
}

#[test]
fn file_changed_or_gone_is_held() {
    let (mut bench, entry) = offline(on_disk("a.txt"));
    accept_files(&mut bench, &[]);
    bench.file_problem = Some("it has changed since it was queued");
    bench.network = Network::Up(seconds(0));
    bench.enqueue("c1", "behind");
    bench.run_for(seconds(60));
    let reason = HeldReason::SourceGone("it has changed since it was queued".into());
    assert_eq!(bench.held(&entry), Some(&reason));
    assert_eq!((attempts(&bench), posted(&bench).len()), (0, 0));
    bench.restart();
    assert_eq!(bench.held(&entry), Some(&reason), "it is stored");
    bench.file_problem = None;
    assert!(bench.act(&entry, EntryAction::Retry));
    bench.run_for(seconds(60));
    assert_eq!(posted(&bench), ["ft_1", "behind"]);
}

#[test]
fn file_changed_during_the_upload_is_held() {
    let mut bench = Bench::stored().connected();
    bench.script.hold_http("/files");
    let entry = bench.enqueue("c1", on_disk("a.txt"));
    bench.run();
    let failure = talk_proto::HttpFailure::Source("it is shorter".to_owned());
    let http = bench.last_http();
    bench.http_fail(http, failure);
    let reason = HeldReason::SourceGone("it is shorter".into());
    assert_eq!(bench.held(&entry), Some(&reason));
}

#[test]
fn token_refused_is_uploaded_once_more() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    bench.script.add(|request| {
        let is_first = request.data["content"][0]["fileToken"] == "ft_1";
        is_first.then(|| Answer::refuse(400, "INVALID_FILE_TOKEN"))
    });
    let entry = bench.enqueue("c1", on_disk("a.txt"));
    bench.enqueue("c1", "b");
    bench.run();
    assert_eq!(posted(&bench), ["ft_2", "b"]);
    assert_eq!(attempts(&bench), 2);
    let keys = bench.keys();
    assert_eq!(keys[0], entry.as_str());
    assert_ne!(keys[0], keys[1], "the content has another token");
    assert_eq!(keys[1].len(), 20);
}

#[test]
fn token_refused_twice_is_held() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    refuse_tokens(&mut bench);
    let entry = bench.enqueue("c1", on_disk("a.txt"));
    bench.run();
    assert!(matches!(bench.held(&entry), Some(HeldReason::Refused(error)) if error.status == 400));
    assert_eq!(attempts(&bench), 2);
}

#[test]
fn restart_during_an_upload_keeps_the_key() {
    let mut bench = Bench::stored().connected();
    bench.script.hold_http("/files");
    let entry = bench.enqueue("c1", in_store("a.txt"));
    bench.run();
    assert_eq!(*bench.stage(&entry), Stage::Uploading);
    bench.network = Network::Refuse;
    bench.restart();
    assert_eq!(*bench.stage(&entry), Stage::Queued);
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
    assert_eq!(attempts(&bench), 2, "its result was lost");
    let http = bench.last_http();
    bench.http_answer(http, 200, r#"{"fileToken": "ft_1"}"#);
    assert_eq!(posted(&bench), ["ft_1"]);
    assert_eq!(bench.keys(), [entry.as_str()]);
}

#[test]
fn restart_after_an_upload_does_not_upload_again() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    bench.posts.borrow_mut().is_silent = true;
    bench.enqueue("c1", "a");
    bench.enqueue("c1", in_store("b.txt"));
    bench.run();
    assert_eq!(attempts(&bench), 1);
    bench.posts.borrow_mut().is_silent = false;
    bench.restart();
    bench.run_for(seconds(60));
    assert_eq!(posted(&bench), ["a", "ft_1"]);
    assert_eq!(attempts(&bench), 1);
}

#[test]
fn crash_after_every_output_posts_the_file_once() {
    for crash in 1.. {
        let mut bench = Bench::stored();
        accept_files(&mut bench, &[]);
        bench.crash_after = Some(crash);
        for (name, text) in [("a.txt", "x"), ("b.txt", "y")] {
            bench.enqueue("c1", in_store(name));
            bench.enqueue("c1", text);
        }
        bench.run_for(seconds(1));
        let has_crashed = bench.has_crashed();
        bench.restart();
        bench.run_for(seconds(60));
        let posted = posted(&bench);
        let texts: Vec<_> = posted.iter().filter(|it| !it.starts_with("ft")).collect();
        // A crash before the first write loses all of them.
        assert!(texts.is_empty() || texts == ["x", "y"], "after {crash}");
        assert_eq!(posted.len(), 2 * texts.len(), "after {crash}");
        assert!(bench.store.with_prefix("outbox/file/").is_empty());
        if !has_crashed {
            assert!(crash > 10, "the scenario has several outputs");
            return;
        }
    }
}

#[test]
fn bytes_are_stored_until_the_entry_is_sent() {
    let (mut bench, entry) = offline(in_store("a.txt"));
    let stored = bench.store.with_prefix("outbox/file/");
    assert_eq!(stored[0]["bytes"], "SGVsbG8=");
    accept_files(&mut bench, &[]);
    bench.network = Network::Up(seconds(0));
    bench.restart();
    bench.run_for(seconds(60));
    assert_eq!(posted(&bench), ["ft_1"]);
    assert_eq!(bench.keys(), [entry.as_str()]);
    assert!(bench.store.with_prefix("outbox/file/").is_empty());
    let HttpBody::Upload { source, .. } = &bench.http_of("/files")[0].body else {
        panic!("the body is the file");
    };
    assert_eq!(*source, Some(FileSource::Bytes("Hello".into())));
}

#[test]
fn bytes_missing_in_the_store_are_held() {
    let (mut bench, entry) = offline(in_store("a.txt"));
    let key = format!("outbox/file/{entry}/0");
    bench.store.insert(&key, r#"{"v":99}"#);
    bench.network = Network::Up(seconds(0));
    bench.restart();
    bench.run_for(seconds(60));
    assert!(matches!(
        bench.held(&entry),
        Some(HeldReason::SourceGone(_))
    ));
}

#[test]
fn upload_waits_for_the_store() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    bench.store.mode = StoreMode::Waits;
    bench.enqueue("c1", in_store("a.txt"));
    bench.run_for(seconds(5));
    assert_eq!(attempts(&bench), 0);
    bench.complete_batches(&Ok(()));
    assert_eq!(attempts(&bench), 1);
    assert!(bench.keys().is_empty(), "its token is not stored");
    bench.complete_batches(&Ok(()));
    bench.complete_batches(&Ok(()));
    assert_eq!(posted(&bench), ["ft_1"]);
}

#[test]
fn edit_not_stored_keeps_the_old_bytes() {
    let (mut bench, entry) = offline(in_store("a.txt"));
    bench.store.mode = StoreMode::Fails;
    assert!(bench.act(&entry, EntryAction::Edit("edited".into())));
    bench.run_for(seconds(1));
    bench.store.mode = StoreMode::Stores;
    bench.run_for(seconds(60));
    assert!(matches!(
        bench.held(&entry),
        Some(HeldReason::StoreFailed(_))
    ));
    accept_files(&mut bench, &[]);
    bench.network = Network::Up(seconds(0));
    bench.restart();
    bench.run_for(seconds(60));
    assert_eq!(posted(&bench), ["ft_1"], "the old message is complete");
}

#[test]
fn edit_stored_by_a_retry_deletes_the_old_bytes() {
    let (mut bench, entry) = offline(in_store("a.txt"));
    bench.store.mode = StoreMode::Fails;
    assert!(bench.act(&entry, EntryAction::Edit("edited".into())));
    bench.run_for(seconds(1));
    bench.store.mode = StoreMode::Stores;
    assert!(bench.act(&entry, EntryAction::Retry));
    bench.run_for(seconds(60));
    assert!(bench.store.with_prefix("outbox/file/").is_empty());
}

#[test]
fn store_failed_bytes_are_stored_by_a_retry() {
    let mut bench = Bench::stored();
    bench.network = Network::Refuse;
    bench.store.mode = StoreMode::Fails;
    let entry = bench.enqueue("c1", in_store("a.txt"));
    bench.run_for(seconds(60));
    assert!(bench.store.with_prefix("outbox/").is_empty());
    assert!(matches!(
        bench.held(&entry),
        Some(HeldReason::StoreFailed(_))
    ));
    bench.store.mode = StoreMode::Stores;
    assert!(bench.act(&entry, EntryAction::Retry));
    bench.run_for(seconds(1));
    assert_eq!(bench.store.with_prefix("outbox/file/").len(), 1);
}

#[test]
fn discard_and_edit_stop_the_upload_and_remove_the_bytes() {
    for action in [EntryAction::Discard, EntryAction::Edit("b".into())] {
        let mut bench = Bench::stored().connected();
        bench.script.hold_http("/files");
        let entry = bench.enqueue("c1", in_store("a.txt"));
        bench.run();
        assert_eq!(*bench.stage(&entry), Stage::Uploading);
        let is_edit = action != EntryAction::Discard;
        assert!(bench.act(&entry, action));
        assert!(bench.http_of("/files")[0].cancelled);
        bench.run_for(seconds(10));
        assert!(bench.store.with_prefix("outbox/file/").is_empty());
        let expected: &[&str] = if is_edit { &["b"] } else { &[] };
        assert_eq!(posted(&bench), expected);
    }
}

#[test]
fn pause_delays_the_upload() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    let now = bench.now;
    let paused = bench.session.pause_conversation(now, conversation("c1"));
    paused.expect("there is an outbox");
    bench.enqueue("c1", on_disk("a.txt"));
    bench.run_for(seconds(10));
    assert_eq!(attempts(&bench), 0);
    let now = bench.now;
    let resumed = bench.session.resume_conversation(now, conversation("c1"));
    resumed.expect("there is an outbox");
    bench.run_for(seconds(10));
    assert_eq!(posted(&bench), ["ft_1"]);
}

#[test]
fn bytes_of_files_count_towards_the_cap() {
    let mut bench = Bench::with(|options| options.bytes = 2_000, true);
    bench.network = Network::Refuse;
    let large = OutboxFile::bytes(upload("a.txt"), vec![0; 2_000]);
    let now = bench.now;
    let full = bench.session.enqueue(now, conversation("c1"), large.into());
    assert!(matches!(
        full,
        Err(CommandError::OutboxFull { bytes: 2_000, .. })
    ));
    let on_disk = OutboxFile::path(
        Upload::new(UploadKind::File, "a.txt", 1 << 30),
        "/a.txt",
        None,
    );
    bench.enqueue("c1", on_disk);
}

#[test]
fn upload_continues_over_a_connection_loss() {
    let mut bench = Bench::stored().connected();
    bench.script.hold_http("/files");
    bench.enqueue("c1", on_disk("a.txt"));
    bench.run();
    bench.cut();
    bench.run();
    let http = bench.last_http();
    bench.http_answer(http, 200, r#"{"fileToken": "ft_1"}"#);
    bench.run_for(seconds(60));
    assert_eq!(attempts(&bench), 1);
    assert_eq!(posted(&bench), ["ft_1"]);
}

#[test]
fn file_is_found_again_by_its_token_after_a_lost_answer() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    bench.posts.borrow_mut().is_silent = true;
    bench.enqueue("c1", in_store("a.txt"));
    bench.run();
    assert_eq!(posted(&bench), ["ft_1"]);
    bench.posts.borrow_mut().is_silent = false;
    bench.posts.borrow_mut().forgets_keys = true;
    bench.network = Network::Refuse;
    bench.restart();
    bench.run_for(seconds(24 * 60 * 60));
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
    assert_eq!(posted(&bench), ["ft_1"], "it is not sent twice");
    assert!(bench.unsent().is_empty());
}

#[test]
fn upload_without_usable_answers_is_held() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[Some(200); 100]);
    let entry = bench.enqueue("c1", on_disk("a.txt"));
    bench.run_for(seconds(500));
    assert_eq!(bench.held(&entry), None, "not for 10 minutes yet");
    bench.run_for(seconds(200));
    assert_eq!(bench.held(&entry), Some(&HeldReason::Uncertain));
}

#[test]
fn upload_next_to_missing_bytes_starts_once() {
    let mut bench = Bench::stored();
    accept_files(&mut bench, &[]);
    bench.network = Network::Refuse;
    bench.enqueue("c1", in_store("a.txt"));
    let missing = bench.enqueue("c2", in_store("b.txt"));
    bench.run_for(seconds(1));
    let key = format!("outbox/file/{missing}/0");
    bench.store.insert(&key, r#"{"v":99}"#);
    bench.network = Network::Up(seconds(0));
    bench.restart();
    bench.run_for(seconds(60));
    assert_eq!(posted(&bench), ["ft_1"]);
    assert_eq!(attempts(&bench), 1);
}

#[test]
fn token_refused_without_a_source_keeps_the_refusal() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    refuse_tokens(&mut bench);
    bench.script.hold_http("/files");
    let skipped = Enqueue::from(on_disk("a.txt")).on_refusal(OnRefusal::Skip);
    let entry = bench.enqueue("c1", skipped);
    bench.enqueue("c1", "b");
    bench.run();
    bench.file_problem = Some("it has changed since it was queued");
    let http = bench.last_http();
    bench.http_answer(http, 200, r#"{"fileToken": "ft_1"}"#);
    bench.run_for(seconds(60));
    assert!(matches!(bench.held(&entry), Some(HeldReason::Refused(error)) if error.status == 400));
    assert_eq!(posted(&bench), ["b"]);
}

#[test]
fn retry_of_a_refused_token_uploads_once_more() {
    let mut bench = Bench::stored().connected();
    accept_files(&mut bench, &[]);
    bench.script.add(|request| {
        let token = request.data["content"][0]["fileToken"].as_str()?;
        (token < "ft_3").then(|| Answer::refuse(400, "INVALID_FILE_TOKEN"))
    });
    let entry = bench.enqueue("c1", on_disk("a.txt"));
    bench.run();
    assert!(bench.held(&entry).is_some());
    assert!(bench.act(&entry, EntryAction::Retry));
    bench.run_for(seconds(60));
    assert_eq!(posted(&bench), ["ft_3"]);
}
