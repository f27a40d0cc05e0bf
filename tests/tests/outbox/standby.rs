//! Sessions that work without their store while another session has it.

use talk_client::outbox::{OutboxOptions, Stage};
use talk_client::store::{MemoryStore, Store, StoreError, StoreState};
use talk_tokio::{CommandError, ConversationRef, Error, Session, SessionError, SimpleFilter};

use super::support::{Faulty, Town, open, until_sent, within};

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
    let (first, _) = town.holder(store.clone()).await;
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
    let (first, _) = town.holder(store.clone()).await;
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
    let store = Faulty::default();
    store.set_away(true);
    let (session, conversation) = standby(&town, store.clone());
    let entry = conversation.enqueue("Hello!");
    let away = StoreError::Io("the server is away".to_owned());
    until_state(&session, &StoreState::Unavailable(away)).await;
    store.set_away(false);
    within(entry.sent()).await.unwrap();
    assert_eq!(session.store_state(), StoreState::Active);
}

#[tokio::test]
async fn standby_limits_the_bytes_of_waiting_entries() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    let (first, _) = town.holder(store.clone()).await;
    let mut limits = OutboxOptions::default();
    limits.bytes = 2_000;
    let bytes = limits.bytes;
    let options = town.options().outbox(limits).store(store).standby(true);
    let (second, conversation) = open(options);
    let long = "x".repeat(1_200);
    let fits = conversation.enqueue(&*long);
    until_state(&second, &StoreState::Standby).await;
    let full = within(conversation.enqueue(&*long).stored()).await;
    let entries = OutboxOptions::default().entries;
    let expected = CommandError::OutboxFull { entries, bytes };
    assert_eq!(full, Err(Error::Usage(expected)));
    within(first.shutdown()).await;
    within(fits.sent()).await.unwrap();
}

#[tokio::test]
async fn standby_inbox_refuses_a_filter_at_once() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    let (_first, _) = town.holder(store.clone()).await;
    let (second, _) = standby(&town, store);
    let unread = SimpleFilter::new().is_unread(true);
    let refused = within(second.inbox("bot").filter(unread).open()).await;
    let field = "isUnread";
    let expected = CommandError::InboxFilter { field };
    assert_eq!(refused.err(), Some(Error::Usage(expected)));
}

#[tokio::test]
async fn standby_shut_down_fails_waiting_entries() {
    let town = Town::new().await;
    let store = MemoryStore::default();
    let (_first, _) = town.holder(store.clone()).await;
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
    let store = Faulty::default();
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
    let store = Faulty::default();
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
