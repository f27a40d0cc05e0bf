//! Classes of response statuses.

/// The meaning of a status for the request that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusClass {
    Done,
    /// The server refuses the request, and would refuse a repetition.
    Refused,
    /// The token is no longer accepted. The request is sent again with another token.
    Unauthenticated,
    /// The server is too busy. The request is sent again later, without a limit on the number of
    /// attempts.
    Busy,
    /// The server failed. The request is sent again later, in up to ten attempts.
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
