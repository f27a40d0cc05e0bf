use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::engine::Engine;
use super::files::Files;
use crate::server::ConnectionId;

/// The state shared by all request handlers.
#[derive(Clone)]
pub(crate) struct Shell {
    pub(super) engine: Engine,
    pub(super) files: Files,
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

    pub(super) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }
}
