//! The socket: none, one on its way, or one that is open.

use std::collections::BTreeMap;
use std::time::Duration;

use super::backoff::CallRetry;
use super::heartbeat::Heartbeat;
use super::queue::Place;
use crate::fault_injection::FaultInjection;
use crate::io::SocketId;
use crate::live::interface::FetchId;
use crate::timestamp::Timestamp;
use crate::wire::Request;

/// Connecting, TLS and upgrade included, may take this long.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// The socket's state. There is at most one socket.
pub(crate) enum Link {
    /// None, and none is needed.
    Idle,
    /// None until the time of the next attempt.
    Waiting {
        since: Timestamp,
        until: Timestamp,
        attempt: u32,
        reason: String,
    },
    /// One is being opened.
    Opening {
        socket: SocketId,
        deadline: Timestamp,
    },
    /// One is open.
    Open(Box<OpenLink>),
}

/// An open socket and what was said on it.
pub(crate) struct OpenLink {
    pub(crate) socket: SocketId,
    pub(crate) heartbeat: Heartbeat,
    /// When the server accepted the token, unless that has expired since.
    pub(crate) ready_since: Option<Timestamp>,
    /// The number of the first request that was sent with the token that was accepted last.
    pub(crate) renewed_from: u64,
    /// Whether the server accepted a token on this socket before.
    pub(crate) was_ready: bool,
    /// Renewals in flight.
    pub(crate) renewals: u32,
    /// When to send the token again: there is a new one, or the server could not take it.
    pub(crate) renew_at: Option<Timestamp>,
    pub(crate) in_flight: BTreeMap<u64, InFlight>,
    /// The number of the last publish.
    pub(crate) last_publish: Option<u64>,
    next_seq: u64,
}

/// What a request on this socket is for.
pub(crate) enum InFlight {
    Renew,
    Ping,
    Call(Place),
    Live(LiveRequest),
    /// Nobody waits for the answer any more.
    Forgotten,
}

/// A request of the live half, and how often it was tried.
pub(crate) struct LiveRequest {
    pub(crate) fetch: FetchId,
    pub(crate) request: Request,
    pub(crate) retry: CallRetry,
    /// Whether the server could not take it before.
    pub(crate) is_retry: bool,
    pub(crate) failures: u32,
}

impl LiveRequest {
    pub(crate) fn new(fetch: FetchId, request: Request) -> Self {
        Self {
            fetch,
            request,
            retry: CallRetry::default(),
            is_retry: false,
            failures: 0,
        }
    }
}

impl OpenLink {
    pub(crate) fn new(socket: SocketId, now: Timestamp) -> Self {
        Self {
            socket,
            heartbeat: Heartbeat::new(now),
            ready_since: None,
            renewed_from: 0,
            was_ready: false,
            renewals: 0,
            renew_at: None,
            in_flight: BTreeMap::new(),
            last_publish: None,
            next_seq: 0,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready_since.is_some()
    }

    pub(crate) fn is_renewing(&self) -> bool {
        self.renewals > 0
    }

    /// The number of the next request, which is for `what`.
    pub(crate) fn number(&mut self, what: InFlight) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.in_flight.insert(seq, what);
        seq
    }

    /// The number of the next request.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The calls in flight.
    pub(crate) fn calls(&self) -> impl Iterator<Item = Place> + '_ {
        self.in_flight.values().filter_map(|what| match what {
            InFlight::Call(place) => Some(*place),
            InFlight::Renew | InFlight::Ping | InFlight::Live(_) | InFlight::Forgotten => None,
        })
    }

    /// The answers to the live half's requests mean nothing any more.
    pub(crate) fn forget_live(&mut self) {
        for what in self.in_flight.values_mut() {
            if matches!(what, InFlight::Live(_)) {
                *what = InFlight::Forgotten;
            }
        }
    }

    /// When something is due on this socket.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let watch = if self.is_ready() {
            Some(self.heartbeat.next_deadline())
        } else if self.is_renewing() {
            Some(self.heartbeat.renewal_deadline())
        } else {
            self.heartbeat.doubt_deadline()
        };
        watch.into_iter().chain(self.renew_at).min()
    }

    /// Whether the server has been silent for too long.
    pub(crate) fn is_lost(&self, now: Timestamp) -> bool {
        let waits_for_renewal = !self.is_ready() && self.is_renewing();
        self.heartbeat.is_lost(now)
            || (waits_for_renewal && self.heartbeat.renewal_deadline() <= now)
    }
}

impl Link {
    pub(crate) fn open(&mut self) -> Option<&mut OpenLink> {
        match self {
            Self::Open(open) => Some(open),
            Self::Idle | Self::Waiting { .. } | Self::Opening { .. } => None,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(self, Self::Open(open) if open.is_ready())
    }

    pub(crate) fn socket(&self) -> Option<SocketId> {
        match self {
            Self::Idle | Self::Waiting { .. } => None,
            Self::Opening { socket, .. } => Some(*socket),
            Self::Open(open) => Some(open.socket),
        }
    }

    /// When something is due.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Idle => None,
            Self::Waiting { .. } if FaultInjection::MissedTimer.is_on() => None,
            Self::Waiting { until, .. } => Some(*until),
            Self::Opening { deadline, .. } => Some(*deadline),
            Self::Open(open) => open.next_deadline(),
        }
    }
}
