//! The thread of a store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use talk_client::store::StoreError;
use tokio::sync::mpsc;

use crate::database::Database;
use crate::options::Options;
use crate::session::{Request, Session};

/// A request and the session that it concerns.
pub(crate) type Work = (String, Request);

/// Starts the thread. It has its own runtime, so that it serves every adapter, and ends when the
/// last sender is dropped.
pub(crate) fn start(options: Options) -> Result<mpsc::UnboundedSender<Work>, StoreError> {
    let describe = |error: std::io::Error| StoreError::Io(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(describe)?;
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::Builder::new()
        .name("talk-postgres".to_owned())
        .spawn(move || runtime.block_on(run(options, receiver)))
        .map_err(describe)?;
    Ok(sender)
}

async fn run(options: Options, mut work: mpsc::UnboundedReceiver<Work>) {
    let ttl = options.ttl;
    let database = Arc::new(Database::new(options.clone()));
    let leases = Arc::new(Database::new(options));
    let mut sessions = BTreeMap::new();
    let mut tasks = Vec::new();
    while let Some((key, request)) = work.recv().await {
        let session = sessions.entry(key.clone()).or_insert_with(|| {
            let (sender, requests) = mpsc::unbounded_channel();
            let session = Session::new(key, Arc::clone(&database), Arc::clone(&leases), ttl);
            tasks.push(tokio::spawn(session.run(requests)));
            sender
        });
        // The session runs until its sender is dropped.
        let _ = session.send(request);
    }
    drop(sessions);
    for task in tasks {
        // A panic of a session has been reported already.
        let _ = task.await;
    }
}
