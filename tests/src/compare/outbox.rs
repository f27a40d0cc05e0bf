//! Rows O-stored and O-sent: the time until a message is stored, and until queued messages are
//! sent.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use talk_tokio::outbox::{OutboxEntry, OutboxOptions};
use talk_tokio::store::{Change, FileStore, Lease, Record, Store, StoreError, StoreKey};
use talk_tokio::transport::BoxFuture;
use talk_tokio::{ConnectionState, Pacing, Session, TalkOptions, get_talk_session};
use tokio::time::sleep;

use super::bot::{APP, MESSAGE};
use super::rounds::{Pair, medians, ratio};
use super::row::Row;
use super::scripted::{CLOSE, OPEN};
use super::server::Server;

/// The messages that are stored one after the other in a round.
const STORED: usize = 100;

/// The messages that are queued while the connection is lost.
const QUEUED: usize = 1_000;

const ROUNDS: usize = 5;

/// Measures the rows.
pub(super) async fn measure() -> Result<Vec<Row>> {
    let mut rows = vec![until_stored().await?];
    let mut server = Server::start("scripted").await?;
    for (id, conversations, has_file) in [
        ("O-sent", 100, true),
        ("O-sent-one", 1, true),
        ("O-sent-memory", 1, false),
    ] {
        rows.push(until_sent(&mut server, id, conversations, has_file).await?);
    }
    Ok(rows)
}

/// Compares messages that are stored one after the other with the same writes by the bare store.
async fn until_stored() -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let mut round = 0;
    let mut file = || {
        round += 1;
        FileStore::new(folder.path().join(format!("store-{round}")))
    };
    // The first round is a warm-up, which shows the writes of a session.
    let recorder = Recorder::new(file());
    by_outbox(recorder.clone()).await?;
    let batches = recorder.batches();
    ensure!(batches.len() == 1 + STORED, "some messages share a write");
    let mut pairs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        pairs.push(Pair {
            ours: by_outbox(file()).await?,
            theirs: by_store(file(), &batches).await?,
        });
    }
    let (ours, theirs) = medians(&pairs);
    let what = format!(
        "a message until it is stored in a file, against the same write by the bare store \
         ({ours:.0} : {theirs:.0} µs)"
    );
    Ok(Row::at_most(1.2, "O-stored", ratio(&pairs), what))
}

/// Returns the microseconds until a message is stored, without a connection.
async fn by_outbox(store: impl Store) -> Result<f64> {
    let options = TalkOptions::new(APP, "alice")?.host(NOWHERE).token("t");
    let session = get_talk_session(options.store(store).force_new())?;
    let conversation = session.conversation(conversation(0))?;
    // Opens the file.
    conversation.enqueue(MESSAGE).stored().await?;
    let start = Instant::now();
    for _ in 0..STORED {
        conversation.enqueue(MESSAGE).stored().await?;
    }
    let took = start.elapsed();
    session.shutdown().await;
    Ok(took.as_secs_f64() * 1e6 / STORED as f64)
}

/// An address without a server.
const NOWHERE: &str = "127.0.0.1:1";

/// Returns the microseconds of a write.
async fn by_store(store: FileStore, batches: &[Vec<Change>]) -> Result<f64> {
    let key = TalkOptions::new(APP, "alice")?.host(NOWHERE).store_key();
    let _lease = store.lock(&key).await?;
    let (first, batches) = batches.split_first().context("no writes")?;
    store.apply(&key, first.clone()).await?;
    let start = Instant::now();
    for batch in batches {
        store.apply(&key, batch.clone()).await?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / batches.len() as f64)
}

/// Compares messages that were queued while the connection was lost with sends at once.
async fn until_sent(
    server: &mut Server,
    id: &str,
    conversations: usize,
    has_file: bool,
) -> Result<Row> {
    // The first round is a warm-up.
    queued(server, conversations, has_file).await?;
    pipelined(server, conversations).await?;
    let mut pairs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        pairs.push(Pair {
            ours: queued(server, conversations, has_file).await?,
            theirs: pipelined(server, conversations).await?,
        });
    }
    let (ours, theirs) = medians(&pairs);
    let place = if has_file { "a file" } else { "memory" };
    let rooms = match conversations {
        1 => "one conversation".to_owned(),
        many => format!("{many} conversations"),
    };
    let what = format!(
        "{QUEUED} messages in {rooms}, queued in {place}, from the reconnect until they are sent, \
         against pipelined sends ({ours:.0} : {theirs:.0} ms)"
    );
    Ok(Row::at_most(4.0, id, ratio(&pairs), what))
}

/// Returns the milliseconds from the reconnect until all queued messages are sent.
async fn queued(server: &mut Server, conversations: usize, has_file: bool) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let session = session(&server.host, has_file.then_some(folder.path()))?;
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
    let session = session(&server.host, None)?;
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

/// Returns a session without pacing, with an outbox in memory or in a file.
fn session(host: &str, folder: Option<&Path>) -> Result<Session> {
    let options = TalkOptions::new(APP, "alice")?
        .host(host)
        .token("t")
        .pacing(Pacing::Off)
        .outbox(OutboxOptions::default())
        .force_new();
    let options = match folder {
        Some(folder) => options.store(FileStore::new(folder.join("store"))),
        None => options,
    };
    Ok(get_talk_session(options)?)
}

pub(super) fn conversation(number: usize) -> String {
    format!("conversation_{number:04}")
}

/// A store that records its batches.
#[derive(Clone)]
struct Recorder {
    store: FileStore,
    batches: Arc<Mutex<Vec<Vec<Change>>>>,
}

impl Recorder {
    fn new(store: FileStore) -> Self {
        Self {
            store,
            batches: Arc::default(),
        }
    }

    fn batches(&self) -> Vec<Vec<Change>> {
        let batches = self.batches.lock();
        batches.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store for Recorder {
    fn load(&self, key: &StoreKey) -> BoxFuture<'static, Result<Vec<Record>, StoreError>> {
        self.store.load(key)
    }

    fn apply(
        &self,
        key: &StoreKey,
        changes: Vec<Change>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let batches = self.batches.lock();
        let mut batches = batches.unwrap_or_else(PoisonError::into_inner);
        batches.push(changes.clone());
        self.store.apply(key, changes)
    }

    fn lock(&self, key: &StoreKey) -> BoxFuture<'static, Result<Lease, StoreError>> {
        self.store.lock(key)
    }

    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>> {
        self.store.clear(key)
    }
}
