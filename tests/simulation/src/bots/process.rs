//! The driver of a process: its store, and its handlers of messages.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use talk_proto::Timestamp;
use talk_proto::inbox::InboxId;
use talk_proto::storage::{BatchId, Change};

use super::database::{Holder, StatementId};
use super::handlers::Handlers;
use super::lease::Lease;
use super::ledger::Number;
use super::positions::Positions;

/// The stage of the store of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits until the next attempt to take the lease.
    Waiting(Timestamp),
    /// Takes the lease. The time is that of the monotonic clock.
    Locking(StatementId, Timestamp),
    /// Has the lease, and loads the records.
    Loading(StatementId),
    /// The session has the store.
    Open,
}

/// A batch that is being applied under a lease.
pub(super) struct Applying {
    pub(super) batch: BatchId,
    pub(super) changes: Vec<Change>,
    pub(super) holder: Holder,
    /// The unanswered statement, or the time of the next attempt.
    pub(super) attempt: Result<StatementId, Timestamp>,
    /// Set if the session has lost the store, so that it ignores the result.
    pub(super) is_orphan: bool,
}

/// The state of the path between a process and the database.
#[derive(Clone, Copy, Default)]
pub(super) struct Path {
    pub(super) down_until: Timestamp,
    pub(super) slow_until: Timestamp,
    pub(super) silent_until: Timestamp,
    /// Set if the statements about leases, which have a connection of their own, are neither slow
    /// nor unanswered.
    pub(super) spares_leases: bool,
}

/// The driver of a process.
pub(super) struct Process {
    pub(super) stage: Stage,
    pub(super) lease: Option<Lease>,
    /// The time at which the driver notices the loss of the lease.
    pub(super) loss_noticed_at: Option<Timestamp>,
    pub(super) batches: VecDeque<(BatchId, Vec<Change>)>,
    pub(super) applying: Option<Applying>,
    pub(super) path: Path,
    /// The duration for which the monotonic clock stood still.
    pub(super) stood_still: Duration,
    pub(super) inbox: Option<InboxId>,
    /// Set once the inbox has reported that it is open.
    pub(super) is_inbox_open: bool,
    /// The positions with which the session has opened its store.
    pub(super) loaded: Positions,
    /// The messages that the session has acknowledged since then.
    pub(super) acknowledged: BTreeSet<Number>,
    pub(super) handlers: Handlers,
    /// The time limit of the last batches, once the session has ended.
    pub(super) ends_by: Option<Timestamp>,
}

impl Process {
    /// Creates a process that takes the lease after it has started.
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            stage: Stage::Waiting(started),
            lease: None,
            loss_noticed_at: None,
            batches: VecDeque::new(),
            applying: None,
            path: Path::default(),
            stood_still: Duration::ZERO,
            inbox: None,
            is_inbox_open: false,
            loaded: Positions::default(),
            acknowledged: BTreeSet::new(),
            handlers: Handlers::default(),
            ends_by: None,
        }
    }

    /// Returns the time by the monotonic clock.
    pub(super) fn monotonic(&self, now: Timestamp) -> Timestamp {
        now - self.stood_still
    }

    /// Returns `true` if the store has applied every batch.
    pub(super) fn is_store_idle(&self) -> bool {
        self.batches.is_empty() && self.applying.is_none()
    }

    /// Returns the time of the next action.
    pub(super) fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = match self.stage {
            // The store handles one request at a time.
            Stage::Waiting(at) if self.applying.is_none() && self.ends_by.is_none() => Some(at),
            _ => None,
        };
        let lease = self
            .lease
            .as_ref()
            .filter(|_| self.loss_noticed_at.is_none());
        let of_lease = lease.and_then(|lease| Some(lease.next_at()? + self.stood_still));
        let noticed = self.loss_noticed_at.filter(|_| self.stage == Stage::Open);
        let applies = match &self.applying {
            Some(applying) => applying.attempt.err(),
            None => (!self.batches.is_empty()).then_some(now),
        };
        let is_store_idle = self.is_store_idle();
        let ended = self.ends_by.map(|by| if is_store_idle { now } else { by });
        let times = [waiting, of_lease, noticed, applies, ended];
        let times = times.into_iter().flatten();
        times.chain(self.handlers.next_at()).min()
    }
}
