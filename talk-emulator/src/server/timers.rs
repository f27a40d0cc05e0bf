use std::collections::BTreeSet;

use talk_proto::Timestamp;

use super::fault::Fault;
use super::output::ConnectionId;

/// What is to happen at its time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A user stops being shown as typing.
    TypingEnds {
        app: String,
        conversation: String,
        user: String,
    },
    /// The token of a connection expires.
    SessionExpires(ConnectionId),
    /// A connection is no longer slow.
    SlowEnds(ConnectionId),
    /// Something goes wrong.
    FaultDue(Fault),
}

/// Everything that waits for a time, soonest first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    pub(super) fn set(&mut self, at: Timestamp, timer: Timer) {
        self.queue.insert((at, timer));
    }

    /// Takes back a timer that was set for exactly this time.
    pub(super) fn cancel(&mut self, at: Timestamp, timer: Timer) {
        self.queue.remove(&(at, timer));
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes the next timer that is due.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.queue.pop_first().map(|(_, timer)| timer)
    }
}
