//! Entries that outlive their session.

use talk_client::store::{MemoryStore, Store, StoreError, StoreState};
use talk_tokio::{Error, SessionError};

use super::support::{Faulty, Town, open, until_sent, until_unlocked, within};

/// Enqueues messages without a connection, and shuts the session down.
async fn enqueue_offline(town: &Town, store: &MemoryStore, texts: &[&str]) {
    town.go_offline().await;
    let (session, conversation) = town.session(store.clone());
    for text in texts {
        within(conversation.enqueue(*text).stored()).await.unwrap();
    }
    within(session.shutdown()).await;
    assert_eq!(session.store_state(), StoreState::Closed);
    town.go_online();
}

#[tokio::test]
async fn restart_sends_stored_entries_in_order() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    enqueue_offline(&town, &store, &["one", "two"]).await;
    enqueue_offline(&town, &store, &["three"]).await;
    let options = town.options().store(store.clone());
    let stored = options.stored_entries().await.unwrap();
    let texts: Vec<_> = stored.iter().map(|entry| entry.plaintext()).collect();
    assert_eq!(texts, ["one", "two", "three"]);

    let (session, _) = town.session(store.clone());
    let entry = session.outbox_entry(stored[2].id.clone());
    within(entry.sent()).await.unwrap();
    until_sent(&session).await;
    within(session.shutdown()).await;
    assert_eq!(town.texts().await, texts);
    let stored = town.options().store(store).stored_entries().await.unwrap();
    assert_eq!(stored, []);
}

#[tokio::test]
async fn restart_paused_sends_nothing_before_resume() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    enqueue_offline(&town, &store, &["one"]).await;
    let options = town.options().store(store).pause_restored();
    let (_session, conversation) = open(options);
    within(conversation.send("first")).await.unwrap();
    within(conversation.resume_outbox()).await.unwrap();
    within(conversation.enqueue("two").sent()).await.unwrap();
    assert_eq!(town.texts().await, ["first", "one", "two"]);
}

#[tokio::test]
async fn last_handle_dropped_stores_its_entries() {
    let town = Town::new().await;
    town.go_offline().await;
    let store = MemoryStore::default();
    let (session, conversation) = town.session(store.clone());
    drop(conversation.enqueue("Hello!"));
    drop((session, conversation));
    let options = town.options().store(store.clone());
    // The session may not have locked the store yet.
    within(async {
        while options.stored_entries().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    until_unlocked(&store, &options).await;

    town.go_online();
    let (session, _) = town.session(store);
    until_sent(&session).await;
    assert_eq!(town.texts().await, ["Hello!"]);
}

#[tokio::test]
async fn shutdown_reports_a_failed_write() {
    let town = Town::new().await;
    town.go_offline().await;
    let store = Faulty::default();
    let (session, conversation) = town.session(store.clone());
    let entry = conversation.enqueue("Hello!");
    within(entry.stored()).await.unwrap();
    store.fail(true);
    assert!(within(entry.discard()).await.unwrap());
    within(session.shutdown()).await;
    let full = StoreError::Io("the disk is full".to_owned());
    assert_eq!(session.store_state(), StoreState::Failing(full));
    let ended = Err(Error::Session(SessionError::Shutdown));
    assert_eq!(within(conversation.enqueue("later").stored()).await, ended);
}

#[tokio::test]
async fn store_cleared_has_no_entries() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    enqueue_offline(&town, &store, &["one"]).await;
    let options = town.options().store(store.clone());
    store.clear(&options.store_key()).await.unwrap();
    assert_eq!(options.stored_entries().await.unwrap(), []);
}
