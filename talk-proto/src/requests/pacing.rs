//! Pacing of calls on a connection that has just become ready.

use crate::options::Pacing;
use crate::timestamp::Timestamp;

/// Spreads the calls that waited for the connection.
pub(super) struct Pacer {
    pacing: Pacing,
    flush: Option<Flush>,
}

/// The state while calls are spread.
struct Flush {
    burst_left: usize,
    next: Timestamp,
}

impl Pacer {
    pub(super) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            flush: None,
        }
    }

    /// Starts to spread calls: the first ones are sent at once.
    pub(super) fn start(&mut self, now: Timestamp) {
        self.flush = Some(Flush {
            burst_left: self.pacing.burst,
            next: now,
        });
    }

    /// Ends the spreading, since no call waits or the connection is lost.
    pub(super) fn stop(&mut self) {
        self.flush = None;
    }

    /// Returns `true` if a call may be sent now, and counts it.
    pub(super) fn admit(&mut self, now: Timestamp) -> bool {
        let Some(flush) = &mut self.flush else {
            return true;
        };
        if flush.burst_left > 0 {
            flush.burst_left -= 1;
        } else if flush.next > now {
            return false;
        }
        flush.next = now + self.pacing.interval;
        true
    }

    /// Returns the time at which the next call may be sent, unless that is at once.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.flush.as_ref().map(|flush| flush.next)
    }
}
