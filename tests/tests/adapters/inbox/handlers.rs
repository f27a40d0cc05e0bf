//! `Inbox::run`.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use talk_client::inbox::{Delivery, HandlerError, RunOptions};
use talk_client::{Access, Error, ParticipantParams, SessionError};
use tokio::sync::oneshot;

use super::support::{Town, open, text};
use crate::adapters::adapter::{Adapter, yield_now};

/// Options whose retries do not take long.
fn quick() -> RunOptions {
    RunOptions::new(8).backoff(Duration::from_millis(1), Duration::from_millis(4))
}

async fn handlers_run_in_order_and_at_the_same_time<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1", "2", "3"]).await;
    town.ask::<A>("b", &["1", "2", "3"]).await;
    let session = town.bot::<A>();
    let inbox = open(&session).await;
    let running: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let handler = move |delivery: Delivery| {
        let running = Arc::clone(&running);
        async move {
            let id = delivery.conversation.id.to_string();
            *running.lock().unwrap().entry(id.clone()).or_default() += 1;
            if text(&delivery) == "1" {
                // Both conversations have a handler now.
                while running.lock().unwrap().len() < 2 {
                    yield_now().await;
                }
            }
            assert_eq!(running.lock().unwrap()[&id], 1);
            let answered = delivery.reply(text(&delivery)).await.map(drop);
            *running.lock().unwrap().get_mut(&id).unwrap() -= 1;
            answered
        }
    };
    let _running = A::spawn(inbox.run(2, handler));
    for id in ["a", "b"] {
        assert_eq!(town.answers(id, 3).await, ["1", "2", "3"]);
    }
}

async fn failures_are_retried_and_then_skipped<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["error", "hang", "good"]).await;
    let session = town.bot::<A>();
    let inbox = open(&session).await;
    let failures: Arc<Mutex<Vec<_>>> = Arc::default();
    let reported = Arc::clone(&failures);
    let options = quick()
        .tries(3)
        .timeout(Duration::from_millis(20))
        .on_failure(move |failure| {
            let is_late = matches!(failure.error, HandlerError::TimedOut(_));
            let delivery = &failure.delivery;
            let failure = (
                text(delivery),
                delivery.attempt(),
                failure.retry_in,
                is_late,
            );
            reported.lock().unwrap().push(failure);
        });
    let handler = |delivery: Delivery| async move {
        match text(&delivery).as_str() {
            "error" => Err("no".into()),
            "hang" => pending().await,
            text => {
                delivery.reply(text).await?;
                Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
            }
        }
    };
    let _running = A::spawn(inbox.run(options, handler));
    assert_eq!(town.answers("a", 1).await, ["good"]);
    let (first, second) = (Duration::from_millis(1), Duration::from_millis(2));
    let delays = [Some(first), Some(second), None];
    let mut expected = Vec::new();
    for (text, is_late) in [("error", false), ("hang", true)] {
        for (attempt, delay) in (1..).zip(delays) {
            expected.push((text.to_owned(), attempt, delay, is_late));
        }
    }
    assert_eq!(*failures.lock().unwrap(), expected);
}

async fn uncounted_failures_are_retried_until_success<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1"]).await;
    let session = town.bot::<A>();
    let inbox = open(&session).await;
    let options = quick().tries(2).always_retry_if(|error| match error {
        HandlerError::Failed(error) => error.to_string() == "down",
        _ => false,
    });
    let failures = Arc::new(Mutex::new(vec!["down", "no", "down", "down", "down"]));
    let handler = move |delivery: Delivery| {
        let failure = failures.lock().unwrap().pop();
        async move {
            if let Some(failure) = failure {
                return Err(failure.into());
            }
            delivery.reply(delivery.attempt().to_string()).await?;
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        }
    };
    let _running = A::spawn(inbox.run(options, handler));
    assert_eq!(town.answers("a", 1).await, ["2"]);
}

async fn failure_of_one_conversation_does_not_stop_others<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1"]).await;
    let session = town.bot::<A>();
    let inbox = open(&session).await;
    let day = Duration::from_secs(86_400);
    let options = RunOptions::new(1).backoff(day, day);
    let handler = |delivery: Delivery| async move {
        match delivery.conversation.id.as_str() {
            "a" => Err(Error::NotAParticipant),
            _ => delivery.reply("yes").await.map(drop),
        }
    };
    let _running = A::spawn(inbox.run(options, handler));
    town.ask::<A>("b", &["2"]).await;
    assert_eq!(town.answers("b", 1).await, ["yes"]);
}

async fn shutdown_completes_running_handlers<A: Adapter>() {
    let town = Town::new();
    town.ask::<A>("a", &["1", "2"]).await;
    let session = town.bot::<A>();
    let inbox = open(&session).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (started, starts) = oneshot::channel();
    let (go, goes) = oneshot::channel::<()>();
    let once = Arc::new(Mutex::new(Some((started, goes))));
    let options = quick().graceful_shutdown(async { drop(stopped.await) });
    let running = A::spawn(inbox.run(options, move |delivery: Delivery| {
        let once = once.lock().unwrap().take();
        async move {
            let (started, goes) = once.unwrap();
            started.send(()).unwrap();
            goes.await.unwrap();
            delivery.reply(text(&delivery)).await.map(drop)
        }
    }));
    starts.await.unwrap();
    stop.send(()).unwrap();
    for _ in 0..10 {
        yield_now().await;
    }
    go.send(()).unwrap();
    assert_eq!(running.await, Ok(()));
    assert_eq!(town.answers("a", 1).await, ["1"]);
}

async fn refused_answers_are_reported_once<A: Adapter>() {
    let town = Town::new();
    let bob = A::session(town.options("bob"));
    let bot = bob.conversation("a").unwrap().participant("bot").unwrap();
    let reader = ParticipantParams::default().access(Access::Read);
    bot.edit(reader).await.unwrap();
    town.ask::<A>("a", &["1", "2"]).await;
    town.ask::<A>("b", &["3"]).await;
    let session = town.bot::<A>();
    let inbox = open(&session).await;
    let held: Arc<Mutex<Vec<_>>> = Arc::default();
    let reported = Arc::clone(&held);
    let options = quick().on_held(move |entry| {
        let mut reported = reported.lock().unwrap();
        reported.push((entry.conversation.to_string(), entry.plaintext()));
    });
    let handler =
        |delivery: Delivery| async move { delivery.reply(text(&delivery)).await.map(drop) };
    let _running = A::spawn(inbox.run(options, handler));
    assert_eq!(town.answers("b", 1).await, ["3"]);
    while held.lock().unwrap().len() < 2 {
        yield_now().await;
    }
    let of_a = |text: &str| ("a".to_owned(), text.to_owned());
    assert_eq!(*held.lock().unwrap(), [of_a("1"), of_a("2")]);
}

async fn run_ends_with_the_session<A: Adapter>() {
    let town = Town::new();
    let session = town.bot::<A>();
    let inbox = open(&session).await;
    let handler = |delivery: Delivery| async move { delivery.ack().await };
    let running = A::spawn(inbox.run(1, handler));
    session.shutdown().await;
    let ended = Error::Session(SessionError::Shutdown);
    assert_eq!(running.await, Err(ended));
}

on_every_runtime! {
    handlers_run_in_order_and_at_the_same_time,
    failures_are_retried_and_then_skipped,
    uncounted_failures_are_retried_until_success,
    failure_of_one_conversation_does_not_stop_others,
    shutdown_completes_running_handlers,
    refused_answers_are_reported_once,
    run_ends_with_the_session,
}
