//! The state of the scans of an inbox.

use std::time::Duration;

use super::record::Start;
use crate::fault_injection::FaultInjection;
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

/// The longest delay after a scan without a usable answer.
const MAX_DELAY: Duration = Duration::from_secs(5 * 60);

/// The scans of an inbox.
pub(super) struct Scan {
    pub(super) running: Option<RunningScan>,
    /// The time of the next scan.
    pub(super) due: Timestamp,
    /// Set if events should have reported all conversations with news.
    pub(super) is_regular: bool,
    /// Set if the low-water mark must not pass the conversations of this scan.
    pub(super) is_mark_held: bool,
    /// Set if the running scan may lack conversations with news.
    is_outdated: bool,
    /// The number of scans without a usable answer since the last complete one.
    failures: u32,
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
            is_outdated: false,
            failures: 0,
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
        if FaultInjection::SkippedScan.is_on() {
            return;
        }
        self.due = now;
        self.is_regular = false;
        self.is_outdated = false;
    }

    /// Makes the next scan due at once, or after the running one.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.due = now;
        self.is_regular = false;
        self.is_outdated = self.running.is_some();
    }

    /// Ends a scan without a usable answer. The next one is due after `delay`, which doubles with
    /// each failure.
    pub(super) fn fail(&mut self, now: Timestamp, delay: Duration) {
        self.running = None;
        let delay = delay.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        self.due = now + delay.min(MAX_DELAY);
    }

    /// Ends a complete scan.
    pub(super) fn finish(&mut self, now: Timestamp, interval: Duration) {
        self.failures = 0;
        self.is_regular = !std::mem::take(&mut self.is_outdated);
        self.due = if self.is_regular { now + interval } else { now };
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.running.is_none().then_some(self.due)
    }
}
