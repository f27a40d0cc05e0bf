//! The state of the scans of an inbox.

use super::record::Start;
use crate::live::ListFilter;
use crate::timestamp::Timestamp;

/// A time before all messages.
pub(super) const BEGINNING: Timestamp = Timestamp::from_millis(i64::MIN);

/// The purpose of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScanKind {
    /// Determines the start from the first page.
    Start,
    /// Determines the last join before the start.
    Joins(Start),
    /// Finds the conversations with news.
    News,
}

/// A scan in progress.
pub(super) struct RunningScan {
    pub(super) kind: ScanKind,
    pub(super) filter: ListFilter,
    /// Set if a later page than the first is being read.
    pub(super) has_cursor: bool,
    /// The newest time of a conversation so far.
    pub(super) newest: Timestamp,
}

/// The scans of an inbox.
pub(super) struct Scan {
    pub(super) running: Option<RunningScan>,
    /// The time of the next scan.
    pub(super) due: Timestamp,
    /// Set if events should have reported all conversations with news.
    pub(super) is_regular: bool,
    /// Set if the low-water mark must not pass the conversations of this scan.
    pub(super) is_mark_held: bool,
    /// The newest server time that was known before the last connection loss.
    pub(super) latest_before: Timestamp,
}

impl Scan {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            running: None,
            due: now,
            is_regular: false,
            is_mark_held: false,
            latest_before: BEGINNING,
        }
    }

    /// Returns `true` while a scan of any kind is in progress.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Returns `true` if the current news are known and events report all later ones.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_regular && self.running.is_none()
    }

    /// Keeps the low-water mark, because a conversation of the scan is not tracked.
    pub(super) fn hold_mark(&mut self) {
        self.is_mark_held = true;
    }

    /// Drops the running scan. The next one is due at once.
    pub(super) fn handle_lost(&mut self, now: Timestamp) {
        self.running = None;
        self.due = now;
        self.is_regular = false;
    }

    /// Makes the next scan due at once.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.due = now;
        self.is_regular = false;
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.running.is_none().then_some(self.due)
    }
}
