//! The state of the network between a session and the world.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use talk_emulator::server::ConnectionId;
use talk_proto::Timestamp;

/// A rule for the next request on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Answers with this status without executing the request.
    Refuse(u16),
    /// Executes the request and answers with 500.
    Done500,
    /// Executes the request and cuts the connection before the answer.
    LostAnswer,
}

/// A rule for the next request over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HttpRule {
    /// Drops the request and notifies the session of a failure.
    Lose,
    /// Drops the request without a notification.
    Silence,
    /// Answers with this status.
    Refuse(u16),
    /// Delays the answer.
    Late,
    /// Cuts the connection in the middle of the answer.
    BreakOff,
    /// Fails to read the file of an upload.
    Source,
}

/// The application's behaviour at the next token fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenAnswer {
    Rejected,
    ShortLived,
    Silence,
    Late,
}

/// The state of the network between a session and the world.
pub(super) struct Net {
    /// In milliseconds each way.
    pub(super) latency: Range<u64>,
    pub(super) slow_until: Timestamp,
    pub(super) refuses_until: Timestamp,
    pub(super) hangs_until: Timestamp,
    pub(super) asleep_until: Timestamp,
    pub(super) rules: VecDeque<Rule>,
    pub(super) http_rules: VecDeque<HttpRule>,
    pub(super) tokens: VecDeque<TokenAnswer>,
    /// Set if the next frame to the session is larger than its transport accepts.
    pub(super) next_is_too_large: bool,
    pub(super) ignored: Ignored,
    /// The number of publishes in which an event becomes unreadable.
    pub(super) unreadable_events: u32,
    /// The number of answers that receive an additional, unreadable item.
    pub(super) unreadable_items: u32,
}

/// The requests that the server leaves unanswered.
#[derive(Clone, Copy)]
pub(super) struct Ignored {
    pub(super) until: Timestamp,
    /// Set if they are carried out.
    pub(super) are_done: bool,
    /// The number of connections on which nested reads were ignored, and the last one.
    nested: (usize, Option<ConnectionId>),
}

/// Nested reads are answered after this many connections: they must not fail for good.
const MAX_NESTED: usize = 2;

impl Ignored {
    /// Returns `true` if a request is ignored.
    pub(super) fn take(&mut self, now: Timestamp, on: ConnectionId, is_nested: bool) -> bool {
        if now >= self.until {
            return false;
        }
        let (connections, last) = &mut self.nested;
        if !is_nested || *last == Some(on) {
            return true;
        }
        let is_ignored = *connections < MAX_NESTED;
        if is_ignored {
            *connections += 1;
            *last = Some(on);
        }
        is_ignored
    }
}

/// The latency without a fault, in milliseconds each way.
const LATENCY: Range<u64> = 1..60;

impl Net {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            latency: LATENCY,
            slow_until: now,
            refuses_until: now,
            hangs_until: now,
            asleep_until: now,
            rules: VecDeque::new(),
            http_rules: VecDeque::new(),
            tokens: VecDeque::new(),
            next_is_too_large: false,
            ignored: Ignored {
                until: now,
                are_done: false,
                nested: (0, None),
            },
            unreadable_events: 0,
            unreadable_items: 0,
        }
    }

    /// Ends all faults.
    pub(super) fn heal(&mut self, now: Timestamp) {
        *self = Self::new(now);
    }

    pub(super) fn latency(&self, now: Timestamp, rng: &mut fastrand::Rng) -> Duration {
        let range = if now < self.slow_until {
            self.latency.clone()
        } else {
            LATENCY
        };
        Duration::from_millis(rng.u64(range))
    }
}
