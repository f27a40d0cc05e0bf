//! An open socket and the requests that were sent on it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::heartbeat::Heartbeat;
use crate::collections::ReleaseMemory;
use crate::fault_injection::FaultInjection;
use crate::io::SocketId;
use crate::requests::QueueSlot;
use crate::timestamp::Timestamp;

/// The time limit of the answer to a request on a ready connection.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// An open socket.
pub(super) struct Socket {
    pub(super) id: SocketId,
    pub(super) heartbeat: Heartbeat,
    pub(super) renewal: Renewal,
    /// The unanswered requests by number, and the times at which they were sent.
    in_flight: BTreeMap<u64, (InFlight, Timestamp)>,
    /// The time since which the server can answer, because the connection is ready and the machine
    /// is awake.
    waiting_since: Timestamp,
    /// The number of the last publish.
    pub(super) last_publish: Option<u64>,
    pub(super) next_seq: u64,
}

/// The state of sending the current token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    /// No token is due, and none is unanswered.
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
            waiting_since: now,
            last_publish: None,
            next_seq: 0,
        }
    }

    /// Returns `true` if a renewal is unanswered.
    pub(super) fn is_renewing(&self) -> bool {
        matches!(self.renewal, Renewal::Sent(_))
    }

    /// Registers a new request and returns its number.
    pub(super) fn number(&mut self, now: Timestamp, request: InFlight) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.in_flight.insert(seq, (request, now));
        seq
    }

    /// Removes a request that is answered.
    pub(super) fn take_in_flight(&mut self, seq: u64) -> Option<InFlight> {
        Some(self.in_flight.remove(&seq)?.0)
    }

    /// Restarts the time limit of all answers.
    pub(super) fn restart_waiting(&mut self, now: Timestamp) {
        self.waiting_since = now;
    }

    /// Returns the requests of the queue in order, and the time limits of their answers.
    fn waiting(&self) -> impl Iterator<Item = (QueueSlot, Timestamp)> {
        self.in_flight.values().filter_map(|(request, sent)| {
            let InFlight::Request(slot) = request else {
                return None;
            };
            if FaultInjection::KeptUnanswered.is_on() {
                return None;
            }
            Some((*slot, *sent.max(&self.waiting_since) + ANSWER_TIMEOUT))
        })
    }

    /// Returns the requests whose time limit is over.
    pub(super) fn unanswered(&self, now: Timestamp) -> Vec<QueueSlot> {
        let late = self.waiting().take_while(|(_, deadline)| *deadline <= now);
        late.map(|(slot, _)| slot).collect()
    }

    /// Returns the time of the next heartbeat, renewal or time limit.
    pub(super) fn poll_timeout(&self, is_ready: bool) -> Option<Timestamp> {
        let heartbeat = if is_ready {
            let answer = self.waiting().next().map(|(_, deadline)| deadline);
            Timestamp::earliest(&[answer, Some(self.heartbeat.next_deadline())])
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
