//! Errors of calls over the network.

use std::time::Duration;

use talk_proto::RetrySafety;
use talk_rest::{InvalidCall, RestError};

use crate::transport::{ConnectError, HttpError};

/// A call without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestClientError {
    /// The call cannot be made. Nothing was sent.
    #[error(transparent)]
    Invalid(#[from] InvalidCall),
    /// The service refused the call, or its answer cannot be read.
    #[error(transparent)]
    Rest(#[from] RestError),
    /// The network failed.
    #[error("{cause}")]
    Network {
        /// The failure.
        cause: HttpError,
        /// The effect of making the same call again.
        retry_safety: RetrySafety,
    },
    /// The service did not answer in time.
    #[error("the service did not answer within {}s; try again later", after.as_secs())]
    TimedOut {
        /// The time limit.
        after: Duration,
        /// The effect of making the same call again.
        retry_safety: RetrySafety,
    },
    /// The answer is larger than the limit.
    #[error("the answer is larger than {limit} bytes: ask for fewer items")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The async runtime is shutting down.
    #[error("the async runtime is shutting down")]
    Stopped,
}

impl RestClientError {
    /// Returns the effect of making the same call again.
    pub fn retry_safety(&self) -> RetrySafety {
        match self {
            Self::Rest(error) => error.retry_safety(),
            Self::Network { retry_safety, .. } | Self::TimedOut { retry_safety, .. } => {
                *retry_safety
            }
            Self::Invalid(_) | Self::TooLarge { .. } | Self::Stopped => RetrySafety::Never,
        }
    }

    /// Returns `true` if the service answered that the entity does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Rest(error) if error.is_not_found())
    }

    pub(super) fn network(cause: HttpError, call: RetrySafety) -> Self {
        let retry_safety = match &cause {
            HttpError::Connect(ConnectError::InvalidUrl(_))
            | HttpError::Source(_)
            | HttpError::InvalidRequest(_) => RetrySafety::Never,
            HttpError::Connect(_) => RetrySafety::Safe,
            HttpError::Interrupted(_) | HttpError::Malformed(_) => call,
        };
        Self::Network {
            cause,
            retry_safety,
        }
    }

    /// Returns `true` if a repetition may succeed and has the effect of a single call.
    pub(super) fn is_transient(&self) -> bool {
        let is_unreadable = matches!(self, Self::Rest(RestError::Unreadable { .. }));
        self.retry_safety() == RetrySafety::Safe && !is_unreadable
    }

    /// Returns `true` if the service may have processed the call.
    pub(super) fn may_be_processed(&self) -> bool {
        match self {
            Self::Rest(error) => error.status().is_none_or(|status| status.is_server_error()),
            Self::Network { cause, .. } => !matches!(cause, HttpError::Connect(_)),
            Self::TimedOut { .. } => true,
            _ => false,
        }
    }
}
