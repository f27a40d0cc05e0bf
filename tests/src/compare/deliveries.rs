//! Row P: messages through an inbox, compared with a live window.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use futures_util::StreamExt;
use serde_json::json;
use talk_tokio::inbox::Inbox;
use talk_tokio::{
    MessageSnapshot, Session, Subscription, TalkOptions, UserParams, Window, get_talk_session,
};
use tokio::io::{BufReader, Lines, Stdin};

use super::bot::{APP, Bot};
use super::process;
use super::rounds::{Pair, medians, ratio};
use super::row::Row;
use super::server::{Server, nanoseconds};
use crate::child::Child;

/// The messages of a round. They arrive after the first burst, which is not measured.
const MESSAGES: usize = 32_000;

/// The messages that arrive in a row.
const BURST: usize = 32;

const ROUNDS: usize = 5;

const SPEAKER: &str = "speaker";
const CONVERSATION: &str = "question";

/// Measures row P.
pub(super) async fn measure() -> Result<Vec<Row>> {
    let mut pairs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        pairs.push(Pair {
            ours: speed(&["--inbox"]).await?,
            theirs: speed(&[]).await?,
        });
    }
    let (ours, theirs) = medians(&pairs);
    let what = format!(
        "messages per second of processor time, delivered by an inbox and acknowledged, against a \
         live window ({ours:.0} : {theirs:.0})"
    );
    Ok(vec![Row::at_least(0.7, "P", ratio(&pairs), what)])
}

/// Returns the messages per second of processor time of a listener.
async fn speed(flags: &[&str]) -> Result<f64> {
    let emulator = Server::start("emulator").await?;
    let mut speaker = Bot::connect(&emulator.host, SPEAKER).await?;
    let me = json!({ "name": "Speaker" });
    speaker.call("PUT", "/users/speaker", me).await?;
    let role = ["listener", "--host", emulator.host.as_str()];
    let mut listener = Child::start(&[&role, flags].concat())?;
    listener.read_line().await?;
    let path = format!("/conversations/{CONVERSATION}/messages");
    speaker.send_many(&path, BURST).await?;
    listener.read_line().await?;
    for _ in 0..MESSAGES / BURST {
        speaker.send_many(&path, BURST).await?;
    }
    let worked = nanoseconds(&listener.read_line().await?)?;
    Ok(MESSAGES as f64 / worked.as_secs_f64())
}

/// A session in a separate process that receives messages.
#[derive(Debug, Clone, Args)]
pub struct Listener {
    #[arg(long)]
    host: String,
    /// Set to receive through an inbox instead of a live window.
    #[arg(long)]
    inbox: bool,
}

impl Listener {
    /// Prints a line when it listens, another one after the first burst, and the processor time of
    /// the remaining messages.
    pub(super) async fn listen(self, mut lines: Lines<BufReader<Stdin>>) -> Result<()> {
        let session = join(&self.host).await?;
        let mut receiver = if self.inbox {
            let inbox = session.inbox("bot").open().await?;
            Receiver::Inbox(inbox)
        } else {
            let messages = session.conversation(CONVERSATION)?.subscribe_messages();
            messages.connected().await?;
            Receiver::Window(messages, 0)
        };
        println!("listening");
        receiver.receive(BURST).await?;
        // The rest of the first burst's work, such as the subscription of an inbox, is done soon.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let before = process::processor_time()?;
        println!("warm");
        receiver.receive(MESSAGES).await?;
        println!("{}", (process::processor_time()? - before).as_nanos());
        while lines.next_line().await?.is_some() {}
        Ok(())
    }
}

/// Creates the conversation with the speaker.
async fn join(host: &str) -> Result<Session> {
    let session = get_talk_session(TalkOptions::new(APP, "listener")?.host(host))?;
    let me = UserParams::named("Listener");
    session.current_user().set(me).await?;
    let conversation = session.conversation(CONVERSATION)?;
    conversation
        .create_if_not_exists(Default::default())
        .await?;
    let speaker = conversation.participant(SPEAKER)?;
    speaker.create_if_not_exists(Default::default()).await?;
    Ok(session)
}

enum Receiver {
    Inbox(Inbox),
    /// The number of messages that the window had before.
    Window(Subscription<Option<Window<MessageSnapshot>>>, usize),
}

impl Receiver {
    /// Waits for this number of messages.
    async fn receive(&mut self, messages: usize) -> Result<()> {
        match self {
            Self::Inbox(inbox) => {
                for _ in 0..messages {
                    let delivery = inbox.next().await.context("the inbox has ended")?;
                    delivery.ack().await?;
                }
            }
            Self::Window(window, before) => {
                let all = *before + messages;
                while *before < all {
                    let update = window.next().await.context("the subscription has ended")?;
                    *before = update.snapshot.map_or(0, |window| window.len());
                }
                ensure!(*before == all, "there are more messages");
            }
        }
        Ok(())
    }
}
