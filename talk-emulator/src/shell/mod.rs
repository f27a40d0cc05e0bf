//! The I/O around the pure server: TCP, HTTP, WebSockets, files and the clock.

mod clock;
mod control;
mod cors;
mod download;
mod engine;
mod fault;
mod files;
mod listener;
mod range;
mod refusal;
mod router;
mod schema;
mod send_queue;
mod socket;
mod storage;
mod upload;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use clock::Clock;
pub use engine::Stopped;
pub(crate) use engine::{Engine, EngineTask};
pub(crate) use files::Files;
pub(crate) use listener::{AcceptLimiter, serve};
pub(crate) use router::router;
pub use storage::DataError;
pub(crate) use storage::{Persisted, Storage};

use crate::server::ConnectionId;

/// The state shared by all request handlers.
#[derive(Clone)]
pub(crate) struct Shell {
    engine: Engine,
    files: Files,
    connections: Arc<AtomicU64>,
}

impl Shell {
    pub(crate) fn new(engine: Engine, files: Files) -> Self {
        Self {
            engine,
            files,
            connections: Arc::default(),
        }
    }

    fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }
}
