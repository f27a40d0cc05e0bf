//! What a call can fail with.

use talk_proto::{
    CommandError, EmptyId, Reply, RequestError, ServerError, SessionError, TransportError,
};

/// What a call or a subscription can fail with: one variant for each plane of error.
///
/// ```
/// use talk_client::Error;
///
/// fn advice(error: &Error) -> &'static str {
///     match error {
///         Error::Usage(_) => "the call cannot be made like this",
///         Error::Server(refused) if refused.error_code == "NOT_A_PARTICIPANT" => "join first",
///         Error::Session(_) => "get a new session",
///         _ if error.is_retryable() => "try again later",
///         _ => "it cannot be done",
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call cannot be made like this. Nothing of it was sent.
    #[error(transparent)]
    Usage(CommandError),
    /// The server answered no.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// No answer could be had.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The session has ended; get a new one.
    #[error("the session has ended: {0}")]
    Session(#[from] SessionError),
}

impl Error {
    /// Whether the same call may succeed later without anything else having changed.
    ///
    /// ```
    /// use talk_client::{Error, TransportError};
    ///
    /// let cancelled = TransportError::Cancelled { maybe_happened: false };
    /// assert!(Error::from(cancelled).is_retryable());
    /// assert!(!Error::from(TransportError::Malformed).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Server(refused) => refused.is_retryable(),
            Self::Transport(error) => error.is_retryable(),
            Self::Usage(_) | Self::Session(_) => false,
        }
    }

    /// The core answered a call with the reply of another one.
    pub(crate) fn unexpected(_: &Reply) -> Self {
        Self::Transport(TransportError::Malformed)
    }
}

/// The caller is not inside an async runtime that the adapter crate needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no async runtime here; call from inside one, or pass its handle")]
pub struct NoRuntimeError;

impl From<CommandError> for Error {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Ended(error) => Self::Session(error),
            error => Self::Usage(error),
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Server(refused) => Self::Server(refused),
            RequestError::Transport(error) => Self::Transport(error),
            RequestError::Session(error) => Self::Session(error),
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
