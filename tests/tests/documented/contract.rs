//! The common contract of subscriptions.

use std::sync::Arc;

use futures_util::StreamExt;
use talk_tokio::{
    CommandError, ConversationSnapshot, Error, SendMessage, SessionError, SubscriptionState,
    UserParams,
};

use super::support::{Town, ok, say, shown, within};

#[tokio::test]
async fn subscription_is_pending_active_unsubscribed() {
    let (_town, pair) = Town::with_pair().await;
    let messages = pair.alice.subscribe_messages();
    assert_eq!(messages.state(), SubscriptionState::Pending);
    let first = ok(messages.connected()).await;
    assert_eq!(messages.state(), SubscriptionState::Active(first));
    messages.unsubscribe();
    assert_eq!(messages.state(), SubscriptionState::Unsubscribed);
    messages.unsubscribe();
    assert_eq!(messages.state(), SubscriptionState::Unsubscribed);
}

#[tokio::test]
async fn subscription_ends_with_session_error() {
    let (_town, pair) = Town::with_pair().await;
    let messages = pair.alice.subscribe_messages();
    ok(messages.connected()).await;
    within(pair.of_alice.shutdown()).await;
    let error = Error::Session(SessionError::Shutdown);
    assert_eq!(within(messages.terminated()).await, Err(error.clone()));
    assert_eq!(messages.state(), SubscriptionState::Error(error.clone()));
    messages.unsubscribe();
    assert_eq!(messages.state(), SubscriptionState::Error(error), "final");
}

#[tokio::test]
async fn connected_returns_snapshot_or_error() {
    let (_town, pair) = Town::with_pair().await;
    let messages = pair.alice.subscribe_messages();
    let connected = messages.connected();
    messages.unsubscribe();
    let error = Error::Usage(CommandError::Unsubscribed);
    assert_eq!(within(connected).await, Err(error));
}

#[tokio::test]
async fn unsubscribe_resolves_terminated_and_ends_stream() {
    let (_town, pair) = Town::with_pair().await;
    let mut messages = pair.alice.subscribe_messages();
    messages.unsubscribe();
    assert_eq!(within(messages.terminated()).await, Ok(()));
    assert_eq!(within(messages.next()).await, None);
}

/// Creates futures without awaiting them, and drops their subscription.
#[tokio::test]
async fn calls_without_effect_are_ignored() {
    let (_town, pair) = Town::with_pair().await;
    for _ in 0..3 {
        let messages = pair.alice.subscribe_messages();
        drop(messages.connected());
        drop(messages.terminated());
        drop(messages.load_more(5));
    }
    let messages = pair.alice.subscribe_messages();
    assert!(ok(messages.connected()).await.is_some());
}

#[tokio::test]
async fn nested_change_updates_snapshot() {
    let (_town, pair) = Town::with_pair().await;
    let question = say(&pair.bob, "Tea?").await;
    let answer = SendMessage::text("Yes").reply_to(question.id().clone());
    ok(pair.alice.send(answer)).await;
    let mut seen = pair.alice.subscribe();
    let quoted_sender_is = |name: &'static str| {
        move |seen: &Option<Arc<ConversationSnapshot>>| {
            let last = seen.as_ref().and_then(|seen| seen.last_message.as_ref());
            let quoted = last.and_then(|message| message.referenced_message.as_ref());
            let sender = quoted.and_then(|quoted| quoted.sender.as_ref());
            sender.is_some_and(|sender| sender.name == name)
        }
    };
    shown(&mut seen, quoted_sender_is("BOB")).await;
    let bob = pair.of_bob.current_user();
    ok(bob.set(UserParams::named("Robert"))).await;
    shown(&mut seen, quoted_sender_is("Robert")).await;
}

#[tokio::test]
async fn resubscribe_at_once_shows_snapshot_at_once() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "one").await;
    let messages = pair.bob.subscribe_messages();
    ok(messages.connected()).await;
    messages.unsubscribe();
    let mut messages = pair.bob.subscribe_messages();
    assert_eq!(ok(messages.connected()).await.unwrap().len(), 1);
    say(&pair.alice, "two").await;
    shown(&mut messages, |window| window.as_ref().unwrap().len() == 2).await;
}
