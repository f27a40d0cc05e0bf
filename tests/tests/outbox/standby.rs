//! Sessions that work without their store while another session has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use talk_client::outbox::Stage;
use talk_client::store::{
    Change, Lease, MemoryStore, Record, Store, StoreError, StoreKey, StoreState,
};
use talk_client::transport::BoxFuture;
use talk_tokio::{ConversationRef, Error, Session, SessionError};
use tokio::sync::Notify;

use crate::support::{Town, open, until_sent, within};

/// A store that can revoke the lock of a session.
#[derive(Clone, Default)]
struct Expiring {
    inner: MemoryStore,
    expired: Arc<Notify>,
    is_taken: Arc<AtomicBool>,
    is_away: Arc<AtomicBool>,
}

impl Expiring {
    /// Revokes the lock of the session that has it, so that a session that uses `inner` can get the
    /// lock.
    fn take(&self) {
        self.is_taken.store(true, Ordering::Relaxed);
        self.expired.notify_one();
    }

    fn give_back(&self) {
        self.is_taken.store(false, Ordering::Relaxed);
    }
}

impl Store for Expiring {
    fn load(&self, key: &StoreKey) -> BoxFuture<'static, Result<Vec<Record>, StoreError>> {
        self.inner.load(key)
    }

    fn apply(
        &self,
        key: &StoreKey,
        changes: Vec<Change>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        self.inner.apply(key, changes)
    }

    fn lock(&self, key: &StoreKey) -> BoxFuture<'static, Result<Lease, StoreError>> {
        if self.is_away.load(Ordering::Relaxed) {
            let error = StoreError::Io("the server is away".to_owned());
            return Box::pin(std::future::ready(Err(error)));
        }
        if self.is_taken.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(StoreError::InUse)));
        }
        let (locked, expired) = (self.inner.lock(key), Arc::clone(&self.expired));
        Box::pin(async move {
            Ok(Lease::with_loss(locked.await?, async move {
                expired.notified().await;
            }))
        })
    }

    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>> {
        self.inner.clear(key)
    }
}

fn standby(town: &Town, store: impl Store) -> (Session, ConversationRef) {
    open(town.options().store(store).standby(true))
}

async fn until_state(session: &Session, state: &StoreState) {
    within(async {
        while session.store_state() != *state {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn standby_works_and_waits_for_the_store() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    let (first, conversation) = town.session(store.clone());
    within(conversation.enqueue("one").stored()).await.unwrap();
    until_sent(&first).await;

    let (second, conversation) = standby(&town, store);
    let entry = conversation.enqueue("three");
    within(conversation.send("two")).await.unwrap();
    until_state(&second, &StoreState::Standby).await;
    assert!(entry.latest().is_none());

    within(first.shutdown()).await;
    within(entry.sent()).await.unwrap();
    assert_eq!(second.store_state(), StoreState::Active);
    assert_eq!(town.texts().await, ["one", "two", "three"]);
    within(second.shutdown()).await;
    assert_eq!(second.store_state(), StoreState::Closed);
}

#[tokio::test]
async fn standby_inbox_opens_with_the_store() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    let (first, conversation) = town.session(store.clone());
    within(conversation.enqueue("one").stored()).await.unwrap();
    let (second, _) = standby(&town, store);
    let opening = tokio::spawn(second.inbox("bot").open());
    let given_up = tokio::spawn(second.inbox("other").open());
    until_state(&second, &StoreState::Standby).await;
    given_up.abort();
    assert!(!opening.is_finished());
    within(first.shutdown()).await;
    let inbox = within(opening).await.unwrap().unwrap();
    inbox.close();
}

#[tokio::test]
async fn standby_has_a_free_store_at_once() {
    let town = Town::new().await;
    let (session, conversation) = standby(&town, MemoryStore::default());
    within(conversation.enqueue("Hello!").sent()).await.unwrap();
    assert_eq!(session.store_state(), StoreState::Active);
}

#[tokio::test]
async fn standby_waits_for_a_store_that_is_away() {
    let town = Town::new().await;
    let store = Expiring::default();
    store.is_away.store(true, Ordering::Relaxed);
    let (session, conversation) = standby(&town, store.clone());
    let entry = conversation.enqueue("Hello!");
    until_state(&session, &StoreState::Standby).await;
    store.is_away.store(false, Ordering::Relaxed);
    within(entry.sent()).await.unwrap();
    assert_eq!(session.store_state(), StoreState::Active);
}

#[tokio::test]
async fn standby_shut_down_fails_waiting_entries() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    let (_first, conversation) = town.session(store.clone());
    within(conversation.enqueue("one").stored()).await.unwrap();
    let (second, conversation) = standby(&town, store);
    let entry = conversation.enqueue("two");
    until_state(&second, &StoreState::Standby).await;
    within(second.shutdown()).await;
    let ended = Err(Error::Session(SessionError::Shutdown));
    assert_eq!(within(entry.stored()).await, ended);
    assert_eq!(second.store_state(), StoreState::Closed);
}

#[tokio::test]
async fn lock_lost_lets_the_other_session_send() {
    let town = Town::new().await;
    town.go_offline().await;
    let store = Expiring::default();
    let (first, conversation) = standby(&town, store.clone());
    let entry = conversation.enqueue("one");
    within(entry.stored()).await.unwrap();
    store.take();
    assert_eq!(
        within(entry.sent()).await,
        Err(Error::Store(StoreError::Lost))
    );
    until_state(&first, &StoreState::Lost).await;

    town.go_online();
    first.network_changed();
    let (second, _) = town.session(store.inner.clone());
    until_sent(&second).await;
    within(conversation.send("two")).await.unwrap();
    assert_eq!(town.texts().await, ["one", "two"]);

    within(second.shutdown()).await;
    store.give_back();
    within(conversation.enqueue("three").sent()).await.unwrap();
    assert_eq!(first.store_state(), StoreState::Active);
    assert_eq!(town.texts().await, ["one", "two", "three"]);
}

#[tokio::test]
async fn lock_lost_without_standby_ends_the_session() {
    let town = Town::new().await;
    let store = Expiring::default();
    let (session, conversation) = town.session(store.clone());
    within(conversation.pause_outbox()).await.unwrap();
    let entry = conversation.enqueue("one");
    within(entry.stored()).await.unwrap();
    assert_eq!(entry.latest().unwrap().stage, Stage::Queued);
    store.take();
    assert_eq!(
        within(entry.sent()).await,
        Err(Error::Store(StoreError::Lost))
    );
    let sent = within(conversation.send("two")).await;
    assert_eq!(sent, Err(Error::Store(StoreError::Lost)));
    assert_eq!(session.error(), Some(SessionError::Store(StoreError::Lost)));
    assert_eq!(session.store_state(), StoreState::Failing(StoreError::Lost));
    assert_eq!(town.texts().await, [""; 0]);
}
