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
    /// Distinguishes this emulator from earlier ones on the same address.
    pub(super) instance: Arc<str>,
    connections: Arc<AtomicU64>,
}

impl Shell {
    pub(crate) fn new(engine: Engine, files: Files) -> Self {
        Self {
            engine,
            files,
            // Without randomness, clients detect another emulator by its event numbers.
            instance: format!("{:016x}", getrandom::u64().unwrap_or(0)).into(),
            connections: Arc::default(),
        }
    }

    pub(super) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }
}
