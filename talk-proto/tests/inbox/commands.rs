//! Misuse, and the end of inboxes.

use talk_proto::filter::{ConversationFilter, SimpleFilter};
use talk_proto::inbox::InboxEvent;
use talk_proto::storage::StorageEvent;
use talk_proto::{CommandError, Event, RequestError, SessionError};

use super::bench::{Bench, beginning, with};
use crate::support::store::StoreMode;
use crate::support::{Answer, seconds};

#[test]
fn open_with_an_open_name_is_refused() {
    let mut bench = Bench::stored();
    bench.open(with(|_| {}));
    let now = bench.now;
    let again = bench.session.open_inbox(now, "bot", with(|_| {}));
    assert_eq!(again, Err(CommandError::InboxOpen));
    let nameless = bench.session.open_inbox(now, "", with(|_| {}));
    assert!(matches!(nameless, Err(CommandError::EmptyId(_))));
}

#[test]
fn open_with_a_filter_on_own_effects_is_refused() {
    let mut bench = Bench::stored();
    let filters = [
        ("isUnread", SimpleFilter::new().is_unread(true)),
        ("lastActivityAt", SimpleFilter::new().last_activity_at(5..)),
        ("hasMessages", SimpleFilter::new().has_messages(true)),
    ];
    for (field, filter) in filters {
        let filter = ConversationFilter::Any(vec![SimpleFilter::new(), filter]);
        let options = with(|options| options.filter = Some(filter));
        let now = bench.now;
        let refused = bench.session.open_inbox(now, "bot", options);
        assert_eq!(refused, Err(CommandError::InboxFilter { field }));
    }
}

#[test]
fn open_with_unreadable_records_is_refused() {
    let mut bench = Bench::stored();
    bench.store.insert("inbox/bot/c1", "{");
    bench.store.insert("inbox/newer", r#"{"v":2}"#);
    bench.crash();
    bench.run();
    let now = bench.now;
    for name in ["bot", "newer"] {
        let refused = bench.session.open_inbox(now, name, with(|_| {}));
        assert_eq!(refused, Err(CommandError::InboxUnreadable));
    }
    let key = "inbox/bot/c1".to_owned();
    let reported = Event::Storage(StorageEvent::Unreadable { key });
    let is_reported = |(_, event): &(_, Event)| format!("{event:?}") == format!("{reported:?}");
    assert!(bench.log.events.iter().any(is_reported));
    assert_eq!(bench.store.records().len(), 2, "nothing is overwritten");
}

#[test]
fn shutdown_ends_inboxes_before_the_session() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    let delivery = bench.delivery("a");
    let now = bench.now;
    bench.session.shutdown(now);
    bench.drain();
    let error = Some(RequestError::Session(SessionError::Shutdown));
    let ended = InboxEvent::Ended { error };
    assert_eq!(bench.inbox_events().last(), Some(&ended));
    let acked = bench.session.ack(now, delivery);
    assert_eq!(acked, Err(CommandError::Ended(SessionError::Shutdown)));
}

#[test]
fn refused_list_ends_the_inbox() {
    let mut bench = Bench::stored();
    bench.script.add(|request| {
        let is_list = request.method == "GET" && request.path == "/me/conversations";
        is_list.then(|| Answer::refuse(403, "NOT_ALLOWED"))
    });
    bench.open(with(|_| {}));
    let ended = bench.inbox_events().last();
    let is_refusal = |error: &RequestError| matches!(error, RequestError::Server(_));
    assert!(
        matches!(ended, Some(InboxEvent::Ended { error: Some(error) }) if is_refusal(error)),
        "{ended:?}"
    );
    bench.open(with(|_| {}));
}

#[test]
fn closed_inbox_lets_the_session_become_idle() {
    let mut bench = Bench::stored();
    let inbox = bench.open(with(|_| {}));
    assert!(!bench.session.is_idle());
    let now = bench.now;
    assert_eq!(bench.session.close_inbox(now, inbox), Ok(true));
    assert_eq!(bench.session.close_inbox(now, inbox), Ok(false));
    bench.run_for(seconds(60));
    assert!(bench.session.is_idle());
    assert_eq!(bench.requests("UNSUBSCRIBE", "/me/conversations"), 1);
}

#[test]
fn open_before_the_last_acks_are_stored_continues() {
    let mut bench = Bench::stored();
    bench.join("c1");
    let first = bench.open(with(|_| {}));
    for text in ["a", "b", "c"] {
        bench.post("c1", text);
    }
    let acked = bench.delivery("b");
    bench.store.mode = StoreMode::Waits;
    bench.ack(acked);
    let now = bench.now;
    assert_eq!(bench.session.close_inbox(now, first), Ok(true));
    bench.open(with(|_| {}));
    bench.store.mode = StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    bench.run_published();
    assert_eq!(bench.acked(), [acked]);
    assert_eq!(bench.texts(), ["a", "b", "c", "a", "c"]);
    let ended = bench
        .inbox_events()
        .filter(|it| matches!(it, InboxEvent::Ended { .. }));
    assert_eq!(ended.count(), 1);
    for text in ["a", "c"] {
        let again = bench.deliveries().into_iter().rev();
        let again = again.clone().find(|it| it.message.plaintext() == text);
        assert!(bench.ack(again.expect("a delivery").id));
    }
    bench.restart(with(|_| {}));
    assert_eq!(bench.texts(), [""; 0]);
}

#[test]
fn open_again_before_the_start_is_stored_waits() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.store.mode = StoreMode::Waits;
    let first = bench.open(with(|_| {}));
    let now = bench.now;
    assert_eq!(bench.session.close_inbox(now, first), Ok(true));
    bench.open(with(|_| {}));
    let is_open = |bench: &Bench| bench.inbox_events().any(|it| *it == InboxEvent::Opened);
    assert!(!is_open(&bench), "a crash would lose the start");
    bench.store.mode = StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    assert!(is_open(&bench));
}

#[test]
fn reopen_twice_during_one_write_continues() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    for text in ["a", "b"] {
        bench.post("c1", text);
    }
    bench.store.mode = StoreMode::Waits;
    bench.ack(bench.delivery("a"));
    bench.ack(bench.delivery("b"));
    bench.close_inbox();
    bench.open(with(|_| {}));
    bench.close_inbox();
    bench.store.mode = StoreMode::Stores;
    bench.complete_batches(&Ok(()));
    bench.run_for(seconds(2));
    bench.log.events.clear();
    bench.open(beginning());
    bench.run_for(seconds(2));
    assert_eq!(bench.texts(), [""; 0], "all are acknowledged");
    bench.post("c1", "c");
    assert_eq!(bench.texts(), ["c"]);
}
