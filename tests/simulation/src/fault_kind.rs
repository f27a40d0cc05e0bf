//! The kinds of faults.

use serde::{Deserialize, Serialize};

macro_rules! faults {
    (
        sessions { $($(#[$doc:meta])+ $name:ident,)+ }
        bots { $($(#[$bots_doc:meta])+ $bots_name:ident,)+ }
    ) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FaultKind {
            $($(#[$doc])+ $name,)+
            $($(#[$bots_doc])+ $bots_name,)+
        }

        impl FaultKind {
            /// All kinds that concern sessions. Their order determines the runs of seeds.
            pub const ALL: &[Self] = &[$(Self::$name,)+];
            /// The kinds that only worlds of bots have.
            pub const OF_BOTS: &[Self] = &[$(Self::$bots_name,)+];
        }
    };
}

faults! {
    sessions {
        /// Delays all traffic between the session and the server by up to seconds for a while.
        Latency,
        /// Refuses new connections for a while. Sometimes also cuts the current connection.
        Refuse,
        /// Leaves attempts to connect unanswered for a while.
        Hang,
        /// Cuts the connection in both directions, in the middle of any frame.
        Cut,
        /// Cuts the connection without a notification to the session.
        HalfOpenClient,
        /// Cuts the connection. The server is notified only much later.
        HalfOpenServer,
        /// Delivers nothing for a while, then everything.
        Stall,
        /// Crashes the server, which restarts with its data.
        Restart,
        /// Crashes the server, which restarts without data.
        RestartEmpty,
        /// Restarts the server after an announcement.
        PlannedRestart,
        /// Sends a frame that the token has expired.
        TokenExpired,
        /// Rejects the next tokens.
        TokenRejected,
        /// Gives the next tokens too short a lifetime.
        TokenShortLived,
        /// Leaves the session's next token fetches unanswered.
        TokenSilence,
        /// Delays the next token fetches, possibly beyond the session's timeout.
        TokenLate,
        /// Refuses requests with 401.
        Status401,
        /// Refuses requests with 402.
        Status402,
        /// Refuses requests with 403.
        Status403,
        /// Refuses requests with 429.
        Status429,
        /// Refuses requests with 500.
        Status500,
        /// Executes requests and answers them with 500.
        Done500,
        /// Executes a request and cuts the connection before its answer.
        LostAnswer,
        /// Leaves all requests but pings and tokens unanswered for a while.
        Unanswered,
        /// Suspends the machine.
        Suspend,
        /// Moves the session's clock forward.
        ClockForward,
        /// Moves the session's clock back for a while.
        ClockBack,
        /// Stops the application from reading its subscriptions for a while.
        SlowConsumer,
        /// Sends a frame of up to megabytes.
        LargeFrame,
        /// Sends a frame that is larger than the transport accepts.
        FrameTooLarge,
        /// Sends malformed and unknown frames.
        Garbage,
        /// Makes an event in each of the next publishes unreadable.
        UnreadableEvent,
        /// Adds an unreadable item to each of the next pages and maps of users.
        UnreadableItem,
        /// Repeats a publish.
        RepeatedPublish,
        /// Sends an input for a socket, HTTP request or token fetch that is over.
        Stale,
        /// Makes requests over HTTP fail in one of several ways.
        Http,
        /// Ends the process of a session after any of its next outputs. Its store keeps the written
        /// batches, and each of the others is there or not. A new process goes on.
        Crash,
        /// Lets a store write slowly for a while, up to a minute for a batch.
        StoreSlow,
        /// Makes a store fail for a while, because its disk is full.
        StoreFull,
        /// Leaves batches unanswered, which may be written.
        StoreSilent,
        /// Makes the server forget its idempotency keys.
        KeysForgotten,
        /// Makes the files of entries differ from those that were enqueued, for a while.
        FilesChanged,
        /// Makes the server refuse the tokens of all files of entries so far.
        TokensExpired,
        /// Makes the server check the access of a sender before the idempotency key for a while.
        AccessFirst,
        /// Makes the server change the white space of messages for a while.
        Normalised,
    }
    bots {
        /// Ends a process in order: its session stores the last changes and releases the lease.
        Exit,
        /// Closes the inbox of a process, and opens it again at once.
        Reopen,
        /// Refuses the connections of a process to the database for a while.
        DatabaseDown,
        /// Delays the statements of a process by up to ten seconds for a while.
        DatabaseSlow,
        /// Leaves the statements of a process unanswered for a while. They may be executed.
        DatabaseSilent,
    }
}

impl FaultKind {
    /// The number of kinds, at the end of [`ALL`](Self::ALL), that need a store.
    pub const OF_STORES: usize = 9;
}
