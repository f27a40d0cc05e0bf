//! One connection from end to end: slow, and apt to break anywhere.

use std::collections::VecDeque;

use fastrand::Rng;
use talk_proto::{SocketClosed, SocketId, Timestamp};

use super::mail::Address;

/// One thing on its way through a connection.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    Frame(String),
    /// To the session: the socket is open.
    Opened,
    /// To the session: the socket is closed.
    Closed(SocketClosed),
    /// To the server: the connection is closed.
    Goodbye,
}

impl Parcel {
    fn bytes(&self) -> usize {
        match self {
            Self::Frame(text) => text.len(),
            Self::Opened | Self::Closed(_) | Self::Goodbye => 1,
        }
    }
}

/// One direction of a connection: what is sent arrives in order, until it breaks.
#[derive(Default)]
pub(super) struct Lane {
    parcels: VecDeque<(Timestamp, Parcel)>,
    /// Nothing arrives before.
    floor: Timestamp,
    is_broken: bool,
}

impl Lane {
    pub(super) fn put(&mut self, at: Timestamp, parcel: Parcel) {
        if self.is_broken {
            return;
        }
        self.floor = self.floor.max(at);
        self.parcels.push_back((self.floor, parcel));
    }

    /// What comes last, broken or not.
    pub(super) fn put_last(&mut self, at: Timestamp, parcel: Parcel) {
        self.is_broken = false;
        self.put(at, parcel);
        self.is_broken = true;
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.parcels.front().map(|(at, _)| *at)
    }

    pub(super) fn take(&mut self) -> Option<Parcel> {
        self.parcels.pop_front().map(|(_, parcel)| parcel)
    }

    /// Nothing arrives before `until`.
    pub(super) fn stall(&mut self, until: Timestamp) {
        self.floor = self.floor.max(until);
        for (at, _) in &mut self.parcels {
            *at = (*at).max(until);
        }
    }

    /// What was held back arrives by `now`.
    pub(super) fn resume(&mut self, now: Timestamp) {
        self.floor = self.floor.min(now);
        for (at, _) in &mut self.parcels {
            *at = (*at).min(now);
        }
    }

    /// Breaks after any byte: the frames that are wholly before it still arrive.
    pub(super) fn cut(&mut self, rng: &mut Rng) {
        let bytes: usize = self.parcels.iter().map(|(_, parcel)| parcel.bytes()).sum();
        let mut left = rng.usize(..=bytes);
        let whole = self.parcels.iter().take_while(|(_, parcel)| {
            let fits = parcel.bytes() <= left;
            left = left.saturating_sub(parcel.bytes());
            fits
        });
        let whole = whole.count();
        self.parcels.truncate(whole);
        self.is_broken = true;
    }

    /// Breaks before everything.
    pub(super) fn lose_all(&mut self) {
        self.parcels.clear();
        self.is_broken = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }
}

/// One connection.
pub(super) struct Wire {
    pub(super) client: Address,
    pub(super) socket: SocketId,
    pub(super) up: Lane,
    pub(super) down: Lane,
    /// The session has been told that it is closed, or has closed it.
    pub(super) client_is_gone: bool,
    /// The server has been told, or has closed it.
    pub(super) server_is_gone: bool,
    /// The last publish that the server sent.
    pub(super) last_publish: Option<String>,
}

impl Wire {
    pub(super) fn new(client: Address, socket: SocketId) -> Self {
        Self {
            client,
            socket,
            up: Lane::default(),
            down: Lane::default(),
            client_is_gone: false,
            server_is_gone: false,
            last_publish: None,
        }
    }

    /// Returns `true` if it is over for both ends, and nothing is on it.
    pub(super) fn is_over(&self) -> bool {
        self.client_is_gone && self.server_is_gone && self.up.is_empty() && self.down.is_empty()
    }
}

/// The number of a frame, and what stands behind it, as text.
pub(super) fn head(frame: &str) -> Option<(u64, &str)> {
    let (number, rest) = frame.strip_prefix('[')?.split_once(',')?;
    let kind = rest.split([',', ']']).next()?;
    Some((number.parse().ok()?, kind))
}

/// The path of a request.
pub(super) fn path(frame: &str) -> Option<&str> {
    let mut parts = frame.splitn(3, ',');
    let rest = parts.nth(2)?.strip_prefix('"')?;
    rest.split('"').next()
}
