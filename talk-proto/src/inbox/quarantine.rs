//! Messages that may have ended the process.
//!
//! A message that was out at three unclean ends within a minute is a suspect. It is delivered
//! alone, after the messages of other conversations, so that another end takes no other message
//! with it. A process that lives for a minute after it has met a suspect delivers the remaining
//! ones with the others. The deliveries are recorded only in the minute after an unclean end, and
//! before they are reported, because a handler may end the process at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::MessageId;
use crate::storage::{BatchId, versioned};
use crate::timestamp::Timestamp;

/// The number of unclean ends after which a message is a suspect.
const MAX_ENDS: usize = 3;
/// The time in which these ends happen, and after which suspects are not isolated any more.
const PERIOD: Duration = Duration::from_secs(60);
/// The largest number of recorded messages.
const MAX_RECORDED: usize = 1_000;

/// The state that outlives a run.
#[derive(Default)]
pub(super) struct Run {
    pub(super) head: Head,
    /// The recorded messages.
    pub(super) out: BTreeMap<MessageId, Recorded>,
}

/// The record of a run that has not ended cleanly, or that leaves suspects.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Head {
    /// Set while an inbox is open.
    is_open: bool,
    /// The times at which inboxes were opened after an unclean end, the last ones.
    ends: Vec<Timestamp>,
}

/// The record of a message that was delivered and not acknowledged.
#[derive(Serialize, Deserialize)]
pub(super) struct Recorded {
    /// The number of unclean ends at which the message was out.
    ends: usize,
    /// Set if this run has delivered the message.
    is_out: bool,
}

impl Recorded {
    fn is_suspect(&self) -> bool {
        self.ends >= MAX_ENDS
    }

    /// Continues after an unclean end, which is the last one of `ends` within the period.
    fn count_end(&mut self, ends: usize) {
        let most = if self.is_suspect() { usize::MAX } else { ends };
        self.ends = (self.ends + usize::from(self.is_out)).min(most);
        self.is_out = false;
    }
}

/// The suspects of an inbox, and the record of its deliveries.
pub(super) struct Quarantine {
    run: Run,
    /// Set if the head has changed since it was stored.
    is_changed: bool,
    /// The messages whose records have changed since they were stored.
    changed: BTreeSet<MessageId>,
    isolation: Isolation,
    /// The messages that are recorded and not stored, and their batch once it is known.
    unstored: BTreeMap<MessageId, Option<BatchId>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Isolation {
    /// No suspect was met.
    Unused,
    Until(Timestamp),
    Over,
}

impl Quarantine {
    /// Continues after an earlier run.
    pub(super) fn new(mut run: Run, now: Timestamp) -> Self {
        let Head { is_open, ends } = &mut run.head;
        if std::mem::replace(is_open, true) {
            ends.push(now);
        }
        ends.retain(|at| now.saturating_since(*at) <= PERIOD);
        ends.drain(..ends.len().saturating_sub(MAX_ENDS));
        let changed = run.out.keys().cloned().collect();
        for message in run.out.values_mut() {
            message.count_end(ends.len());
        }
        run.out.retain(|_, message| message.ends > 0);
        Self {
            run,
            is_changed: true,
            changed,
            isolation: Isolation::Unused,
            unstored: BTreeMap::new(),
        }
    }

    /// Returns the number of unclean ends at which a suspect was out. Returns `None` for a message
    /// that is delivered with the others.
    pub(super) fn suspicion(&self, message: &MessageId) -> Option<usize> {
        let recorded = self.run.out.get(message);
        let suspect = recorded.filter(|recorded| recorded.is_suspect());
        let ends = suspect.map(|suspect| suspect.ends);
        ends.filter(|_| self.isolation != Isolation::Over)
    }

    /// Starts the isolation, unless it has started before.
    pub(super) fn isolate(&mut self, now: Timestamp) {
        if self.isolation == Isolation::Unused {
            self.isolation = Isolation::Until(now + PERIOD);
        }
    }

    /// Returns the end of the isolation, if it has started.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        match self.isolation {
            Isolation::Until(at) => Some(at),
            Isolation::Unused | Isolation::Over => None,
        }
    }

    /// Ends the isolation if it is time. The suspects stay recorded for another unclean end.
    /// Returns `true` if it has ended now.
    pub(super) fn release(&mut self, now: Timestamp) -> bool {
        let is_due = self.poll_timeout().is_some_and(|at| at <= now);
        if is_due {
            self.isolation = Isolation::Over;
        }
        is_due
    }

    /// Records the next delivery of a message, if the process has ended uncleanly before.
    pub(super) fn note_delivery(&mut self, message: &MessageId, now: Timestamp) {
        let Run { head, out } = &mut self.run;
        let ends = &head.ends;
        let last = ends.last();
        let is_recent = last.is_some_and(|last| now.saturating_since(*last) <= PERIOD);
        if !out.contains_key(message) && (!is_recent || out.len() >= MAX_RECORDED) {
            return;
        }
        let recorded = out.entry(message.clone()).or_insert_with(|| Recorded {
            // The deliveries of the run before the first end are unknown.
            ends: usize::from(ends.len() == 1),
            is_out: false,
        });
        if !std::mem::replace(&mut recorded.is_out, true) {
            self.changed.insert(message.clone());
            self.unstored.insert(message.clone(), None);
        }
    }

    /// Returns `true` if the message can be delivered.
    pub(super) fn is_stored(&self, message: &MessageId) -> bool {
        !self.unstored.contains_key(message)
    }

    /// Sets the batch of the record that was changed last. Without a store there is none.
    pub(super) fn set_batch(&mut self, batch: Option<BatchId>) {
        self.unstored.retain(|_, of| {
            *of = of.or(batch);
            of.is_some()
        });
    }

    /// Handles a stored batch, or one that failed: deliveries do not wait for a failing store.
    pub(super) fn handle_stored(&mut self, batch: BatchId) {
        let unstored = &mut self.unstored;
        unstored.retain(|_, of| of.is_none_or(|of| of > batch));
    }

    /// Records an acknowledgement.
    pub(super) fn note_ack(&mut self, message: &MessageId) {
        if self.run.out.remove(message).is_some() {
            self.changed.insert(message.clone());
        }
    }

    /// Returns the changed records: the head, and those of messages. `None` is deleted.
    pub(super) fn take_changes(&mut self) -> Vec<(Option<MessageId>, Option<String>)> {
        let mut changes = Vec::new();
        if std::mem::take(&mut self.is_changed) {
            let Run { head, out } = &self.run;
            let is_needed = head.is_open || !out.is_empty();
            changes.push((None, is_needed.then(|| versioned::encode(head))));
        }
        for message in std::mem::take(&mut self.changed) {
            let value = self.run.out.get(&message).map(versioned::encode);
            changes.push((Some(message), value));
        }
        changes
    }

    /// Ends the run cleanly. Only suspects stay recorded.
    pub(super) fn close(&mut self) {
        self.is_changed = true;
        self.run.head = Head::default();
        self.changed.extend(self.run.out.keys().cloned());
        self.run.out.retain(|_, message| {
            message.is_out = false;
            message.is_suspect()
        });
    }

    /// Returns the state for a later inbox.
    pub(super) fn take_run(&mut self) -> Run {
        self.close();
        std::mem::take(&mut self.run)
    }
}
