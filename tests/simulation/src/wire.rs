//! A connection from end to end, with delays and cuts.

use std::collections::VecDeque;

use fastrand::Rng;
use talk_proto::{SocketClosed, SocketId, Timestamp};

use super::mail::Address;

/// An item in flight on a connection.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    Frame(String),
    /// Notifies the session that the socket is open.
    Opened,
    /// Notifies the session that the socket is closed.
    Closed(SocketClosed),
    /// Notifies the server that the connection is closed.
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

/// A direction of a connection. Parcels arrive in order until it is cut.
#[derive(Default)]
pub(super) struct Lane {
    parcels: VecDeque<(Timestamp, Parcel)>,
    /// Nothing arrives before this time.
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

    /// Adds a last parcel, even after a cut.
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

    /// Delays all parcels until `until`.
    pub(super) fn stall(&mut self, until: Timestamp) {
        self.floor = self.floor.max(until);
        for (at, _) in &mut self.parcels {
            *at = (*at).max(until);
        }
    }

    /// Delivers delayed parcels by `now`.
    pub(super) fn resume(&mut self, now: Timestamp) {
        self.floor = self.floor.min(now);
        for (at, _) in &mut self.parcels {
            *at = (*at).min(now);
        }
    }

    /// Cuts the lane after a random byte. Only the frames that are complete before it arrive.
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

    /// Cuts the lane before the first parcel.
    pub(super) fn lose_all(&mut self) {
        self.parcels.clear();
        self.is_broken = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }
}

/// A connection.
pub(super) struct Wire {
    pub(super) client: Address,
    pub(super) socket: SocketId,
    pub(super) up: Lane,
    pub(super) down: Lane,
    /// Set if the session was notified of the close, or has closed the socket.
    pub(super) client_is_gone: bool,
    /// Set if the server was notified of the close, or has closed the connection.
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

    /// Returns `true` if the connection is over for both ends and carries nothing.
    pub(super) fn is_over(&self) -> bool {
        self.client_is_gone && self.server_is_gone && self.up.is_empty() && self.down.is_empty()
    }
}

/// Returns the number of a frame and its second element, as text.
pub(super) fn head(frame: &str) -> Option<(u64, &str)> {
    let (number, rest) = frame.strip_prefix('[')?.split_once(',')?;
    let kind = rest.split([',', ']']).next()?;
    Some((number.parse().ok()?, kind))
}

/// Returns the path of a request.
pub(super) fn path(frame: &str) -> Option<&str> {
    let mut parts = frame.splitn(3, ',');
    let rest = parts.nth(2)?.strip_prefix('"')?;
    rest.split('"').next()
}
