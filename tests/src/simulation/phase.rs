//! How far a session's connection is, as seen from outside.

use serde::{Deserialize, Serialize};

/// How far a session's connection is when something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// There is none, and none is needed.
    Idle,
    /// There is none until the next attempt.
    Waiting,
    /// The socket is on its way.
    Opening,
    /// The socket is open, and the token is not accepted.
    Authenticating,
    /// Subscriptions or their data are on their way.
    Subscribing,
    /// Calls are on their way.
    Calling,
    /// Everything is answered.
    Settled,
}

impl Phase {
    /// All of them, in the order of a connection's life.
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
