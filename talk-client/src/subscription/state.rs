//! The state of a subscription.

use crate::error::Error;

/// The state of a subscription. The last two are final.
///
/// ```no_run
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
/// use talk_client::SubscriptionState;
///
/// let messages = conversation.subscribe_messages();
/// match messages.state() {
///     SubscriptionState::Pending => println!("one moment"),
///     SubscriptionState::Active(window) => println!("{:?} messages", window.map(|it| it.len())),
///     SubscriptionState::Unsubscribed => println!("closed"),
///     SubscriptionState::Error(error) => println!("{error}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a program handles every state")]
pub enum SubscriptionState<S> {
    /// No snapshot has arrived yet.
    Pending,
    /// This is the latest snapshot. It may come from the [cache](crate::TalkOptions::cache).
    Active(S),
    /// The application unsubscribed.
    Unsubscribed,
    /// The subscription ended with an error.
    Error(Error),
}

impl<S> SubscriptionState<S> {
    /// Returns `true` if no further snapshot can arrive.
    ///
    /// ```
    /// use talk_client::SubscriptionState;
    ///
    /// assert!(!SubscriptionState::Active(1).is_final());
    /// assert!(SubscriptionState::<i32>::Unsubscribed.is_final());
    /// ```
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Unsubscribed | Self::Error(_))
    }
}
