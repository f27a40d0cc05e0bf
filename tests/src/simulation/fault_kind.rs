//! The ways in which things go wrong.

use serde::{Deserialize, Serialize};

macro_rules! faults {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// A way in which things go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FaultKind {
            $($(#[$doc])+ $name,)+
        }

        impl FaultKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

faults! {
    /// Everything between the session and the server takes seconds for a while.
    Latency,
    /// New connections are refused for a while, and sometimes the one that there is breaks.
    Refuse,
    /// Nothing comes of attempts to connect for a while.
    Hang,
    /// The connection breaks in the middle of any frame, each way.
    Cut,
    /// The same, and the session never learns.
    HalfOpenClient,
    /// The same, and the server learns only much later.
    HalfOpenServer,
    /// Nothing arrives for a while, then everything.
    Stall,
    /// The server crashes and comes back with its memory.
    Restart,
    /// The server crashes and comes back without.
    RestartEmpty,
    /// The server announces that it restarts.
    PlannedRestart,
    /// The server says that the token has expired.
    TokenExpired,
    /// The next tokens are rejected.
    TokenRejected,
    /// The next tokens live too short.
    TokenShortLived,
    /// The application never answers when it is asked for a token.
    TokenSilence,
    /// The application takes long, also longer than the session waits.
    TokenLate,
    /// Requests are refused with 401.
    Status401,
    /// Requests are refused with 402.
    Status402,
    /// Requests are refused with 403.
    Status403,
    /// Requests are refused with 429.
    Status429,
    /// Requests are refused with 500.
    Status500,
    /// Requests are carried out and answered with 500.
    Done500,
    /// A request is carried out, and the connection breaks before its answer.
    LostAnswer,
    /// The machine sleeps.
    Suspend,
    /// The session's clock jumps forward.
    ClockForward,
    /// The session's clock goes back for a while.
    ClockBack,
    /// The application does not look at its subscriptions for a while.
    SlowConsumer,
    /// The server sends megabytes.
    LargeFrame,
    /// A frame is larger than the transport takes.
    FrameTooLarge,
    /// The server sends what no client knows.
    Garbage,
    /// A publish comes twice.
    RepeatedPublish,
    /// Something is heard of sockets, exchanges and token fetches that are over.
    Stale,
    /// Requests over HTTP fail in one way or another.
    Http,
}
