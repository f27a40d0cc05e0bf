//! The parts of a session that a store can preserve.

use crate::cache::{Cache, is_cache_key};
use crate::inbox::{InboxOutput, Inboxes};
use crate::options::SessionOptions;
use crate::outbox::{Outbox, OutboxOutput};
use crate::storage::{BatchId, Change, Record, StorageEvent, StoreWriter};
use crate::timestamp::Timestamp;

/// The parts whose state outlives the session if it has a store. They share the batches of one
/// writer.
pub(super) struct Durable {
    /// `None` if the outbox is off.
    pub(super) outbox: Option<Box<Outbox>>,
    /// `None` until an inbox is opened, unless the store has records of one.
    pub(super) inboxes: Option<Box<Inboxes>>,
    /// `None` if the cache is off.
    pub(super) cache: Option<Box<Cache>>,
    /// The writer of a session with a store.
    pub(super) writer: Option<Box<StoreWriter>>,
    /// Set while another session has the store.
    pub(super) is_standby: bool,
}

impl Durable {
    /// Creates the parts from the records of a store, or without a store if there are none.
    pub(super) fn new(
        options: &SessionOptions,
        now: Timestamp,
        records: Option<&[Record]>,
    ) -> Self {
        let me = &options.user_id;
        let outbox = options.outbox.clone();
        let outbox = outbox.map(|outbox| Outbox::new(me.clone(), outbox, now, records));
        let inboxes = records.map(|records| Inboxes::new(me.clone(), Some(records)));
        let inboxes = inboxes.filter(Inboxes::has_records);
        Self {
            outbox: outbox.map(Box::new),
            inboxes: inboxes.map(Box::new),
            cache: (options.cache && records.is_some()).then(Box::default),
            writer: records.is_some().then(Box::default),
            is_standby: false,
        }
    }

    /// Returns `true` if there is an outbox or an inbox.
    pub(super) fn sends_or_receives(&self) -> bool {
        self.outbox.is_some() || self.inboxes.is_some()
    }

    /// Returns `true` if an entry or an inbox needs a connection.
    pub(super) fn needs_connection(&self) -> bool {
        let outbox = self.outbox.as_ref();
        let inboxes = self.inboxes.as_ref();
        outbox.is_some_and(|outbox| outbox.needs_connection())
            || inboxes.is_some_and(|inboxes| inboxes.needs_connection())
    }

    /// Returns the number of conversations that only the regular scans of inboxes found.
    pub(super) fn missed_inbox_events(&self) -> u64 {
        let inboxes = self.inboxes.as_ref();
        inboxes.map_or(0, |inboxes| inboxes.missed_events())
    }

    /// Returns `true` if the cache waits to store its windows.
    pub(super) fn has_unsaved_cache(&self) -> bool {
        let cache = self.cache.as_ref();
        cache.is_some_and(|cache| cache.poll_timeout().is_some())
    }

    /// Returns the next output of the outbox.
    pub(super) fn poll_outbox(&mut self) -> Option<OutboxOutput> {
        self.outbox.as_mut()?.poll_output()
    }

    /// Returns the next output of the inboxes.
    pub(super) fn poll_inboxes(&mut self) -> Option<InboxOutput> {
        self.inboxes.as_mut()?.poll_output()
    }

    /// Collects the changes of all parts for the next batch, or for the last one.
    fn collect_changes(&mut self, now: Timestamp, is_last: bool) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        if let Some(outbox) = &mut self.outbox {
            let is_urgent = outbox.has_urgent_change();
            writer.extend(now, outbox.take_changes(), is_urgent);
        }
        if let Some(inboxes) = &mut self.inboxes {
            // Positions that change while a batch is unanswered are encoded once.
            if is_last || !writer.has_unanswered() {
                inboxes.save_positions();
            }
            writer.extend(now, inboxes.take_changes(), true);
        }
        let cache = self.cache.as_mut();
        if let Some(cache) = cache.filter(|_| !self.is_standby) {
            cache.advance(now);
            writer.extend(now, cache.take_changes(), false);
        }
    }

    /// Returns the next batch if no other is unanswered. `expects_more` is set if changes that are
    /// not urgent should wait for further ones.
    pub(super) fn poll_batch(
        &mut self,
        now: Timestamp,
        expects_more: bool,
    ) -> Option<(BatchId, Vec<Change>)> {
        self.collect_changes(now, false);
        let batch = self.writer.as_mut()?.poll_batch(now, expects_more)?;
        self.announce_next_batch();
        Some(batch)
    }

    /// Returns the last batch of the session.
    pub(super) fn take_last_batch(&mut self, now: Timestamp) -> Option<(BatchId, Vec<Change>)> {
        let cache = self.cache.as_mut();
        if let Some(cache) = cache.filter(|_| !self.is_standby) {
            cache.flush();
        }
        self.collect_changes(now, true);
        self.writer.as_mut()?.take_batch(now)
    }

    /// Reports to all parts the batch of their next changes.
    pub(super) fn announce_next_batch(&mut self) {
        let Some(writer) = &self.writer else {
            return;
        };
        let batch = writer.next_batch();
        if let Some(outbox) = &mut self.outbox {
            outbox.set_batch(batch);
        }
        if let Some(inboxes) = &mut self.inboxes {
            inboxes.set_batch(batch);
        }
    }

    /// Handles a stored batch.
    pub(super) fn handle_stored(&mut self, now: Timestamp, batch: BatchId) {
        let writer = self.writer.as_mut();
        if !writer.is_some_and(|writer| writer.handle_stored(batch)) {
            return;
        }
        if let Some(outbox) = &mut self.outbox {
            outbox.handle_stored(batch);
        }
        if let Some(inboxes) = &mut self.inboxes {
            inboxes.handle_stored(now, batch);
        }
    }

    /// Handles a batch that was not stored. Returns `false` if it is not the unanswered one.
    pub(super) fn handle_failed(&mut self, now: Timestamp, batch: BatchId, reason: &str) -> bool {
        let outbox = self.outbox.as_ref();
        let held = outbox.map(|outbox| outbox.held_by_failure(batch));
        let held = held.unwrap_or_default();
        // A later change writes a cached window again.
        let is_replaced = |key: &str, value: Option<&str>| value.is_some() && is_cache_key(key);
        let is_retained =
            |key: &str, value: Option<&str>| !held.contains(key) && !is_replaced(key, value);
        let writer = self.writer.as_mut();
        if !writer.is_some_and(|writer| writer.handle_failed(now, batch, is_retained)) {
            return false;
        }
        if let Some(outbox) = &mut self.outbox {
            outbox.handle_store_failed(batch, reason);
        }
        if let Some(inboxes) = &mut self.inboxes {
            inboxes.handle_store_failed(now, batch);
        }
        true
    }

    /// Reports an unanswered batch once.
    pub(super) fn handle_timeout(&mut self, now: Timestamp) -> Option<StorageEvent> {
        self.writer.as_mut()?.handle_timeout(now)
    }

    /// Returns the time at which a part has something to do, with the same `expects_more` as in
    /// [`poll_batch`](Self::poll_batch).
    pub(super) fn poll_timeout(&self, now: Timestamp, expects_more: bool) -> Option<Timestamp> {
        let outbox = self.outbox.as_ref();
        let inboxes = self.inboxes.as_ref();
        let cache = self.cache.as_ref();
        let writer = self.writer.as_ref();
        Timestamp::earliest(&[
            outbox.and_then(|outbox| outbox.poll_timeout(now)),
            inboxes.and_then(|inboxes| inboxes.poll_timeout(now)),
            cache.and_then(|cache| cache.poll_timeout()),
            writer.and_then(|writer| writer.poll_timeout(expects_more)),
        ])
    }
}
