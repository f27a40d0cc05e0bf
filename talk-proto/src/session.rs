//! The session: the one type that a driver runs.

use crate::command::{Call, RequestId, SubscriptionId};
use crate::error::CommandError;
use crate::io::{Input, Output};
use crate::options::SessionOptions;
use crate::secret::Secret;
use crate::snapshot::Topic;
use crate::time::Time;

/// One user's session with the service.
pub struct Session {}

#[expect(clippy::unused_self, unused_variables, reason = "outline")]
impl Session {
    /// A session that does nothing until it is asked for something.
    pub fn new(options: SessionOptions, seed: u64, now: Time) -> Self {
        Self {}
    }

    /// Takes what happened outside.
    pub fn handle_input(&mut self, now: Time, input: Input<'_>) {}

    /// The next thing to do, until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }

    /// When to give the next [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Makes a call; its outcome comes as [`Event::Resolved`](crate::Event::Resolved).
    pub fn call(&mut self, now: Time, call: Call) -> Result<RequestId, CommandError> {
        Err(CommandError::Unknown)
    }

    /// Subscribes to a topic.
    pub fn subscribe(&mut self, now: Time, topic: Topic) -> Result<SubscriptionId, CommandError> {
        Err(CommandError::Unknown)
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, now: Time, id: SubscriptionId) -> Result<(), CommandError> {
        Err(CommandError::Unknown)
    }

    /// Loads more items of a list: `count` more than there are now.
    pub fn load_more(
        &mut self,
        now: Time,
        id: SubscriptionId,
        count: Option<usize>,
    ) -> Result<RequestId, CommandError> {
        Err(CommandError::Unknown)
    }

    /// Cancels a request. It is resolved as cancelled.
    pub fn cancel(&mut self, now: Time, request: RequestId) -> Result<(), CommandError> {
        Err(CommandError::Unknown)
    }

    /// Authenticates with this token from now on.
    pub fn set_token(&mut self, now: Time, token: Secret) -> Result<(), CommandError> {
        Err(CommandError::Unknown)
    }

    /// Tries at once to connect, if it is waiting to: the network is back, or is another one.
    pub fn network_changed(&mut self, now: Time) {}

    /// Nobody holds the session any more: lingering ends at once.
    pub fn release(&mut self, now: Time) {}

    /// Ends the session: what is pending fails, the socket closes.
    pub fn shut_down(&mut self, now: Time) {}
}
