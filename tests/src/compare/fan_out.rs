//! Row H: sends per second that the emulator forwards to many clients, compared with a minimal
//! server.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::bot::Bot;
use super::rounds::{Pair, medians, ratio};
use super::row::Row;
use super::server::Server;

const SUBSCRIBERS: usize = 100;

/// The sends of a round.
const SENDS: usize = 1_600;

/// The sends that are in flight at the same time.
const BURST: usize = 16;

const ROUNDS: usize = 5;

const CONVERSATION: &str = "lobby";

/// Measures row H.
pub(super) async fn measure() -> Result<Vec<Row>> {
    let (mut by_clock, mut by_processor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let ours = Speed::of("emulator").await?;
        let theirs = Speed::of("fan-out").await?;
        by_clock.push(Pair {
            ours: ours.by_clock,
            theirs: theirs.by_clock,
        });
        by_processor.push(Pair {
            ours: ours.by_processor,
            theirs: theirs.by_processor,
        });
    }
    let goal = 0.5;
    let (ours, theirs) = medians(&by_clock);
    let clock = format!(
        "sends/s to {SUBSCRIBERS} subscribers through the emulator, against a minimal fan-out \
         server ({ours:.0} : {theirs:.0})"
    );
    let (ours, theirs) = medians(&by_processor);
    let processor =
        format!("sends per second of the server's processor time ({ours:.0} : {theirs:.0})");
    Ok(vec![
        Row::at_least(goal, "H", ratio(&by_clock), clock),
        Row::at_least(goal, "H-processor", ratio(&by_processor), processor),
    ])
}

/// Sends per second.
struct Speed {
    by_clock: f64,
    by_processor: f64,
}

impl Speed {
    async fn of(role: &str) -> Result<Self> {
        let mut server = Server::start(role).await?;
        let mut speaker = Bot::connect(&server.host, "speaker").await?;
        speaker
            .call("PUT", "/users/speaker", json!({ "name": "Speaker" }))
            .await?;
        let path = format!("/conversations/{CONVERSATION}");
        speaker.call("PUT", &path, json!({})).await?;
        join(&mut speaker, "speaker").await?;

        let mut listening = Vec::with_capacity(SUBSCRIBERS);
        for number in 0..SUBSCRIBERS {
            let subscriber = subscriber(&server.host, &mut speaker, number).await?;
            listening.push(tokio::spawn(listen(subscriber)));
        }
        let before = server.processor_time().await?;
        let start = Instant::now();
        for _ in 0..SENDS / BURST {
            speaker
                .send_many(&format!("{path}/messages"), BURST)
                .await?;
        }
        for listened in try_join_all(listening).await? {
            listened?;
        }
        let took = start.elapsed();
        let worked = server.processor_time().await? - before;
        let speed = |time: Duration| SENDS as f64 / time.as_secs_f64();
        Ok(Self {
            by_clock: speed(took),
            by_processor: speed(worked),
        })
    }
}

/// Connects a user, adds them to the conversation and subscribes.
async fn subscriber(host: &str, speaker: &mut Bot, number: usize) -> Result<Bot> {
    let user = format!("user_{number:04}");
    let mut subscriber = Bot::connect(host, &user).await?;
    let me = json!({ "name": "User" });
    subscriber
        .call("PUT", &format!("/users/{user}"), me)
        .await?;
    join(speaker, &user).await?;
    subscriber.subscribe(CONVERSATION).await?;
    Ok(subscriber)
}

/// Adds a user to the conversation.
async fn join(speaker: &mut Bot, user: &str) -> Result<()> {
    let path = format!("/conversations/{CONVERSATION}/participants");
    let action = json!({ "id": user, "method": "PUT", "params": {} });
    speaker
        .call("POST", &path, json!({ "actions": [action] }))
        .await?;
    Ok(())
}

/// Acknowledges all sends. Sends that arrived together are acknowledged in one write.
async fn listen(subscriber: Bot) -> Result<()> {
    let mut socket = subscriber.into_socket();
    let mut heard = 0;
    while heard < SENDS {
        let mut next = socket.next().await;
        while let Some(message) = next {
            if let Message::Text(text) = message? {
                heard += 1;
                ensure!(text.starts_with('['), "no frame: {text}");
                socket
                    .feed(Message::text(format!("[{heard},\"ACK\"]")))
                    .await?;
            }
            match socket.next().now_or_never() {
                Some(more) => next = more,
                None => break,
            }
        }
        socket.flush().await.context("the server has left")?;
    }
    Ok(())
}
