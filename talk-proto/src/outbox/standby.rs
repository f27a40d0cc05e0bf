//! Outboxes whose store another session uses.

use super::machine::{Outbox, OutboxOutput};
use super::options::OutboxOptions;
use super::receipts::Receipts;
use super::step::Step;
use crate::changes::RemovalReason;
use crate::model::UserId;
use crate::storage::Record;
use crate::timestamp::Timestamp;

impl Outbox {
    /// Creates an outbox without records. It accepts subscriptions only, until
    /// [`open`](Self::open).
    pub(crate) fn standby(me: UserId, options: OutboxOptions, now: Timestamp) -> Self {
        let mut outbox = Self::new(me, options, now, Some(&[]));
        outbox.is_open = false;
        outbox
    }

    /// Returns `true` if the entries are known.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Continues with the records of a store. Has no effect if the outbox is open.
    pub(crate) fn open(&mut self, now: Timestamp, records: &[Record]) {
        if !self.is_open {
            self.is_open = true;
            self.restore(records);
            self.evict_receipts(now);
            self.mark_dirty();
        }
    }

    /// Drops all entries, because another session has their records. They are neither sent nor
    /// discarded here, so nothing is reported about them except to the subscriptions. Has no effect
    /// on an outbox in memory.
    pub(crate) fn close(&mut self) {
        let Some(journal) = self.journal.as_mut().filter(|_| self.is_open) else {
            return;
        };
        journal.take();
        // Reports and requests that wait belong to the dropped entries.
        let is_echo = |output: &OutboxOutput| matches!(output, OutboxOutput::Echoes { .. });
        self.outputs.retain(is_echo);
        for (seq, item) in std::mem::take(&mut self.items) {
            if let Step::InFlight(Some(request)) = item.progress().step {
                self.outputs.push_back(OutboxOutput::Cancel(request));
            }
            if let Some(request) = item.progress().upload {
                self.outputs.push_back(OutboxOutput::StopUpload(request));
            }
            self.list.remove(seq, RemovalReason::Evicted);
        }
        self.ids.clear();
        self.reserved.clear();
        self.next_seq = 0;
        self.bytes = 0;
        self.with_files.clear();
        self.follow_ups.clear();
        self.leaving.clear();
        self.held_replies.clear();
        self.receipts = Receipts::default();
        self.awaiting.clear();
        self.timers.clear();
        self.changed.clear();
        let removed = std::mem::take(&mut self.changed_echoes).into_iter();
        let dropped = self.lanes.clear();
        for (conversation, entries) in removed.chain(dropped) {
            let changes = entries.into_iter().map(|seq| (seq, None)).collect();
            self.outputs.push_back(OutboxOutput::Echoes {
                conversation,
                changes,
            });
        }
        self.update_subscriptions();
        self.is_open = false;
        self.mark_dirty();
    }
}
