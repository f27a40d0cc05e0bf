//! An open socket and the requests that were sent on it.

use std::collections::BTreeMap;

use super::heartbeat::Heartbeat;
use crate::collections::ReleaseMemory;
use crate::io::SocketId;
use crate::requests::QueueSlot;
use crate::timestamp::Timestamp;

/// An open socket.
pub(super) struct Socket {
    pub(super) id: SocketId,
    pub(super) heartbeat: Heartbeat,
    pub(super) renewal: Renewal,
    pub(super) in_flight: BTreeMap<u64, InFlight>,
    /// The number of the last publish.
    pub(super) last_publish: Option<u64>,
    pub(super) next_seq: u64,
}

/// The state of sending the current token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    /// There is no token to send, and no unanswered one.
    None,
    /// The token is due to be sent at this time.
    Due(Timestamp),
    /// The token was sent with this request. Answers to earlier renewals are ignored.
    Sent(u64),
}

/// A request in flight.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum InFlight {
    Renewal,
    Ping,
    Request(QueueSlot),
}

impl Socket {
    pub(super) fn new(id: SocketId, now: Timestamp) -> Self {
        Self {
            id,
            heartbeat: Heartbeat::new(now),
            renewal: Renewal::None,
            in_flight: BTreeMap::new(),
            last_publish: None,
            next_seq: 0,
        }
    }

    /// Returns `true` if a renewal is unanswered.
    pub(super) fn is_renewing(&self) -> bool {
        matches!(self.renewal, Renewal::Sent(_))
    }

    /// Registers a new request and returns its number.
    pub(super) fn number(&mut self, request: InFlight) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.in_flight.insert(seq, request);
        seq
    }

    /// Returns the time of the next heartbeat or renewal.
    pub(super) fn poll_timeout(&self, is_ready: bool) -> Option<Timestamp> {
        let heartbeat = if is_ready {
            Some(self.heartbeat.next_deadline())
        } else if self.is_renewing() {
            Some(self.heartbeat.renewal_deadline())
        } else {
            self.heartbeat.doubt_deadline()
        };
        match self.renewal {
            Renewal::Due(at) => Timestamp::earliest(&[heartbeat, Some(at)]),
            Renewal::None | Renewal::Sent(_) => heartbeat,
        }
    }

    /// Returns `true` if the server has been silent for too long.
    pub(super) fn is_lost(&self, now: Timestamp, is_ready: bool) -> bool {
        let waits_for_renewal = !is_ready && self.is_renewing();
        self.heartbeat.is_lost(now)
            || (waits_for_renewal && self.heartbeat.renewal_deadline() <= now)
    }

    /// Releases the memory of empty collections.
    pub(super) fn release_memory(&mut self) {
        self.in_flight.release_memory();
    }
}
