//! Row D: events per second through our client, compared with a bot that stores nothing.

use anyhow::{Result, ensure};
use futures_util::StreamExt;
use serde_json::json;
use talk_tokio::{TalkOptions, get_talk_session};

use super::bot::{APP, Bot};
use super::frames::CONVERSATION;
use super::rounds::{Pair, medians, ratio};
use super::row::Row;
use super::scripted::PUBLISH;
use super::server::{Server, nanoseconds};
use crate::peer::Peer;

/// The publish frames of a round, with one message each.
const FRAMES: u64 = 20_000;

/// The publish frames of a round for the published client, which is slower.
const FRAMES_UNDER_NODE: u64 = 500;

const ROUNDS: usize = 9;

/// Measures row D, and row D-node if it is requested and Node is installed.
pub(super) async fn measure(node: bool) -> Result<Vec<Row>> {
    let mut server = Server::start("scripted").await?;
    // The first round is a warm-up.
    through_talk(&mut server).await?;
    through_bot(&mut server).await?;
    let mut pairs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        pairs.push(Pair {
            ours: through_talk(&mut server).await?,
            theirs: through_bot(&mut server).await?,
        });
    }
    let (ours, theirs) = medians(&pairs);
    let what = format!(
        "events/s through talk-tokio with a live window, against a tokio-tungstenite bot that \
         stores nothing ({ours:.0} : {theirs:.0})"
    );
    let mut rows = vec![Row::at_least(1.0, "D", ratio(&pairs), what)];
    if node && let Some(client) = Peer::install()? {
        let published = through_node(&mut server, &client).await?;
        let what = format!(
            "events/s through talk-tokio, against the published client under Node ({ours:.0} : \
             {published:.0})"
        );
        rows.push(Row::without_goal("D-node", Some(ours / published), what));
    }
    Ok(rows)
}

/// Publishes events and returns their number per second, from the first frame to the last
/// acknowledgement.
async fn publish(server: &mut Server, frames: u64) -> Result<f64> {
    let took = server.ask(&format!("{PUBLISH}{frames}")).await?;
    Ok(frames as f64 / nanoseconds(&took)?.as_secs_f64())
}

async fn through_talk(server: &mut Server) -> Result<f64> {
    let options = TalkOptions::new(APP, "alice")?
        .host(&server.host)
        .token("t")
        .force_new();
    let session = get_talk_session(options)?;
    let mut messages = session.conversation(CONVERSATION)?.subscribe_messages();
    let first = messages.connected().await?;
    let before = first.map_or(0, |window| window.len());
    let consumer = tokio::spawn(async move {
        let mut shown = 0;
        while let Some(update) = messages.next().await {
            shown = update.snapshot.map_or(0, |window| window.len());
            if shown as u64 >= before as u64 + FRAMES {
                break;
            }
        }
        shown - before
    });
    let speed = publish(server, FRAMES).await?;
    ensure!(consumer.await? as u64 == FRAMES, "messages are missing");
    // The session releases its memory now, so that it does not disturb the next measurement.
    session.shutdown().await;
    Ok(speed)
}

async fn through_bot(server: &mut Server) -> Result<f64> {
    let mut bot = Bot::connect(&server.host, "alice").await?;
    bot.subscribe(CONVERSATION).await?;
    let listening = tokio::spawn(async move { bot.listen(FRAMES).await });
    let speed = publish(server, FRAMES).await?;
    listening.await??;
    Ok(speed)
}

async fn through_node(server: &mut Server, client: &Peer) -> Result<f64> {
    let mut driver = client.drive(&server.host, APP, "alice")?;
    let subscription = driver
        .subscribe("conversation.subscribeMessages", json!([CONVERSATION]))
        .await?;
    driver
        .until(subscription, |line| line["snapshot"].is_array())
        .await?;
    publish(server, FRAMES_UNDER_NODE).await
}
