//! What lies between one session and the world, and how bad it is at the moment.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use talk_proto::Timestamp;

/// What is done to the next request on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// It is not carried out and answered so.
    Refuse(u16),
    /// It is carried out and answered with 500.
    Done500,
    /// It is carried out, and the connection breaks.
    LostAnswer,
}

/// What is done to the next request over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HttpRule {
    /// It never arrives, and its sender learns.
    Lose,
    /// It never arrives, and nobody learns.
    Silence,
    /// It is answered so.
    Refuse(u16),
    /// It is answered late.
    Late,
    /// Its answer breaks off.
    BreakOff,
    /// What is to be uploaded cannot be read.
    Source,
}

/// How the application answers when it is asked for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenAnswer {
    Rejected,
    ShortLived,
    Silence,
    Late,
}

/// What lies between one session and the world.
pub(super) struct Net {
    /// Milliseconds each way.
    pub(super) latency: Range<u64>,
    pub(super) slow_until: Timestamp,
    pub(super) refuses_until: Timestamp,
    pub(super) hangs_until: Timestamp,
    pub(super) asleep_until: Timestamp,
    pub(super) rules: VecDeque<Rule>,
    pub(super) http_rules: VecDeque<HttpRule>,
    pub(super) tokens: VecDeque<TokenAnswer>,
    /// The next frame to the session is larger than its transport takes.
    pub(super) next_is_too_large: bool,
}

/// How slow everything is when nothing is wrong, in milliseconds each way.
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
        }
    }

    /// Everything becomes well.
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
