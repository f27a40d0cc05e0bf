//! Inboxes that outlive their session.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use talk_client::store::{FileStore, MemoryStore, StoreState};

use super::support::{Town, next, open, text};
use crate::adapters::adapter::Adapter;

async fn unacknowledged_messages_come_again<A: Adapter>() {
    let town = Town::new();
    let store = MemoryStore::default();
    town.ask::<A>("a", &["1", "2", "3"]).await;
    let session = town.stored::<A>(store.clone());
    let mut inbox = open(&session).await;
    let first = next(&mut inbox).await;
    let second = next(&mut inbox).await;
    let third = next(&mut inbox).await;
    first.ack().await.unwrap();
    // Out of order.
    third.reply("re 3").await.unwrap();
    drop((inbox, first, second, third));
    session.shutdown().await;
    assert_eq!(session.store_state(), StoreState::Closed);
    town.ask::<A>("a", &["4"]).await;

    let session = town.stored::<A>(store);
    let mut inbox = open(&session).await;
    for expected in ["2", "4"] {
        let delivery = next(&mut inbox).await;
        assert_eq!(text(&delivery), expected);
        delivery.reply(format!("re {expected}")).await.unwrap();
    }
    let answers = town.answers("a", 3).await;
    assert_eq!(answers, ["re 3", "re 2", "re 4"]);
}

async fn interrupted_reply_answers_once<A: Adapter>() {
    let town = Town::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.talk");
    town.ask::<A>("a", &["1"]).await;
    let session = town.stored::<A>(FileStore::new(&file));
    let mut inbox = open(&session).await;
    let delivery = next(&mut inbox).await;
    {
        // The handler is dropped after it has given the answer.
        let mut reply = pin!(delivery.reply("re 1"));
        poll_fn(|cx| {
            let _ = reply.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
    }
    delivery.reply("re 1").await.unwrap();
    drop((inbox, delivery));
    session.shutdown().await;

    let session = town.stored::<A>(FileStore::new(&file));
    let mut inbox = open(&session).await;
    town.ask::<A>("a", &["2"]).await;
    let delivery = next(&mut inbox).await;
    assert_eq!(text(&delivery), "2");
    delivery.reply("re 2").await.unwrap();
    assert_eq!(town.answers("a", 2).await, ["re 1", "re 2"]);
}

async fn losses_lose_and_repeat_nothing<A: Adapter>() {
    let town = Town::new();
    let session = town.bot::<A>();
    let mut inbox = open(&session).await;
    for number in 0..5 {
        let text = number.to_string();
        let dropped = town.emulator.drop_connections();
        dropped.await.unwrap();
        town.ask::<A>("a", &[&text]).await;
        let delivery = next(&mut inbox).await;
        assert_eq!(super::support::text(&delivery), text);
        delivery.reply(text).await.unwrap();
    }
    assert_eq!(town.answers("a", 5).await, ["0", "1", "2", "3", "4"]);
}

on_every_runtime! {
    unacknowledged_messages_come_again,
    interrupted_reply_answers_once,
    losses_lose_and_repeat_nothing,
}
