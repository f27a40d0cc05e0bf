//! Row G: the cost of an event in a process with many sessions, and in the emulator that serves
//! them.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use talk_tokio::{
    MessageSnapshot, Subscription, TalkOptions, UserParams, Window, get_talk_session,
};
use tokio::io::{BufReader, Lines, Stdin};

use super::bot::{APP, Bot};
use super::process;
use super::rounds::{Pair, medians, ratio};
use super::row::Row;
use super::server::{Server, nanoseconds};
use crate::child::Child;

/// The messages of a round, spread over all sessions. Each session also receives a burst before the
/// measurement, because allocations of the first burst are not part of an event's cost.
const MESSAGES: usize = 96_000;

/// The messages that a session receives in a row. The size of the bursts does not depend on the
/// number of sessions.
const BURST: usize = 32;

const SESSIONS: [usize; 3] = [1, 100, 1_000];

const ROUNDS: usize = 5;

/// The sessions that connect at the same time.
const AT_ONCE: usize = 50;

const SPEAKER: &str = "speaker";

/// The events per second of processor time with a number of sessions.
#[derive(Debug, Clone, Copy)]
struct Speed {
    client: f64,
    emulator: f64,
}

/// Measures row G.
pub(super) async fn measure() -> Result<Vec<Row>> {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let mut speeds = Vec::with_capacity(SESSIONS.len());
        for sessions in SESSIONS {
            speeds.push(Speed::of(sessions).await?);
        }
        rounds.push(speeds);
    }
    let compare = |at: usize, figure: fn(&Speed) -> f64| {
        let pairs: Vec<Pair> = rounds
            .iter()
            .map(|speeds| Pair {
                ours: figure(&speeds[at]),
                theirs: figure(&speeds[0]),
            })
            .collect();
        (ratio(&pairs), medians(&pairs))
    };
    let mut rows = Vec::new();
    for (at, sessions) in SESSIONS.iter().enumerate().skip(1) {
        let (client, (many, one)) = compare(at, |speed| speed.client);
        let (emulator, (emulator_many, emulator_one)) = compare(at, |speed| speed.emulator);
        let client_what = format!(
            "events per second of processor time, {sessions} sessions in a process against 1 \
             ({many:.0} : {one:.0})"
        );
        let emulator_what = format!(
            "the emulator's events per second of processor time, {sessions} sessions against 1 \
             ({emulator_many:.0} : {emulator_one:.0})"
        );
        if *sessions == 1_000 {
            rows.push(Row::at_least(0.8, "G", client, client_what));
            rows.push(Row::at_least(0.8, "G-emulator", emulator, emulator_what));
        } else {
            rows.push(Row::without_goal("G-100", Some(client), client_what));
        }
    }
    Ok(rows)
}

impl Speed {
    async fn of(sessions: usize) -> Result<Self> {
        let mut emulator = Server::start("emulator").await?;
        let mut speaker = Bot::connect(&emulator.host, SPEAKER).await?;
        let me = json!({ "name": "Speaker" });
        speaker.call("PUT", "/users/speaker", me).await?;

        let each = MESSAGES / sessions;
        let arguments = [sessions.to_string(), each.to_string()];
        let mut crowd = Child::start(&[
            "crowd",
            "--host",
            &emulator.host,
            "--sessions",
            &arguments[0],
            "--messages",
            &arguments[1],
        ])?;
        crowd.read_line().await?;
        for number in 0..sessions {
            speaker.send_many(&messages_of(number), BURST).await?;
        }
        crowd.read_line().await?;

        let before = emulator.processor_time().await?;
        for burst in 0..MESSAGES / BURST {
            let path = messages_of(burst % sessions);
            speaker.send_many(&path, BURST).await?;
        }
        let worked = nanoseconds(&crowd.read_line().await?)?;
        let served = emulator.processor_time().await? - before;
        let speed = |time: Duration| MESSAGES as f64 / time.as_secs_f64();
        Ok(Self {
            client: speed(worked),
            emulator: speed(served),
        })
    }
}

/// Returns the resident memory of a process with this many sessions, each with a live window.
pub(super) async fn memory(sessions: usize) -> Result<u64> {
    let emulator = Server::start("emulator").await?;
    let mut speaker = Bot::connect(&emulator.host, SPEAKER).await?;
    let me = json!({ "name": "Speaker" });
    speaker.call("PUT", "/users/speaker", me).await?;
    let sessions = sessions.to_string();
    let mut crowd = Child::start(&[
        "crowd",
        "--host",
        &emulator.host,
        "--sessions",
        &sessions,
        "--messages",
        "0",
    ])?;
    Ok(crowd.read_line().await?.parse()?)
}

fn conversation(number: usize) -> String {
    format!("conversation_{number:04}")
}

fn messages_of(number: usize) -> String {
    format!("/conversations/{}/messages", conversation(number))
}

/// Sessions in a separate process, each in a conversation with the sender.
#[derive(Debug, Clone, Args)]
pub struct Crowd {
    #[arg(long)]
    host: String,
    #[arg(long)]
    sessions: usize,
    /// The number of messages for each session.
    #[arg(long)]
    messages: usize,
}

impl Crowd {
    /// Connects all sessions and prints the resident memory of the process. Prints a line after the
    /// first burst of each session. After the remaining messages, prints the processor time that
    /// they took.
    pub(super) async fn gather(self, mut lines: Lines<BufReader<Stdin>>) -> Result<()> {
        let members: Vec<Member> = stream::iter(0..self.sessions)
            .map(|number| Member::join(&self.host, number))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        println!("{}", process::resident_memory()?);
        let members = listen(members, BURST).await?;
        let before = process::processor_time()?;
        println!("all warm");
        let _members = listen(members, BURST + self.messages).await?;
        println!("{}", (process::processor_time()? - before).as_nanos());
        while lines.next_line().await?.is_some() {}
        Ok(())
    }
}

/// Waits until each session shows this number of messages.
async fn listen(members: Vec<Member>, shown: usize) -> Result<Vec<Member>> {
    let listening = members
        .into_iter()
        .map(|member| async move { tokio::spawn(member.listen(shown)).await? });
    try_join_all(listening).await
}

struct Member {
    messages: Subscription<Option<Window<MessageSnapshot>>>,
}

impl Member {
    async fn join(host: &str, number: usize) -> Result<Self> {
        let user = format!("user_{number:04}");
        let session = get_talk_session(TalkOptions::new(APP, user)?.host(host))?;
        session
            .current_user()
            .set(UserParams::named("User"))
            .await?;
        let conversation = session.conversation(conversation(number))?;
        conversation
            .create_if_not_exists(Default::default())
            .await?;
        let speaker = conversation.participant(SPEAKER)?;
        speaker.create_if_not_exists(Default::default()).await?;
        let messages = conversation.subscribe_messages();
        messages.connected().await?;
        Ok(Self { messages })
    }

    async fn listen(mut self, messages: usize) -> Result<Self> {
        let mut shown = 0;
        while shown < messages {
            let update = self.messages.next().await;
            ensure!(update.is_some(), "a subscription has ended");
            shown = update
                .and_then(|update| update.snapshot)
                .map_or(0, |window| window.len());
        }
        Ok(self)
    }
}
