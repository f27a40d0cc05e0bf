//! Rows O-sent: the time until queued messages are sent.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use talk_tokio::outbox::{OutboxEntry, OutboxOptions};
use talk_tokio::store::{Change, FileStore, Store};
use talk_tokio::{ConnectionState, Pacing, Session, TalkOptions, get_talk_session};
use tokio::time::sleep;

use super::recorder::Recorder;
use crate::compare::bot::{APP, MESSAGE, conversation};
use crate::compare::rounds::{Pair, median, medians, ratio};
use crate::compare::row::Row;
use crate::compare::scripted::{CLOSE, OPEN};
use crate::compare::server::Server;

/// The messages that are queued while the connection is lost.
const QUEUED: usize = 1_000;

const ROUNDS: usize = 5;

/// The round that is not counted.
const WARM_UP: usize = 0;

/// Compares messages that were queued while the connection was lost with sends at once.
pub(super) async fn in_many_conversations(server: &mut Server) -> Result<Row> {
    const CONVERSATIONS: usize = 100;
    let mut pairs = Vec::with_capacity(ROUNDS);
    for round in 0..=ROUNDS {
        let folder = tempfile::tempdir()?;
        let store = FileStore::new(folder.path().join("store"));
        let pair = Pair {
            ours: queued(server, CONVERSATIONS, Some(store)).await?,
            theirs: pipelined(server, CONVERSATIONS).await?,
        };
        if round > WARM_UP {
            pairs.push(pair);
        }
    }
    let (ours, theirs) = medians(&pairs);
    let what = format!(
        "{QUEUED} messages in {CONVERSATIONS} conversations, queued in a file, from the reconnect \
         until they are sent, against pipelined sends ({ours:.0} : {theirs:.0} ms)"
    );
    Ok(Row::at_most(4.0, "O-sent", ratio(&pairs), what))
}

/// Compares messages that were queued in one conversation, where each message waits for the answer
/// of the previous one, with sends that do the same. With a file, the bare store makes the same
/// writes before them.
pub(super) async fn in_one_conversation(server: &mut Server, has_file: bool) -> Result<Row> {
    let (id, place, others) = if has_file {
        (
            "O-sent-one",
            "a file",
            "sends in turn after the same writes",
        )
    } else {
        ("O-sent-memory", "memory", "sends in turn")
    };
    let (mut pairs, mut at_once) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for round in 0..=ROUNDS {
        let folder = tempfile::tempdir()?;
        let recorder = Recorder::new(FileStore::new(folder.path().join("store")));
        let ours = queued(server, 1, has_file.then(|| recorder.clone())).await?;
        let bare = FileStore::new(folder.path().join("bare"));
        let theirs = in_turn(server, &bare, &recorder.batches()).await?;
        let pipelined = pipelined(server, 1).await?;
        if round > WARM_UP {
            pairs.push(Pair { ours, theirs });
            at_once.push(pipelined);
        }
    }
    let (ours, theirs) = medians(&pairs);
    let at_once = median(at_once);
    let what = format!(
        "{QUEUED} messages in one conversation, queued in {place}, from the reconnect until they \
         are sent, against {others} ({ours:.0} : {theirs:.0} ms; pipelined {at_once:.0} ms)"
    );
    Ok(Row::at_most(1.5, id, ratio(&pairs), what))
}

/// Returns the milliseconds from the reconnect until all queued messages are sent.
async fn queued(
    server: &mut Server,
    conversations: usize,
    store: Option<impl Store>,
) -> Result<f64> {
    let session = session(&server.host, store)?;
    session.connected().await?;
    server.order(CLOSE).await?;
    while session.connection_state() == ConnectionState::Ready {
        sleep(Duration::from_millis(1)).await;
    }
    let mut entries = Vec::with_capacity(QUEUED);
    for number in 0..QUEUED {
        let conversation = session.conversation(conversation(number % conversations))?;
        entries.push(conversation.enqueue(MESSAGE));
    }
    try_join_all(entries.iter().map(OutboxEntry::stored)).await?;
    server.ask(OPEN).await?;
    let start = Instant::now();
    try_join_all(entries.iter().map(OutboxEntry::sent)).await?;
    let took = start.elapsed();
    session.shutdown().await;
    Ok(took.as_secs_f64() * 1e3)
}

/// Returns the milliseconds of sends that are made at the same time.
async fn pipelined(server: &mut Server, conversations: usize) -> Result<f64> {
    let session = session(&server.host, None::<FileStore>)?;
    session.connected().await?;
    let start = Instant::now();
    let mut sends = Vec::with_capacity(QUEUED);
    for number in 0..QUEUED {
        let conversation = session.conversation(conversation(number % conversations))?;
        sends.push(conversation.send(MESSAGE));
    }
    try_join_all(sends).await?;
    let took = start.elapsed();
    session.shutdown().await;
    Ok(took.as_secs_f64() * 1e3)
}

/// Returns the milliseconds of sends that wait for each other, and of the last of these writes,
/// one before each send.
async fn in_turn(server: &mut Server, store: &FileStore, writes: &[Vec<Change>]) -> Result<f64> {
    let options = TalkOptions::new(APP, "alice")?.host(&server.host);
    let key = options.store_key();
    let _lease = store.lock(&key).await?;
    let (earlier, mut writes) = writes.split_at(writes.len().saturating_sub(QUEUED));
    for batch in earlier {
        store.apply(&key, batch.clone()).await?;
    }
    let session = session(&server.host, None::<FileStore>)?;
    session.connected().await?;
    let conversation = session.conversation(conversation(0))?;
    let start = Instant::now();
    for _ in 0..QUEUED {
        if let Some((batch, later)) = writes.split_first() {
            store.apply(&key, batch.clone()).await?;
            writes = later;
        }
        conversation.send(MESSAGE).await?;
    }
    let took = start.elapsed();
    session.shutdown().await;
    Ok(took.as_secs_f64() * 1e3)
}

/// Returns a session without pacing, with an outbox in memory or in this store.
fn session(host: &str, store: Option<impl Store>) -> Result<Session> {
    let options = TalkOptions::new(APP, "alice")?
        .host(host)
        .token("t")
        .pacing(Pacing::Off)
        .outbox(OutboxOptions::default())
        .force_new();
    let options = match store {
        Some(store) => options.store(store),
        None => options,
    };
    Ok(get_talk_session(options)?)
}
