//! The phases of a session's connection, as seen from outside.

use serde::{Deserialize, Serialize};

/// The phase of a session's connection at the time of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No connection, and none is needed.
    Idle,
    /// No connection until the next attempt.
    Waiting,
    /// The socket is opening.
    Opening,
    /// The socket is open and the token is not accepted yet.
    Authenticating,
    /// Requests of subscriptions are in flight.
    Subscribing,
    /// Calls are in flight.
    Calling,
    /// Everything is answered.
    Settled,
}

impl Phase {
    /// All phases, in the order in which a connection passes through them.
    pub const ALL: [Self; 7] = [
        Self::Idle,
        Self::Waiting,
        Self::Opening,
        Self::Authenticating,
        Self::Subscribing,
        Self::Calling,
        Self::Settled,
    ];
}
