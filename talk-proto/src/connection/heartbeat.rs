//! Liveness of an open socket.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// The longest time between two frames of the client.
const SEND_EVERY: Duration = Duration::from_secs(25);
/// The silence of the server after which a ping is sent.
const HEAR_WITHIN: Duration = Duration::from_secs(10);
/// The time limit of the answer to a ping.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The times of the last frames, and the deadline of a connection that may be lost.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    last_sent: Timestamp,
    last_heard: Timestamp,
    lost_at: Option<Timestamp>,
}

impl Heartbeat {
    /// Returns the heartbeat of a socket that was opened at `now`.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            last_sent: now,
            last_heard: now,
            lost_at: None,
        }
    }

    /// Records a sent frame.
    pub(crate) fn sent(&mut self, now: Timestamp) {
        self.last_sent = now;
    }

    /// Records a received frame, which proves that the connection is alive.
    pub(crate) fn note_received(&mut self, now: Timestamp) {
        self.last_heard = now;
        self.lost_at = None;
    }

    /// Starts the time limit for the next received frame, if it is not running.
    pub(crate) fn doubt(&mut self, now: Timestamp) {
        self.lost_at.get_or_insert(now + ANSWER_WITHIN);
    }

    /// Returns `true` if the time limit has expired.
    pub(crate) fn is_lost(&self, now: Timestamp) -> bool {
        self.lost_at.is_some_and(|at| at <= now)
    }

    /// Returns `true` if a ping is due. If the server was silent, this also starts the time limit.
    pub(crate) fn take_ping(&mut self, now: Timestamp) -> bool {
        let silent = self.lost_at.is_none() && self.last_heard + HEAR_WITHIN <= now;
        if silent {
            self.doubt(now);
        }
        silent || self.last_sent + SEND_EVERY <= now
    }

    /// Returns the time of the next ping or of the loss of the connection.
    pub(crate) fn next_deadline(&self) -> Timestamp {
        let ping = self.last_sent + SEND_EVERY;
        self.lost_at
            .unwrap_or(self.last_heard + HEAR_WITHIN)
            .min(ping)
    }

    /// Returns the time at which a connection with an unanswered renewal counts as lost. It cannot
    /// be pinged. Silence before the renewal does not count, because no answer was due.
    pub(crate) fn renewal_deadline(&self) -> Timestamp {
        let silent_since = self.last_heard.max(self.last_sent);
        self.lost_at
            .unwrap_or(silent_since + HEAR_WITHIN + ANSWER_WITHIN)
    }

    /// Returns the end of the time limit, if it is running.
    pub(crate) fn doubt_deadline(&self) -> Option<Timestamp> {
        self.lost_at
    }
}
