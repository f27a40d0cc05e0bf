//! Classes of response statuses.

/// The meaning of a status for the request that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusClass {
    Done,
    /// The server refuses, and would refuse again.
    Refused,
    /// The token is not accepted any more. The request is repeated with another one.
    Unauthenticated,
    /// The server is too busy. The request is repeated later, without limit.
    Busy,
    /// The server failed. The request is repeated later, up to ten times.
    Failed,
}

impl StatusClass {
    /// Returns the class of a status.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            200 => Self::Done,
            401 => Self::Unauthenticated,
            429 => Self::Busy,
            500 | 502..=504 | 520..=527 => Self::Failed,
            _ => Self::Refused,
        }
    }
}
