//! Is the other side still there?

use std::time::Duration;

use crate::timestamp::Timestamp;

/// The client says something at least this often.
const SEND_EVERY: Duration = Duration::from_secs(25);
/// A server that says nothing for this long is asked.
const HEAR_WITHIN: Duration = Duration::from_secs(10);
/// It has this long to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// When a connection was last used, and whether it is in doubt.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    last_sent: Timestamp,
    last_heard: Timestamp,
    lost_at: Option<Timestamp>,
}

impl Heartbeat {
    /// A connection that was opened at `now`.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            last_sent: now,
            last_heard: now,
            lost_at: None,
        }
    }

    /// Something was sent.
    pub(crate) fn sent(&mut self, now: Timestamp) {
        self.last_sent = now;
    }

    /// Something was heard: no more doubt.
    pub(crate) fn heard(&mut self, now: Timestamp) {
        self.last_heard = now;
        self.lost_at = None;
    }

    /// The connection may be dead: unless something is heard soon it counts as lost.
    pub(crate) fn doubt(&mut self, now: Timestamp) {
        self.lost_at.get_or_insert(now + ANSWER_WITHIN);
    }

    /// Whether the other side has been silent for too long.
    pub(crate) fn is_lost(&self, now: Timestamp) -> bool {
        self.lost_at.is_some_and(|at| at <= now)
    }

    /// Whether a ping is due. A silent server is in doubt from then on.
    pub(crate) fn take_ping(&mut self, now: Timestamp) -> bool {
        let silent = self.lost_at.is_none() && self.last_heard + HEAR_WITHIN <= now;
        if silent {
            self.doubt(now);
        }
        silent || self.last_sent + SEND_EVERY <= now
    }

    /// When a ping is due, or the connection is lost.
    pub(crate) fn next_deadline(&self) -> Timestamp {
        let ping = self.last_sent + SEND_EVERY;
        self.lost_at
            .unwrap_or(self.last_heard + HEAR_WITHIN)
            .min(ping)
    }

    /// When a connection that cannot be pinged, because its renewal is not answered, counts as
    /// lost. The server may well have been silent for long before: nothing was asked.
    pub(crate) fn renewal_deadline(&self) -> Timestamp {
        let silent_since = self.last_heard.max(self.last_sent);
        self.lost_at
            .unwrap_or(silent_since + HEAR_WITHIN + ANSWER_WITHIN)
    }

    /// When a connection in doubt counts as lost.
    pub(crate) fn doubt_deadline(&self) -> Option<Timestamp> {
        self.lost_at
    }
}
