//! Row O-stored: the time until a message is stored.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use talk_tokio::store::{Change, FileStore, Store};
use talk_tokio::{TalkOptions, get_talk_session};

use super::recorder::Recorder;
use crate::compare::bot::{APP, MESSAGE, conversation};
use crate::compare::rounds::{Pair, medians, ratio};
use crate::compare::row::Row;

/// The messages that are stored one after the other in a round.
const STORED: usize = 100;

const ROUNDS: usize = 5;

/// Compares messages that are stored one after the other with the same writes by the bare store.
pub(super) async fn until_stored() -> Result<Row> {
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
