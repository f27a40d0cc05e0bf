//! Four planes of error: misuse, the server's refusal, transport, the session's end.

use std::fmt;
use std::time::Duration;

use crate::model::EmptyId;

/// A command that was not accepted. Nothing of it was or will be sent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The session has ended; make a new one.
    #[error("the session has ended: {0}")]
    Ended(SessionError),
    /// As many calls wait as [`Limits::pending_calls`](crate::Limits::pending_calls) allows.
    #[error("{limit} calls are waiting already: let some finish first")]
    TooManyCalls {
        /// The limit.
        limit: usize,
    },
    /// As many subscriptions live as [`Limits::subscriptions`](crate::Limits::subscriptions)
    /// allows.
    #[error("{limit} subscriptions are active already: unsubscribe some first")]
    TooManySubscriptions {
        /// The limit.
        limit: usize,
    },
    /// The subscription or request is not known, or has ended.
    #[error("no such subscription or request: it has ended, or belongs to another session")]
    Unknown,
    /// The subscription does not show a list that can grow.
    #[error("this subscription has nothing more to load")]
    NotAList,
    /// A count is out of its range.
    #[error("{given} items were asked for; ask for 1 to {max}")]
    CountOutOfRange {
        /// What was asked for.
        given: usize,
        /// The largest count.
        max: usize,
    },
    /// The request is larger than [`Limits::frame_size`](crate::Limits::frame_size): what it sends
    /// could not be read back.
    #[error("the request has {size} bytes; at most {limit} can be sent")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// An ID or emoji is empty.
    #[error(transparent)]
    EmptyId(#[from] EmptyId),
}

/// How a request failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server answered no.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// No answer could be had.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The session ended first.
    #[error("the session has ended: {0}")]
    Session(#[from] SessionError),
}

impl RequestError {
    /// Whether the same request may succeed later without anything else having changed.
    ///
    /// ```
    /// use talk_proto::{ServerError, RequestError, SessionError};
    ///
    /// let busy = RequestError::Server(ServerError::new(429, "TOO_MANY_REQUESTS", vec![]));
    /// assert!(busy.is_retryable());
    /// assert!(!RequestError::Session(SessionError::ShutDown).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Server(refused) => refused.is_retryable(),
            Self::Transport(error) => error.is_retryable(),
            Self::Session(_) => false,
        }
    }
}

/// The server's no.
///
/// Debug leaves the reasons out, for they may quote what was sent; Display has all.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server refused with status {status}{}{}{}{}", if error_code.is_empty() { "" } else { " " }, error_code, if reasons.is_empty() { "" } else { ": " }, reasons.join("; "))]
#[non_exhaustive]
pub struct ServerError {
    /// The status, in the terms of HTTP.
    pub status: u16,
    /// The server's code for it, such as `NOT_A_PARTICIPANT`; empty when it gave none.
    pub error_code: String,
    /// Why, in words; may be empty.
    pub reasons: Vec<String>,
}

impl ServerError {
    /// A refusal with a code and a reason.
    ///
    /// ```
    /// use talk_proto::ServerError;
    ///
    /// let refused = ServerError::new(403, "READ_ONLY", vec!["You may only read.".to_owned()]);
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "the server refused with status 403 READ_ONLY: You may only read."
    /// );
    /// ```
    pub fn new(status: u16, error_code: impl Into<String>, reasons: Vec<String>) -> Self {
        Self {
            status,
            error_code: error_code.into(),
            reasons,
        }
    }

    /// Whether the same request may succeed later.
    ///
    /// ```
    /// use talk_proto::ServerError;
    ///
    /// assert!(ServerError::new(503, "", vec![]).is_retryable());
    /// assert!(!ServerError::new(403, "", vec![]).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(self.status, 429 | 500 | 502..=504)
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = self.reasons.len();
        f.debug_struct("ServerError")
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .field("reasons", &format_args!("[{reasons} not shown]"))
            .finish()
    }
}

/// Why no answer could be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The caller cancelled. When `maybe_happened`, the request had been sent, and the server may
    /// have carried it out.
    #[error("cancelled{}", if *maybe_happened { "; the server may have carried it out" } else { " before it was sent" })]
    Cancelled {
        /// Whether the request had been sent.
        maybe_happened: bool,
    },
    /// No answer came within the time that the caller gave, or the server took nothing of an
    /// upload for that long. See `maybe_happened` above.
    #[error("no answer within {after:?}")]
    Deadline {
        /// The time that the caller gave.
        after: Duration,
        /// Whether the request had been sent.
        maybe_happened: bool,
    },
    /// Two connections in a row were lost to a frame above
    /// [`Limits::frame_size`](crate::Limits::frame_size) while this call was waiting.
    #[error("the answer is larger than the largest frame that is accepted")]
    FrameTooLarge,
    /// The server sent more search results than asked for, or a page of them above
    /// [`Limits::frame_size`](crate::Limits::frame_size). The rest was cut off.
    #[error("the response is larger than what was asked for, and was cut off")]
    ResponseTooLarge,
    /// The server's answer has no shape that this client knows.
    #[error("the server's answer was not understood")]
    Malformed,
    /// An HTTP exchange failed.
    #[error("the HTTP request failed: {0}")]
    Http(String),
    /// A whole file was sent, and no answer came: the server may have stored it. It is not sent
    /// again by itself, since that might store it twice.
    #[error("the file was sent, but no answer came, so the server may have stored it: {0}")]
    AnswerLost(String),
    /// The file or reader to be uploaded failed.
    #[error("the data to upload could not be read: {0}")]
    Source(String),
    /// The driver stopped, with its runtime perhaps, before the answer came.
    #[error("the session's driver has stopped")]
    DriverStopped,
}

impl TransportError {
    /// Whether the same request may succeed later.
    ///
    /// ```
    /// use talk_proto::TransportError;
    ///
    /// assert!(TransportError::Http("connection reset".to_owned()).is_retryable());
    /// assert!(!TransportError::Malformed.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Cancelled { .. }
            | Self::Deadline { .. }
            | Self::Http(_)
            | Self::AnswerLost(_) => true,
            Self::FrameTooLarge
            | Self::ResponseTooLarge
            | Self::Malformed
            | Self::Source(_)
            | Self::DriverStopped => false,
        }
    }
}

/// Why a session ended. It never comes back: make a new one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The application does not exist.
    #[error("the app does not exist: check the app ID")]
    AppNotFound,
    /// The server does not accept the signature that stands in for a token.
    #[error("the signature was rejected: {0}")]
    SignatureRejected(ServerError),
    /// The server refused to let the user in without a token, or at all.
    #[error("the server refused the session: {0}")]
    Refused(ServerError),
    /// The token expired or was rejected, and there is no way to get another one.
    #[error("the token was rejected or has expired, and there is no token callback to get another")]
    TokenRejected,
    /// Token after token was rejected, or expired at once.
    #[error("{attempts} tokens in a row were rejected or too short-lived")]
    TokensRejected {
        /// How many were tried.
        attempts: u32,
    },
    /// The token callback failed.
    #[error("the token callback failed: {0}")]
    TokenCallback(String),
    /// The caller shut the session down.
    #[error("the session was shut down")]
    ShutDown,
    /// The driver stopped, with its runtime perhaps.
    #[error("the session's driver has stopped")]
    DriverStopped,
}
