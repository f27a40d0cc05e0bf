//! Errors in four planes: misuse, server refusal, transport, end of the session.
//!
//! A message contains its cause or leaves it to `source()`, never both, so each cause appears once
//! in a chain.

mod mask;
mod remedy;
mod server;

use std::time::Duration;

pub use self::server::ServerError;
use crate::model::EmptyId;
use crate::storage::StoreError;

/// The effect of making a failed call again.
///
/// An error stores if its call is idempotent. If the session cannot know if the server processed a
/// call, the effect of a repetition depends on the call:
///
/// | call | repeated after an unknown outcome | reason |
/// |---|---|---|
/// | reads, translations, searches, `load_more` | `Safe` | they change nothing |
/// | `CreateUser`, `CreateConversation`, `CreateParticipant` | `Safe` | existing ones are kept |
/// | `SetUser`, `SetConversation`, `SetParticipant` | `Safe` | equal values are set again |
/// | `EditParticipant`, `EditMessage` | `Safe` | equal values are set again |
/// | `DeleteParticipant`, `DeleteMessage` | `Safe` | an absent entity counts as deleted |
/// | `AddReaction`, `RemoveReaction` | `Safe` | a user has each reaction once or not at all |
/// | `MarkAsRead`, `MarkAsUnread`, `MarkAsTyping` | `Safe` | an equal mark is set again |
/// | `SendMessage` | `MayDuplicate` | a new call has a new idempotency key |
/// | uploads | `MayDuplicate` | the protocol cannot identify a file that is stored already |
///
/// The outcome is unknown after a status of 500, 502 to 504 or 520 to 527, a deadline, three
/// connections without an answer, a cancellation of a request that was sent, and a lost answer of
/// an upload. Calls that were not
/// processed (status 429, a request that was never sent) are always `Safe`. Refusals, misuse and
/// the end of the session are always `Never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers decide by these three cases"
)]
pub enum RetrySafety {
    /// A repeated call has the effect of a single call.
    Safe,
    /// The server may have processed the call, so a repeated call may take effect twice.
    MayDuplicate,
    /// A repeated call fails with the same error.
    Never,
}

/// A command that was not accepted. No part of it was or will be sent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The session has ended; create a new one.
    #[error("the session has ended: {0}")]
    Ended(SessionError),
    /// The number of pending calls has reached
    /// [`Limits::pending_calls`](crate::Limits::pending_calls).
    #[error("{limit} calls are waiting already: let some finish first")]
    TooManyCalls {
        /// The limit.
        limit: usize,
    },
    /// The number of subscriptions has reached
    /// [`Limits::subscriptions`](crate::Limits::subscriptions).
    #[error("{limit} subscriptions are active already: unsubscribe some first")]
    TooManySubscriptions {
        /// The limit.
        limit: usize,
    },
    /// The subscription or request is not known, or has ended.
    #[error("no such subscription, inbox or request: it has ended, or is of another session")]
    Unknown,
    /// The caller ended the subscription or search.
    #[error("unsubscribed: subscribe again to continue")]
    Unsubscribed,
    /// The subscription does not show a list that can grow.
    #[error("this subscription has nothing more to load")]
    NotAList,
    /// A count is out of its range.
    #[error("{given} items were asked for; ask for 1 to {max}")]
    CountOutOfRange {
        /// The requested count.
        given: usize,
        /// The largest count.
        max: usize,
    },
    /// The request is larger than [`Limits::frame_size`](crate::Limits::frame_size): the result
    /// could not be read back.
    #[error("the request has {size} bytes; at most {limit} can be sent")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The session has no outbox.
    #[error("this session has no outbox: give it a store, or turn the outbox on in its options")]
    NoOutbox,
    /// The unsent entries have reached a limit of
    /// [`OutboxOptions`](crate::outbox::OutboxOptions).
    #[error(
        "the outbox is full ({entries} entries or {bytes} bytes): discard some, or wait for sends"
    )]
    OutboxFull {
        /// The limit on the number of entries.
        entries: usize,
        /// The limit on their size in bytes.
        bytes: usize,
    },
    /// The session is a standby: another session has the store.
    #[error("another session has the store: wait until this session has it")]
    Standby,
    /// The entry to reply to is not known, or belongs to another conversation.
    #[error("no such entry in this conversation: it was discarded, or sent more than 24 h ago")]
    UnknownEntry,
    /// An inbox of this name is open.
    #[error("an inbox of this name is open: close it first, or use another name")]
    InboxOpen,
    /// The records of this inbox cannot be read, or were written by a newer version.
    #[error("the records of this inbox cannot be read: use a newer version, or another name")]
    InboxUnreadable,
    /// The number of open inboxes has reached the limit.
    #[error("{limit} inboxes are open already: close some first")]
    TooManyInboxes {
        /// The limit.
        limit: usize,
    },
    /// The filter of an inbox has a condition that the messages of the user would change.
    #[error("an inbox cannot filter by {field}, because the user's own messages change it")]
    InboxFilter {
        /// The name of the condition.
        field: &'static str,
    },
    /// The delivery is not known, or does not wait for a reply.
    #[error("no such delivery: it was acknowledged, or its inbox was closed")]
    UnknownDelivery,
    /// An ID or emoji is empty.
    #[error(transparent)]
    EmptyId(#[from] EmptyId),
}

/// The failure of a request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server refused the request.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The request got no usable answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The session ended before the request was resolved.
    #[error("the session has ended: {0}")]
    Session(SessionError),
}

impl From<SessionError> for RequestError {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl RequestError {
    /// Returns the effect of making the same call again, if nothing else has changed.
    ///
    /// ```
    /// use talk_proto::{RequestError, RetrySafety, ServerError, SessionError};
    ///
    /// let busy = RequestError::Server(ServerError::new(429, "TOO_MANY_REQUESTS", vec![]));
    /// assert_eq!(busy.retry_safety(), RetrySafety::Safe);
    /// let ended = RequestError::Session(SessionError::Shutdown);
    /// assert_eq!(ended.retry_safety(), RetrySafety::Never);
    /// ```
    pub fn retry_safety(&self) -> RetrySafety {
        match self {
            Self::Server(error) => error.retry_safety(),
            Self::Transport(error) => error.retry_safety(),
            Self::Session(_) => RetrySafety::Never,
        }
    }

    /// Returns the server's answer, if one caused the failure.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self {
            Self::Server(error) => Some(error),
            Self::Transport(_) => None,
            Self::Session(error) => error.server_error(),
        }
    }

    /// Returns the HTTP status of the server's answer, if one caused the failure.
    pub fn status(&self) -> Option<u16> {
        Some(self.server_error()?.status)
    }

    /// Returns the server's error code, such as `NOT_A_PARTICIPANT`, if it gave one.
    pub fn error_code(&self) -> Option<&str> {
        self.server_error()?.code()
    }

    /// Returns `true` if a time limit caused the failure.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Transport(error) if error.is_timeout())
    }
}

/// A request without a usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The caller cancelled the request.
    #[error(
        "cancelled{}",
        if *maybe_happened { "; the server may have carried it out" } else { " before it was sent" }
    )]
    Cancelled {
        /// Set if the request was sent, so that the server may have processed it.
        maybe_happened: bool,
        /// Set if a repetition has the effect of one call.
        idempotent: bool,
    },
    /// No answer came within the caller's time limit, or the server accepted no data of an upload
    /// for that long.
    #[error("no answer within {after:?}{}", not_connected(last_failure.as_deref()))]
    Deadline {
        /// The time limit.
        after: Duration,
        /// Set if the request was sent, so that the server may have processed it.
        maybe_happened: bool,
        /// Set if a repetition has the effect of one call.
        idempotent: bool,
        /// The reason for which there was no connection at the time limit.
        last_failure: Option<String>,
    },
    /// No answer came within 30 s on any of three connections, although the server answered pings.
    #[error("no answer within 30 s on three connections; the server may have carried it out")]
    Unanswered {
        /// Set if the request was sent, so that the server may have processed it.
        maybe_happened: bool,
        /// Set if a repetition has the effect of one call.
        idempotent: bool,
    },
    /// Two connections in a row were lost to a frame above
    /// [`Limits::frame_size`](crate::Limits::frame_size) while this call was pending.
    #[error("the answer is larger than the largest frame that is accepted")]
    FrameTooLarge,
    /// The server sent more search results than requested, or a page of them above
    /// [`Limits::frame_size`](crate::Limits::frame_size). The rest was discarded.
    #[error("the response is larger than what was asked for, and was cut off")]
    ResponseTooLarge,
    /// The server's answer has an unknown shape.
    #[error("the server's answer was not understood")]
    Malformed,
    /// An HTTP request failed before the server had received all of it.
    #[error("the HTTP request failed: {0}")]
    Http(String),
    /// A whole file was sent and no answer arrived, so the server may have stored it. The session
    /// does not send it again, because that might store it twice.
    #[error("the file was sent, but no answer came, so the server may have stored it: {0}")]
    AnswerLost(String),
    /// The file or reader to upload failed.
    #[error("the data to upload could not be read: {0}")]
    Source(String),
    /// The driver stopped, possibly with its runtime, before the answer arrived.
    #[error("the session's driver has stopped: its runtime was shut down, or it has panicked")]
    DriverStopped,
}

fn not_connected(last_failure: Option<&str>) -> String {
    last_failure.map_or_else(String::new, |reason| format!("; not connected: {reason}"))
}

impl TransportError {
    /// Returns the effect of making the same call again, if nothing else has changed.
    ///
    /// ```
    /// use talk_proto::{RetrySafety, TransportError};
    ///
    /// let sent = TransportError::Cancelled { maybe_happened: true, idempotent: false };
    /// assert_eq!(sent.retry_safety(), RetrySafety::MayDuplicate);
    /// assert_eq!(TransportError::Malformed.retry_safety(), RetrySafety::Never);
    /// ```
    pub fn retry_safety(&self) -> RetrySafety {
        match self {
            Self::Cancelled {
                maybe_happened: true,
                idempotent: false,
            }
            | Self::Deadline {
                maybe_happened: true,
                idempotent: false,
                ..
            }
            | Self::Unanswered {
                maybe_happened: true,
                idempotent: false,
            }
            | Self::AnswerLost(_) => RetrySafety::MayDuplicate,
            Self::Cancelled { .. }
            | Self::Deadline { .. }
            | Self::Unanswered { .. }
            | Self::Http(_) => RetrySafety::Safe,
            Self::FrameTooLarge
            | Self::ResponseTooLarge
            | Self::Malformed
            | Self::Source(_)
            | Self::DriverStopped => RetrySafety::Never,
        }
    }

    /// Returns `true` if a time limit caused the failure.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Deadline { .. } | Self::Unanswered { .. })
    }
}

/// The reason for the end of a session. The end is final: create a new session to continue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The application does not exist.
    #[error("the app does not exist: check the app ID and the address of the service")]
    AppNotFound,
    /// The address of the service is no URL.
    #[error("the address {address} is invalid: {reason}; give the host as NAME or NAME:PORT")]
    InvalidAddress {
        /// The address, without the name and the password of a user.
        address: String,
        /// A human-readable reason.
        reason: String,
    },
    /// The server refused access without a token, or rejected the signature that replaces one.
    #[error("access without a token, or with this signature, was refused: {0}; set a token")]
    SignatureRejected(ServerError),
    /// The server refused the user.
    #[error("the server refused the session: {0}")]
    Refused(ServerError),
    /// The token expired or was rejected, and there is no token fetcher to fetch another.
    #[error("the token was rejected or has expired, and there is no token fetcher to get another")]
    TokenRejected,
    /// Several tokens in a row were rejected or had expired on arrival.
    #[error("{attempts} tokens in a row were rejected, or expire within 120 s")]
    TokensRejected {
        /// The number of tokens tried.
        attempts: u32,
    },
    /// The token callback failed.
    #[error("the token callback failed: {0}")]
    TokenCallback(String),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller shut the session down.
    #[error("the session was shut down")]
    Shutdown,
    /// The driver stopped, possibly with its runtime.
    #[error("the session's driver has stopped: its runtime was shut down, or it has panicked")]
    DriverStopped,
}

impl SessionError {
    /// Returns the server's answer, if one ended the session.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self {
            Self::SignatureRejected(error) | Self::Refused(error) => Some(error),
            Self::AppNotFound
            | Self::InvalidAddress { .. }
            | Self::TokenRejected
            | Self::TokensRejected { .. }
            | Self::TokenCallback(_)
            | Self::Store(_)
            | Self::Shutdown
            | Self::DriverStopped => None,
        }
    }
}
