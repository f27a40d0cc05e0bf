//! Where a subscription stands.

use crate::error::Error;

/// Where a subscription stands. The last two are final.
#[derive(Clone, Debug, PartialEq)]
pub enum SubscriptionState<S> {
    /// There is no snapshot yet.
    Pending,
    /// This is the latest snapshot.
    Active(S),
    /// It was unsubscribed.
    Unsubscribed,
    /// It ended with an error.
    Error(Error),
}

impl<S> SubscriptionState<S> {
    /// Whether nothing more can come.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Unsubscribed | Self::Error(_))
    }
}
