//! The outbox and its store without a network: a transport that is always offline, polled by hand.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use talk_client::outbox::{OutboxEntry, OutboxOptions};
use talk_client::store::{MemoryStore, Store, StoreError, StoreState};
use talk_client::{
    CommandError, ConversationRef, Error, Session, SessionError, TalkOptions, get_talk_session_over,
};

use crate::support::{Memory, options};

fn open(transport: &Memory, options: TalkOptions) -> (Session, ConversationRef) {
    let session = get_talk_session_over(transport, options);
    let conversation = session.conversation("c").unwrap();
    (session, conversation)
}

fn assert_stored(transport: &Memory, entry: &OutboxEntry) {
    transport.complete(entry.stored()).unwrap();
    assert!(entry.latest().unwrap().durable);
}

fn texts(options: &TalkOptions) -> Vec<String> {
    let entries = options.stored_entries().now_or_never().unwrap().unwrap();
    entries.iter().map(|entry| entry.plaintext()).collect()
}

#[test]
fn enqueue_offline_is_stored_and_restored() {
    let transport = Memory::offline();
    let options = options("restored").store(MemoryStore::default());
    let (session, conversation) = open(&transport, options.clone());
    assert_eq!(session.store_state(), StoreState::Opening);
    let (first, second) = (conversation.enqueue("one"), conversation.enqueue("two"));
    assert_stored(&transport, &first);
    assert_stored(&transport, &second);
    assert_eq!(session.store_state(), StoreState::Active);
    transport.complete(session.shutdown());
    assert_eq!(session.store_state(), StoreState::Closed);
    let ended = Err(Error::Session(SessionError::Shutdown));
    assert_eq!(transport.complete(first.sent()), ended);

    let (session, conversation) = open(&transport, options.clone());
    assert_stored(&transport, &conversation.enqueue("three"));
    let mut entries = session.subscribe_outbox();
    let update = transport.complete(entries.next()).unwrap();
    let visible: Vec<_> = update.snapshot.iter().map(|it| it.plaintext()).collect();
    assert_eq!(visible, ["one", "two", "three"]);
    assert_eq!(texts(&options), visible);
}

#[test]
fn entry_can_be_changed_before_it_is_sent() {
    let transport = Memory::offline();
    let options = options("changed").store(MemoryStore::default());
    let (session, conversation) = open(&transport, options.clone());
    let (first, second) = (conversation.enqueue("one"), conversation.enqueue("two"));
    assert!(transport.complete(first.edit("One")).unwrap());
    assert!(transport.complete(second.discard()).unwrap());
    assert!(!transport.complete(second.discard()).unwrap());
    let discarded = Err(Error::Discarded);
    assert_eq!(transport.complete(second.sent()), discarded);
    let unknown = session.outbox_entry("unknown".try_into().unwrap());
    let expected = Err(Error::Usage(CommandError::UnknownEntry));
    assert_eq!(transport.complete(unknown.retry()), expected);
    transport.complete(session.shutdown());
    assert_eq!(texts(&options), ["One"]);
}

#[test]
fn outbox_without_store_lives_in_memory() {
    let transport = Memory::offline();
    let options = options("memory").outbox(OutboxOptions::default());
    let (session, conversation) = open(&transport, options);
    let entry = conversation.enqueue("one");
    transport.complete(entry.stored()).unwrap();
    assert!(!entry.latest().unwrap().durable);
    assert_eq!(session.store_state(), StoreState::InMemory);
}

#[test]
fn last_handle_dropped_stores_its_entries() {
    let transport = Memory::offline();
    let store = MemoryStore::default();
    let options = options("dropped").store(store.clone());
    let (session, conversation) = open(&transport, options.clone());
    drop(conversation.enqueue("one"));
    drop((session, conversation));
    transport.run();
    assert!(transport.tasks.lock().unwrap().is_empty());
    assert_eq!(texts(&options), ["one"]);
    let lease = store.lock(&options.store_key()).now_or_never().unwrap();
    assert!(lease.is_ok());
}

#[test]
fn store_in_use_ends_the_session() {
    let transport = Memory::offline();
    let store = MemoryStore::default();
    let options = options("in_use").store(store.clone());
    let lease = store.lock(&options.store_key()).now_or_never().unwrap();
    let options = options.store_timeout(Duration::ZERO);
    let (session, conversation) = open(&transport, options.clone());
    let in_use = Error::Store(StoreError::InUse);
    let stored = transport.complete(conversation.enqueue("one").stored());
    assert_eq!(stored, Err(in_use.clone()));
    assert_eq!(
        session.error(),
        Some(SessionError::Store(StoreError::InUse))
    );
    assert_eq!(transport.complete(conversation.send("one")), Err(in_use));
    assert_eq!(
        session.store_state(),
        StoreState::Failing(StoreError::InUse)
    );

    drop(lease);
    let (_session, conversation) = open(&transport, options);
    assert_stored(&transport, &conversation.enqueue("one"));
}

#[test]
fn shared_session_without_store_is_refused() {
    let transport = Memory::offline();
    let (first, _) = open(&transport, options("shared"));
    let stored = options("shared").store(MemoryStore::default());
    let (second, conversation) = open(&transport, stored.clone());
    let refused = StoreError::SharedWithoutStore;
    assert_eq!(second.error(), Some(SessionError::Store(refused.clone())));
    let sent = transport.complete(conversation.send("one"));
    assert_eq!(sent, Err(Error::Store(refused)));

    transport.complete(first.shutdown());
    let (third, _) = open(&transport, stored);
    assert_eq!(third.error(), None);
    assert_eq!(open(&transport, options("shared")).0, third);
}
