//! The store of a session: one writer for the changes of all durable parts.

use super::Session;
use crate::io::{Event, Output};
use crate::storage::{BatchId, StorageEvent};

impl Session {
    /// Stores the changes of all parts, unless a batch is unanswered.
    pub(super) fn store_changes(&mut self) {
        let stalled = self.durable.handle_timeout(self.now);
        let expects_more = self.queue.has_entries();
        let batch = self.durable.poll_batch(self.now, expects_more);
        if let Some(event) = stalled {
            self.emit(Event::Storage(event));
        }
        if let Some((batch, changes)) = batch {
            self.outputs.push_back(Output::Store { batch, changes });
        }
    }

    /// Stores the last changes at the end of the session.
    pub(super) fn store_last_batch(&mut self) {
        if let Some((batch, changes)) = self.durable.take_last_batch(self.now) {
            self.outputs.push_back(Output::Store { batch, changes });
        }
    }

    /// Handles a batch that was not stored.
    pub(super) fn handle_store_failed(&mut self, batch: BatchId, reason: String) {
        if self.durable.handle_failed(self.now, batch, &reason) {
            self.emit(Event::Storage(StorageEvent::Failed { reason }));
        }
    }
}
