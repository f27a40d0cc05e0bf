//! A limit of reads per poll.

use std::task::{Context, Poll};

/// The maximum number of consecutive successful reads. Not every runtime has such a budget, and a
/// server that sends fragments or interim responses without an end would be read in one poll
/// forever.
const MAX_CONSECUTIVE_READS: u32 = 32;

/// Yields to other tasks after a number of successful reads.
#[derive(Default)]
pub(super) struct ReadBudget {
    reads: u32,
}

impl ReadBudget {
    /// Reads, or yields if the budget is used up.
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        read: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if self.reads >= MAX_CONSECUTIVE_READS {
            self.reads = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.reads += 1;
        let outcome = read(cx);
        if outcome.is_pending() {
            self.reads = 0;
        }
        outcome
    }
}
