//! The lock of a store, and sessions that wait for it.

use std::time::Duration;

use talk_client::store::{MemoryStore, StoreError, StoreState};
use talk_tokio::{Error, SessionError, TransportError, get_talk_session};

use super::support::{Faulty, Town, open, within};

#[tokio::test]
async fn store_in_use_ends_the_second_session() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    let (first, conversation) = town.session(store.clone());
    within(conversation.enqueue("Hello!").stored())
        .await
        .unwrap();
    let options = town.options().store(store).store_timeout(Duration::ZERO);
    let (second, conversation) = open(options);
    let in_use = Err(Error::Store(StoreError::InUse));
    assert_eq!(within(conversation.enqueue("no").stored()).await, in_use);
    assert_eq!(second.error(), Some(SessionError::Store(StoreError::InUse)));
    let in_use = Err(Error::Store(StoreError::InUse));
    assert_eq!(within(conversation.mark_as_read()).await, in_use);
    assert_eq!(first.error(), None);
}

#[tokio::test]
async fn store_in_use_is_awaited() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    let (first, conversation) = town.holder(store.clone()).await;
    let options = town.options().store(store);
    let (second, later) = open(options.store_timeout(Duration::from_secs(60)));
    let entry = later.enqueue("two");
    assert_eq!(second.store_state(), StoreState::Opening);
    within(conversation.send("three")).await.unwrap();
    within(first.shutdown()).await;
    within(entry.sent()).await.unwrap();
    assert_eq!(town.texts().await.last().map(String::as_str), Some("two"));
}

#[tokio::test]
async fn call_during_opening_keeps_its_deadline() {
    let town = Town::new().await;
    let store = Faulty::default();
    store.hang();
    let (session, conversation) = town.session(store);
    let timeout = Duration::from_millis(20);
    let late = within(conversation.send("Hello!").timeout(timeout)).await;
    let Err(Error::Transport(TransportError::Deadline {
        after,
        maybe_happened: false,
        last_failure: Some(cause),
        ..
    })) = late
    else {
        panic!("not late but {late:?}");
    };
    assert_eq!(after, timeout);
    assert_eq!(cause, "the store has not answered yet");
    within(session.shutdown()).await;
    let ended = Err(Error::Session(SessionError::Shutdown));
    assert_eq!(within(conversation.send("Hello!")).await, ended);
}

#[tokio::test]
async fn shared_session_without_store_is_refused() {
    let town = Town::new().await;
    let shared = |options: talk_tokio::TalkOptions| options.host(town.emulator.host());
    let new = || talk_tokio::TalkOptions::new("app", "bob").unwrap();
    let first = get_talk_session(shared(new())).unwrap();
    let store = MemoryStore::default();
    let second = get_talk_session(shared(new()).store(store.clone())).unwrap();
    let refused = StoreError::SharedWithoutStore;
    assert_eq!(second.error(), Some(SessionError::Store(refused.clone())));
    let sent = second.conversation("c").unwrap().send("Hello!");
    assert_eq!(within(sent).await, Err(Error::Store(refused)));

    within(first.shutdown()).await;
    let third = get_talk_session(shared(new()).store(store)).unwrap();
    assert_eq!(third.error(), None);
    assert_eq!(third, get_talk_session(shared(new())).unwrap());
}
