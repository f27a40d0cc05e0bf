//! The store of a session: one writer for the changes of all parts.

use super::Session;
use crate::cache::is_cache_key;
use crate::io::{Event, Output};
use crate::storage::{BatchId, StorageEvent};

impl Session {
    /// Collects the changes of all parts for the next batch, or for the last one.
    fn collect_changes(&mut self, is_last: bool) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        if let Some(outbox) = &mut self.outbox {
            let is_urgent = outbox.has_urgent_change();
            writer.extend(self.now, outbox.take_changes(), is_urgent);
        }
        if let Some(inboxes) = &mut self.inboxes {
            // Positions that change while a batch is unanswered are encoded once.
            if is_last || !writer.has_unanswered() {
                inboxes.save_positions();
            }
            writer.extend(self.now, inboxes.take_changes(), true);
        }
        if let Some(cache) = self.cache.as_mut().filter(|_| !self.is_standby) {
            cache.advance(self.now);
            writer.extend(self.now, cache.take_changes(), false);
        }
    }

    /// Stores the changes of all parts, unless a batch is unanswered.
    pub(super) fn store_changes(&mut self) {
        self.collect_changes(false);
        let Some(writer) = &mut self.writer else {
            return;
        };
        let stalled = writer.handle_timeout(self.now);
        let expects_more = self.queue.has_entries();
        let batch = writer.poll_batch(self.now, expects_more);
        if let Some(event) = stalled {
            self.emit(Event::Storage(event));
        }
        if let Some((batch, changes)) = batch {
            self.outputs.push_back(Output::Store { batch, changes });
            self.announce_next_batch();
        }
    }

    /// Stores the last changes at the end of the session.
    pub(super) fn store_last_batch(&mut self) {
        if let Some(cache) = self.cache.as_mut().filter(|_| !self.is_standby) {
            cache.flush();
        }
        self.collect_changes(true);
        let writer = self.writer.as_mut();
        if let Some((batch, changes)) = writer.and_then(|writer| writer.take_batch(self.now)) {
            self.outputs.push_back(Output::Store { batch, changes });
        }
    }

    /// Reports to all parts the batch of their next changes.
    pub(super) fn announce_next_batch(&mut self) {
        let Some(batch) = self.writer.as_ref().map(|writer| writer.next_batch()) else {
            return;
        };
        if let Some(outbox) = &mut self.outbox {
            outbox.set_batch(batch);
        }
        if let Some(inboxes) = &mut self.inboxes {
            inboxes.set_batch(batch);
        }
    }

    /// Handles a stored batch.
    pub(super) fn handle_stored(&mut self, batch: BatchId) {
        let writer = self.writer.as_mut();
        if !writer.is_some_and(|writer| writer.handle_stored(batch)) {
            return;
        }
        if let Some(outbox) = &mut self.outbox {
            outbox.handle_stored(batch);
        }
        if let Some(inboxes) = &mut self.inboxes {
            inboxes.handle_stored(self.now, batch);
        }
    }

    /// Handles a batch that was not stored.
    pub(super) fn handle_store_failed(&mut self, batch: BatchId, reason: String) {
        let outbox = self.outbox.as_ref();
        let held = outbox.map(|outbox| outbox.held_by_failure(batch));
        let held = held.unwrap_or_default();
        // A later change writes a cached window again.
        let is_replaced = |key: &str, value: Option<&str>| value.is_some() && is_cache_key(key);
        let is_retained =
            |key: &str, value: Option<&str>| !held.contains(key) && !is_replaced(key, value);
        let writer = self.writer.as_mut();
        if !writer.is_some_and(|writer| writer.handle_failed(self.now, batch, is_retained)) {
            return;
        }
        if let Some(outbox) = &mut self.outbox {
            outbox.handle_store_failed(batch, &reason);
        }
        if let Some(inboxes) = &mut self.inboxes {
            inboxes.handle_store_failed(self.now, batch);
        }
        self.emit(Event::Storage(StorageEvent::Failed { reason }));
    }
}
