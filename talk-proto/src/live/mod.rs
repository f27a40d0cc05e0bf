//! Live snapshots: stores of what the server told, and the subscriptions that show them.
//!
//! The live half knows nothing of sockets. The session tells it when a connection is ready and
//! when it is gone, gives it events and answers, and takes requests and updates from it.

use std::collections::VecDeque;

use serde_json::value::RawValue;

use crate::command::{RequestId, SubscriptionId};
use crate::error::{CommandError, RequestError};
use crate::io::Event;
use crate::model::{ConversationId, Emoji, MessageId, UserId};
use crate::options::Limits;
use crate::snapshot::Topic;
use crate::time::Time;
use crate::wire::{Request, ServerEvent};

/// One request of the live half, answered with [`Live::handle_answer`] unless the connection
/// goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FetchId(u64);

/// What the live half wants done.
#[derive(Debug)]
pub(crate) enum LiveOutput {
    /// Send a request. Refusals that pass (401, 429, 500) are retried by the session.
    Send { fetch: FetchId, request: Request },
    /// Tell the application.
    Event(Event),
}

/// One thing to read once, for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Get {
    User(UserId),
    Conversation(ConversationId),
    Participant(ConversationId, UserId),
    Message(ConversationId, MessageId),
    FirstReactions(ConversationId, MessageId, Emoji),
}

/// The stores and subscriptions of one session.
pub(crate) struct Live {
    outputs: VecDeque<LiveOutput>,
}

#[expect(dead_code, unused_variables, reason = "outline")]
impl Live {
    /// No store, no subscription, and no connection.
    pub(crate) fn new(me: UserId, limits: Limits) -> Self {
        Self {
            outputs: VecDeque::new(),
        }
    }

    /// Starts a subscription under a fresh ID. The first snapshot comes as an event.
    pub(crate) fn subscribe(&mut self, now: Time, id: SubscriptionId, topic: Topic) {}

    /// Ends a subscription: its end is told at once; what it showed lingers.
    pub(crate) fn unsubscribe(
        &mut self,
        now: Time,
        id: SubscriptionId,
    ) -> Result<(), CommandError> {
        Ok(())
    }

    /// Loads `count` more items than are loaded now (`None` = the topic's default). `request` is
    /// resolved with `Reply::Done` when they are there.
    pub(crate) fn load_more(
        &mut self,
        now: Time,
        request: RequestId,
        id: SubscriptionId,
        count: Option<usize>,
    ) -> Result<(), CommandError> {
        Ok(())
    }

    /// Reads one thing once; `request` is resolved with it.
    pub(crate) fn get(&mut self, now: Time, request: RequestId, get: Get) {}

    /// Forgets a `get` or `load_more` without resolving it. Whether it was known, and then whether
    /// anything had been sent for it.
    pub(crate) fn cancel(&mut self, now: Time, request: RequestId) -> Option<bool> {
        None
    }

    /// The connection is authenticated: everything that is shown is subscribed and fetched.
    pub(crate) fn handle_ready(&mut self, now: Time) {}

    /// The connection is gone: no answer to what was sent comes any more.
    pub(crate) fn handle_lost(&mut self, now: Time) {}

    /// The events of one publish, which are one step.
    pub(crate) fn handle_events(&mut self, now: Time, events: Vec<ServerEvent>) {}

    /// The answer to a request: its body, or why there is none.
    pub(crate) fn handle_answer(
        &mut self,
        now: Time,
        fetch: FetchId,
        answer: Result<Option<&RawValue>, RequestError>,
    ) {
    }

    /// The time of [`Live::poll_timeout`] may have come.
    pub(crate) fn handle_timeout(&mut self, now: Time) {}

    /// When to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// The next thing to do. The first call of a run closes the batches that are open.
    pub(crate) fn poll_output(&mut self) -> Option<LiveOutput> {
        self.outputs.pop_front()
    }

    /// Whether output is queued or a batch is open.
    pub(crate) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Whether nothing is shown, lingers or is waited for, so that no connection is needed.
    pub(crate) fn is_idle(&self) -> bool {
        true
    }

    /// Gets and loads that are not resolved.
    pub(crate) fn pending_requests(&self) -> usize {
        0
    }

    /// Nothing lingers any more: what nobody shows is unsubscribed at once.
    pub(crate) fn end_linger(&mut self, now: Time) {}

    /// Subscriptions that have not ended.
    pub(crate) fn subscriptions(&self) -> usize {
        0
    }

    /// Ends every subscription and resolves every request with `error`.
    pub(crate) fn end(&mut self, error: &RequestError) {}
}
