//! Entries and their handles.

use futures_util::StreamExt;
use talk_client::outbox::{HeldReason, OutboxOptions, Stage};
use talk_client::store::{MemoryStore, StoreError, StoreState};
use talk_tokio::{CommandError, Error};

use super::support::{Faulty, Town, open, until_sent, within};

#[tokio::test]
async fn enqueue_online_is_stored_and_sent() {
    let town = Town::new().await;
    let (session, conversation) = town.session(MemoryStore::default());
    let entry = conversation.enqueue("Hello, *world*!");
    let id = within(entry.stored()).await.unwrap();
    let message = within(entry.sent()).await.unwrap();
    let found = within(message.get()).await.unwrap().unwrap();
    assert_eq!(found.plaintext(), "Hello, world!");
    assert_eq!(session.store_state(), StoreState::Active);

    // The receipt resolves handles of an entry that has left the outbox.
    until_sent(&session).await;
    let later = session.outbox_entry(id);
    assert_eq!(within(later.sent()).await.unwrap(), message);
    assert!(!within(later.discard()).await.unwrap());
}

#[tokio::test]
async fn enqueue_without_store_lives_in_memory() {
    let town = Town::new().await;
    town.go_offline().await;
    let (session, conversation) = open(town.options().outbox(OutboxOptions::default()));
    let entry = conversation.enqueue("Hello!");
    within(entry.stored()).await.unwrap();
    assert!(!entry.latest().unwrap().durable);
    assert_eq!(session.store_state(), StoreState::InMemory);
    town.go_online();
    session.network_changed();
    within(entry.sent()).await.unwrap();
    assert_eq!(town.texts().await, ["Hello!"]);
}

#[tokio::test]
async fn enqueue_without_outbox_is_a_usage_error() {
    let town = Town::new().await;
    let (session, conversation) = open(town.options());
    let refused = Err(Error::Usage(CommandError::NoOutbox));
    let entry = conversation.enqueue("Hello!");
    assert_eq!(within(entry.stored()).await, refused);
    let refused = Err(Error::Usage(CommandError::NoOutbox));
    assert_eq!(
        within(session.subscribe_outbox().terminated()).await,
        refused
    );
}

#[tokio::test]
async fn entry_offline_can_be_edited_and_discarded() {
    let town = Town::new().await;
    town.go_offline().await;
    let (session, conversation) = town.session(MemoryStore::default());
    let first = conversation.enqueue("one");
    let second = conversation.enqueue("two");
    assert!(within(first.edit("One")).await.unwrap());
    assert!(within(second.cancel()).await.unwrap());
    assert_eq!(within(second.sent()).await, Err(Error::Discarded));
    assert!(!within(second.retry()).await.unwrap());
    let unknown = session.outbox_entry("unknown".try_into().unwrap());
    let expected = Err(Error::Usage(CommandError::UnknownEntry));
    assert_eq!(within(unknown.retry()).await, expected);

    assert!(within(first.edit_after("ONE")).await.unwrap());
    town.go_online();
    session.network_changed();
    until_sent(&session).await;
    assert_eq!(town.texts().await, ["ONE"]);
}

#[tokio::test]
async fn entry_paused_is_sent_after_resume() {
    let town = Town::new().await;
    let (_session, conversation) = town.session(MemoryStore::default());
    within(conversation.pause_outbox()).await.unwrap();
    let entry = conversation.enqueue("Hello!");
    within(entry.stored()).await.unwrap();
    within(conversation.send("first")).await.unwrap();
    assert_eq!(entry.latest().unwrap().stage, Stage::Queued);
    within(conversation.resume_outbox()).await.unwrap();
    within(entry.sent()).await.unwrap();
    assert_eq!(town.texts().await, ["first", "Hello!"]);
}

#[tokio::test]
async fn entry_with_failing_store_is_held_and_retried() {
    let town = Town::new().await;
    let store = Faulty::default();
    let (session, conversation) = town.session(store.clone());
    store.fail(true);
    let entry = conversation.enqueue("Hello!");
    let full = StoreError::Io("the disk is full".to_owned());
    assert_eq!(
        within(entry.stored()).await,
        Err(Error::Store(full.clone()))
    );
    let mut states = session.store_states();
    assert_eq!(within(states.next()).await, Some(StoreState::Failing(full)));
    let held = HeldReason::StoreFailed("the disk is full".into());
    assert_eq!(entry.latest().unwrap().held(), Some(&held));

    store.fail(false);
    within(session.retry_outbox()).await.unwrap();
    within(entry.stored()).await.unwrap();
    within(entry.sent()).await.unwrap();
    assert_eq!(within(states.next()).await, Some(StoreState::Active));
    assert_eq!(town.texts().await, ["Hello!"]);
    within(session.shutdown()).await;
    assert_eq!(within(states.next()).await, Some(StoreState::Closed));
    assert_eq!(within(states.next()).await, None);
}

#[tokio::test]
async fn echo_becomes_the_message_in_one_update() {
    let town = Town::new().await;
    let (_session, conversation) = town.session(MemoryStore::default());
    let mut messages = conversation.subscribe_messages();
    within(messages.connected()).await.unwrap();
    let entry = conversation.enqueue("Hello!");
    let mut settled = Vec::new();
    within(async {
        while settled.is_empty() {
            let update = messages.next().await.unwrap();
            let window = update.snapshot.unwrap();
            let visible = window.len() + window.pending().len();
            assert!(visible <= 1, "the message is visible once");
            settled = update.settled;
            assert_eq!(settled.is_empty(), window.is_empty());
        }
    })
    .await;
    let id = within(entry.stored()).await.unwrap();
    let message = within(entry.sent()).await.unwrap();
    assert_eq!(settled, [(id, message.id().clone())]);
}
