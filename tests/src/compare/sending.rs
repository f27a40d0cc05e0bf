//! Rows O-memory and O-file: the memory and the file of a long-lived outbox.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use talk_tokio::store::FileStore;
use talk_tokio::{Pacing, TalkOptions, get_talk_session};

use super::bot::{APP, MESSAGE, conversation};
use super::process;
use super::row::Row;
use super::server::Server;
use crate::child::Child;

/// The messages that are enqueued and sent.
const MESSAGES: usize = 100_000;

/// The conversations of the messages.
const CONVERSATIONS: usize = 100;

/// The entries in the outbox at the same time.
const UNSENT: usize = 500;

const MIB: f64 = 1024.0 * 1024.0;
const MEMORY: f64 = 64.0 * MIB;
const FILE: f64 = 16.0 * MIB;

/// Measures the rows.
pub(super) async fn measure() -> Result<Vec<Row>> {
    let server = Server::start("scripted").await?;
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("store");
    let store = store.to_str().context("a folder without a name")?;
    let mut sender = Child::start(&["sender", "--host", &server.host, "--store", store])?;
    let sizes = sender.read_line().await?;
    let (memory, file) = sizes.split_once(' ').context("no sizes")?;
    let (memory, file): (f64, f64) = (memory.parse()?, file.parse()?);
    let row = |id, size: f64, limit: f64, what: &str| {
        let what = format!(
            "the {what} after {MESSAGES} messages enqueued and sent, against {:.0} MiB ({:.1} MiB)",
            limit / MIB,
            size / MIB
        );
        Row::at_most(1.0, id, size / limit, what)
    };
    Ok(vec![
        row("O-memory", memory, MEMORY, "peak memory of a process"),
        row("O-file", file, FILE, "files of a store"),
    ])
}

/// A session in a separate process that sends through its outbox.
#[derive(Debug, Clone, Args)]
pub struct Sender {
    #[arg(long)]
    host: String,
    #[arg(long)]
    store: PathBuf,
}

impl Sender {
    /// Sends all messages, and prints the peak memory of the process and the size of the files of
    /// the store.
    pub(super) async fn send(self) -> Result<()> {
        let options = TalkOptions::new(APP, "alice")?
            .host(&self.host)
            .token("t")
            .pacing(Pacing::Off)
            .store(FileStore::new(&self.store));
        let session = get_talk_session(options)?;
        let sends = (0..MESSAGES).map(|number| {
            let conversation = session.conversation(conversation(number % CONVERSATIONS));
            async move {
                conversation?
                    .enqueue(MESSAGE)
                    .sent()
                    .await
                    .map_err(anyhow::Error::from)
            }
        });
        stream::iter(sends)
            .buffer_unordered(UNSENT)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        let memory = process::peak_memory()?;
        let files = size(self.store.parent().context("a folder")?)?;
        println!("{memory} {files}");
        session.shutdown().await;
        Ok(())
    }
}

/// Returns the size of all files in a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        size += entry?.metadata()?.len();
    }
    Ok(size)
}
