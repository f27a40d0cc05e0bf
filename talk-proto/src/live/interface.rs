//! Types that cross the boundary between the session and the live half.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::stores::list_filter::ListFilter;
use crate::error::RequestError;
use crate::io::Event;
use crate::model::{
    ConversationId, ConversationSnapshot, Emoji, MessageId, MessageSnapshot, UserId,
};
use crate::wire::{Page, Request};

/// The ID of a request of the live half. It is valid until
/// [`Live::handle_answer`](super::Live::handle_answer) is called with it or the connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FetchId(
    /// Never zero, so that an `Option<FetchId>` needs no extra space.
    pub(super) NonZeroU64,
);

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
        page: Box<Result<Page<MessageSnapshot>, RequestError>>,
    },
    /// Pass an answer to the inboxes.
    Inbox {
        token: ReadToken,
        answer: Box<InboxAnswer>,
    },
}

/// The ID of a read of an inbox. Zero is the subscription to the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadToken(pub(crate) u64);

impl ReadToken {
    /// The subscription to the list.
    pub(crate) const SUBSCRIPTION: Self = Self(0);
}

/// A read of an inbox.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InboxRead {
    /// A page of the conversations that match a filter.
    Conversations {
        filter: ListFilter,
        cursor: Option<String>,
    },
    /// A conversation.
    Conversation(ConversationId),
    /// A page of messages, newest first.
    Messages {
        conversation: ConversationId,
        cursor: Option<String>,
        limit: usize,
    },
    /// A subscription to the messages of a conversation.
    Subscribe(ConversationId),
}

/// The answer to a read of an inbox.
#[derive(Debug)]
pub(crate) enum InboxAnswer {
    /// The subscription to the list is acknowledged or refused.
    Subscribed(Result<(), RequestError>),
    Conversations(Result<Page<ConversationSnapshot>, RequestError>),
    Conversation(Result<ConversationSnapshot, RequestError>),
    Messages(Result<Page<MessageSnapshot>, RequestError>),
    /// Set if the messages of a conversation are subscribed.
    MessagesSubscribed(bool),
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
