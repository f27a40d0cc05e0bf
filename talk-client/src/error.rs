//! The failures of calls and subscriptions.

use talk_proto::{
    CommandError, Reply, RequestError, RetrySafety, ServerError, SessionError, TransportError,
    model::EmptyId, storage::StoreError,
};

/// The failure of a call or a subscription: one variant for each plane of errors.
///
/// ```
/// use talk_client::{Error, RetrySafety};
///
/// fn advice(error: &Error) -> &'static str {
///     match error {
///         Error::Usage(_) => "the call cannot be made like this",
///         Error::Session(_) => "get a new session",
///         _ if error.error_code() == Some("NOT_A_PARTICIPANT") => "join first",
///         _ if error.retry_safety() == RetrySafety::Safe => "try again later",
///         _ => "do not try again without a look at the conversation",
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call cannot be made like this. Nothing of it was sent.
    #[error(transparent)]
    Usage(CommandError),
    /// The server refused the call.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The call got no usable answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The session has ended; get a new one.
    #[error("the session has ended: {0}")]
    Session(SessionError),
    /// The conversation does not exist, or the user does not participate in it. Calls that return
    /// several pages fail with it where a single read returns `None`.
    #[error("the conversation does not exist, or you are no participant; create or join it first")]
    NotAParticipant,
    /// The list is longer than [`Limits::window`](crate::Limits::window), so that it cannot be
    /// loaded as a whole.
    #[error("the list has more than {limit} items; raise the limit `window` of the session")]
    TooManyItems {
        /// The limit.
        limit: usize,
    },
    /// The store cannot be used, or did not store an entry of the outbox.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The entry of the outbox was discarded, so that its message is not sent.
    #[error("the entry was discarded from the outbox")]
    Discarded,
    /// The caller is outside of an async runtime, so that no session can start.
    #[error(transparent)]
    NoRuntime(#[from] NoRuntimeError),
}

/// The caller is not inside of an async runtime that a session could run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no async runtime here; call from inside one, or pass its handle")]
pub struct NoRuntimeError;

impl Error {
    /// Returns the effect of making the same call again, if nothing else has changed. See
    /// [`RetrySafety`] for a table of calls.
    ///
    /// ```
    /// use talk_client::{Error, RetrySafety, TransportError};
    ///
    /// let unsent = TransportError::Cancelled { maybe_happened: false, idempotent: false };
    /// assert_eq!(Error::from(unsent).retry_safety(), RetrySafety::Safe);
    /// assert_eq!(Error::from(TransportError::Malformed).retry_safety(), RetrySafety::Never);
    /// ```
    pub fn retry_safety(&self) -> RetrySafety {
        match self {
            Self::Server(error) => error.retry_safety(),
            Self::Transport(error) => error.retry_safety(),
            Self::Usage(_)
            | Self::Session(_)
            | Self::NotAParticipant
            | Self::TooManyItems { .. }
            | Self::Store(_)
            | Self::Discarded
            | Self::NoRuntime(_) => RetrySafety::Never,
        }
    }

    /// Returns the server's answer, if one caused the failure.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self {
            Self::Server(error) => Some(error),
            Self::Session(error) => error.server_error(),
            Self::Usage(_)
            | Self::Transport(_)
            | Self::NotAParticipant
            | Self::TooManyItems { .. }
            | Self::Store(_)
            | Self::Discarded
            | Self::NoRuntime(_) => None,
        }
    }

    /// Returns the HTTP status of the server's answer, if one caused the failure.
    ///
    /// ```
    /// use talk_client::{Error, ServerError};
    ///
    /// let error = Error::from(ServerError::new(403, "READ_ONLY", vec![]));
    /// assert_eq!((error.status(), error.error_code()), (Some(403), Some("READ_ONLY")));
    /// ```
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

    /// Returns the error of a call that got the reply of another call.
    pub(crate) fn unexpected(_: &Reply) -> Self {
        Self::Transport(TransportError::Malformed)
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => Self::Store(error),
            error => Self::Session(error),
        }
    }
}

impl From<CommandError> for Error {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Ended(error) => error.into(),
            error => Self::Usage(error),
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Server(refused) => Self::Server(refused),
            RequestError::Transport(error) => Self::Transport(error),
            RequestError::Session(error) => error.into(),
            // An error of a plane that this version does not know.
            _ => Self::Transport(TransportError::Malformed),
        }
    }
}

impl From<EmptyId> for Error {
    fn from(error: EmptyId) -> Self {
        Self::Usage(error.into())
    }
}
