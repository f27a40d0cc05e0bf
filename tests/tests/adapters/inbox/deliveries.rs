//! Deliveries, acknowledgements and answers.

use futures_util::{FutureExt, StreamExt};
use talk_client::{CommandError, Error, SessionError, SimpleFilter, StringFilter};

use super::support::{Town, next, open, text};
use crate::adapters::adapter::Adapter;

async fn deliveries_are_in_order_and_answered<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1", "2"]).await;
    let session = town.bot::<A>();
    let mut inbox = open(&session).await;
    for expected in ["1", "2"] {
        let delivery = next(&mut inbox).await;
        assert_eq!(text(&delivery), expected);
        assert_eq!(delivery.conversation.id.as_str(), "a");
        assert_eq!(delivery.attempt(), 1);
        let answer = delivery.reply(format!("re {expected}")).await.unwrap();
        answer.sent().await.unwrap();
        delivery.ack().await.unwrap();
    }
    // Later messages, also in another conversation.
    town.ask::<A>("b", &["3"]).await;
    let delivery = next(&mut inbox).await;
    assert_eq!(text(&delivery), "3");
    delivery.ack().await.unwrap();
    assert_eq!(town.answers("a", 2).await, ["re 1", "re 2"]);
}

async fn ack_without_store_resolves_at_once<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1", "2"]).await;
    let session = town.bot::<A>();
    let mut inbox = open(&session).await;
    let delivery = next(&mut inbox).await;
    assert_eq!(delivery.ack().now_or_never(), Some(Ok(())));
    drop(inbox);
    let mut inbox = open(&session).await;
    assert_eq!(text(&next(&mut inbox).await), "2");
}

async fn start_now_skips_earlier_messages<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["early"]).await;
    let session = town.bot::<A>();
    let mut inbox = session.inbox("in").open().await.unwrap();
    town.ask::<A>("a", &["late"]).await;
    assert_eq!(text(&next(&mut inbox).await), "late");
}

async fn options_select_messages<A: Adapter>() {
    let town = Town::new();
    let session = town.bot::<A>();
    let b = session.conversation("b").unwrap();
    let help = talk_client::ConversationParams::default().subject("Help");
    b.set(help).await.unwrap();
    b.send("own").await.unwrap();
    town.ask::<A>("a", &["1"]).await;
    town.ask::<A>("b", &["2"]).await;
    let start = talk_client::inbox::InboxStart::Beginning;
    let filter = SimpleFilter::new().subject(StringFilter::is("Help"));
    let mut filtered = session.inbox("filtered").start(start).filter(filter);
    filtered = filtered.max_unacked(4);
    let mut filtered = filtered.open().await.unwrap();
    assert_eq!(text(&next(&mut filtered).await), "2");
    let mut one = b.inbox("one").start(start).own(true).open().await.unwrap();
    assert_eq!(text(&next(&mut one).await), "own");
    assert_eq!(text(&next(&mut one).await), "2");
}

async fn max_subscribed_zero_reads_pages<A: Adapter>() {
    let town = Town::new();
    let session = town.bot::<A>();
    let inbox = session.inbox("in").max_subscribed(0);
    let mut inbox = inbox.open().await.unwrap();
    for expected in ["1", "2"] {
        town.ask::<A>("a", &[expected]).await;
        assert_eq!(text(&next(&mut inbox).await), expected);
    }
    let requests = town.emulator.received_requests().await.unwrap();
    let of_bot = |method: &str| {
        requests.iter().any(|it| {
            it.user.as_deref() == Some("bot")
                && it.method == method
                && it.path.ends_with("/a/messages")
        })
    };
    assert!(of_bot("GET"));
    assert!(!of_bot("SUBSCRIBE"));
}

async fn closed_inbox_ends_its_stream_and_acks<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1", "2"]).await;
    let session = town.bot::<A>();
    let mut inbox = open(&session).await;
    let delivery = next(&mut inbox).await;
    inbox.close();
    assert!(inbox.next().await.is_none());
    assert_eq!(inbox.terminated().await, Ok(()));
    let closed = Error::Usage(CommandError::Unsubscribed);
    assert_eq!(delivery.ack().await, Err(closed));
    let unknown = Error::Usage(CommandError::UnknownDelivery);
    assert_eq!(delivery.reply("no").await.map(drop), Err(unknown));

    // The name is free, and the positions in memory are those from before.
    let mut inbox = open(&session).await;
    let delivery = next(&mut inbox).await;
    assert_eq!(text(&delivery), "1");
    drop(inbox);
    assert!(delivery.ack().await.is_err());
}

async fn ended_session_ends_inboxes<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1"]).await;
    let session = town.bot::<A>();
    let mut inbox = open(&session).await;
    let delivery = next(&mut inbox).await;
    session.shutdown().await;
    assert!(inbox.next().await.is_none());
    let ended = Error::Session(SessionError::Shutdown);
    assert_eq!(inbox.terminated().await, Err(ended.clone()));
    assert_eq!(delivery.ack().await, Err(ended.clone()));
    assert_eq!(delivery.reply("no").await.map(drop), Err(ended.clone()));
    assert_eq!(session.inbox("in").open().await.map(drop), Err(ended));
}

async fn misuse_is_a_usage_error<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1"]).await;
    let session = A::session(town.options("bot"));
    let _inbox = open(&session).await;
    let again = session.inbox("in").open().await.map(drop);
    assert_eq!(again, Err(Error::Usage(CommandError::InboxOpen)));
    let unread = session
        .inbox("x")
        .filter(SimpleFilter::new().is_unread(true));
    let refused = unread.open().await.map(drop);
    let field = "isUnread";
    assert_eq!(
        refused,
        Err(Error::Usage(CommandError::InboxFilter { field }))
    );
}

async fn reply_needs_no_outbox_option<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1"]).await;
    let session = A::session(town.options("bot"));
    let mut inbox = open(&session).await;
    let delivery = next(&mut inbox).await;
    let answer = delivery.reply("2").await.unwrap();
    let message = answer.sent().await.unwrap();
    let sent = message.get().await.unwrap();
    assert_eq!(sent.map(|it| it.plaintext()).as_deref(), Some("2"));
}

on_every_runtime! {
    deliveries_are_in_order_and_answered,
    ack_without_store_resolves_at_once,
    start_now_skips_earlier_messages,
    options_select_messages,
    max_subscribed_zero_reads_pages,
    closed_inbox_ends_its_stream_and_acks,
    ended_session_ends_inboxes,
    misuse_is_a_usage_error,
    reply_needs_no_outbox_option,
}
