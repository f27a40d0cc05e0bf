//! What a status means for the call that it answers.

/// What to do about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The call is done.
    Done,
    /// The server refuses, and would again.
    Refused,
    /// The token is not good any more: get another one, then try again.
    Unauthenticated,
    /// The server is too busy: try again later, however often.
    Busy,
    /// The server failed: try again later, up to ten times.
    Failed,
}

impl Verdict {
    pub(crate) fn of(status: u16) -> Self {
        match status {
            200 => Self::Done,
            401 => Self::Unauthenticated,
            429 => Self::Busy,
            500 | 502..=504 => Self::Failed,
            _ => Self::Refused,
        }
    }
}
