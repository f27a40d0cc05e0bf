//! Snapshots of fresh sessions of the published client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::oneshot;

use super::topic::{Shown, Topic};
use crate::peer::Peer;

/// A Node process that reads snapshots for all histories.
#[derive(Debug)]
pub(super) struct Fresh {
    _child: Child,
    input: tokio::sync::Mutex<ChildStdin>,
    waiting: Arc<Mutex<Waiting>>,
}

/// The requests in flight. If Node exits, dropping their senders notifies the callers.
#[derive(Debug, Default)]
struct Waiting {
    last_id: u64,
    askers: BTreeMap<u64, oneshot::Sender<Value>>,
}

/// A topic, and the minimum number of its items to load.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) topic: &'a Topic,
    pub(super) items: usize,
}

impl Fresh {
    pub(super) fn start(peer: &Peer) -> Result<Self> {
        let mut child = peer.script("read-fresh.mjs").spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        let waiting = Arc::default();
        tokio::spawn(hand_out(output, Arc::clone(&waiting)));
        Ok(Self {
            _child: child,
            input: tokio::sync::Mutex::new(input),
            waiting,
        })
    }

    /// Returns the snapshot of each topic in a new session of the user, or the error that ended its
    /// subscription.
    pub(super) async fn read(
        &self,
        host: &str,
        app: &str,
        user: &str,
        topics: &[Wanted<'_>],
    ) -> Result<Vec<Result<Shown>>> {
        let (asker, answer) = oneshot::channel();
        let id = {
            let mut waiting = lock(&self.waiting);
            waiting.last_id += 1;
            let id = waiting.last_id;
            waiting.askers.insert(id, asker);
            id
        };
        let topics: Vec<_> = topics
            .iter()
            .map(|wanted| {
                let (call, args) = wanted.topic.call();
                json!({ "call": call, "args": args, "items": wanted.items })
            })
            .collect();
        let question =
            json!({ "id": id, "host": host, "app": app, "user": user, "topics": topics });
        let line = format!("{question}\n");
        self.input.lock().await.write_all(line.as_bytes()).await?;
        let mut answer = answer.await.context("the published client has exited")?;
        let Value::Array(shown) = answer["topics"].take() else {
            return Err(anyhow!("no topics in {answer}"));
        };
        Ok(shown.into_iter().map(shown_or_error).collect())
    }
}

fn shown_or_error(mut shown: Value) -> Result<Shown> {
    if let Some(error) = shown["error"].as_str() {
        return Err(anyhow!("{error}"));
    }
    Ok(Shown {
        loaded_all: shown["loadedAll"].as_bool(),
        snapshot: shown["snapshot"].take(),
    })
}

async fn hand_out(output: ChildStdout, waiting: Arc<Mutex<Waiting>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(answer) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        let asker = answer["id"]
            .as_u64()
            .and_then(|id| lock(&waiting).askers.remove(&id));
        if let Some(asker) = asker {
            // The receiver was dropped if its history has failed in the meantime.
            let _ = asker.send(answer);
        }
    }
    lock(&waiting).askers.clear();
}

fn lock(waiting: &Mutex<Waiting>) -> std::sync::MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
