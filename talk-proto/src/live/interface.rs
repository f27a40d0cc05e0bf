//! Types that cross the boundary between the session and the live half.

use std::sync::Arc;

use crate::error::RequestError;
use crate::io::Event;
use crate::model::{ConversationId, Emoji, MessageId, MessageSnapshot, UserId};
use crate::wire::{Page, Request};

/// The ID of a request of the live half. It is valid until
/// [`Live::handle_answer`](super::Live::handle_answer) is called with it or the connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FetchId(pub(super) u64);

/// An effect requested by the live half.
#[derive(Debug)]
pub(crate) enum LiveOutput {
    /// Send a request. The session retries transient refusals (401, 429, 500).
    Send { fetch: FetchId, request: Request },
    /// Report an event to the application.
    Event(Event),
    /// Forget the failed requests with a path, which no viewer waits for.
    ForgetEntity(String),
    /// Forget the failed requests for a user, which no viewer waits for.
    ForgetUser(UserId),
    /// Pass a page of messages to the search of an outbox entry.
    Page {
        seq: u64,
        page: Result<Page<MessageSnapshot>, RequestError>,
    },
}

/// The entity read by a one-shot call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Get {
    User(UserId),
    Conversation(ConversationId),
    Participant(ConversationId, UserId),
    Message(ConversationId, MessageId),
    /// A message that the caller already has, to which the sender and the quote are added.
    Known(ConversationId, Arc<MessageSnapshot>),
    FirstReactions(ConversationId, MessageId, Emoji),
}
