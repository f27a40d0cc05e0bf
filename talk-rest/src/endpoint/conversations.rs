//! Conversations.

use http::Method;
use serde_json::json;
use talk_proto::model::{ConversationId, EmptyId, MessageId, UserId};

use super::id::id;
use super::messages::{Import, MessageEndpoint};
use super::participants::ParticipantEndpoint;
use crate::batch::count_in_range;
use crate::call::{Call, Payload, list, to_json};
use crate::error::InvalidCall;
use crate::list::List;
use crate::model::{Conversation, Message, SentMessage};
use crate::params::{ConversationParams, ImportedMessage, NewMessage};
use crate::path::path;

/// The maximum number of messages in a call.
const MAX_MESSAGES: usize = 10;

/// Returns the endpoint of a conversation.
///
/// ```
/// use talk_rest::{NewMessage, conversation};
///
/// let order = conversation("order_1")?;
/// let notice = order.send([NewMessage::system("Payment received")])?;
/// let history = order.messages().limit(100).call()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EmptyId`] if the ID is empty.
pub fn conversation<I>(conversation: I) -> Result<ConversationEndpoint, EmptyId>
where
    I: TryInto<ConversationId, Error: Into<EmptyId>>,
{
    id(conversation).map(ConversationEndpoint)
}

/// Returns the request for the list of all conversations.
pub fn conversations() -> List<Conversation> {
    List::new(path(&["conversations"]))
}

/// The calls that concern a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct ConversationEndpoint(ConversationId);

impl ConversationEndpoint {
    /// Returns the conversation's ID.
    pub fn id(&self) -> &ConversationId {
        &self.0
    }

    /// Creates or updates the conversation, and adds participants.
    pub fn put(&self, params: ConversationParams) -> Call<()> {
        Call::writing(Method::PUT, self.path(&[]), &params)
    }

    /// Reads the conversation.
    pub fn get(&self) -> Call<Conversation> {
        Call::reading(self.path(&[]))
    }

    /// Deletes the conversation with all of its messages.
    pub fn delete(&self) -> Call<()> {
        Call::deleting(self.path(&[]))
    }

    /// Returns the endpoint of a participant.
    ///
    /// # Errors
    /// [`EmptyId`] if the ID is empty.
    pub fn participant<I>(&self, user: I) -> Result<ParticipantEndpoint, EmptyId>
    where
        I: TryInto<UserId, Error: Into<EmptyId>>,
    {
        let user: UserId = id(user)?;
        let path = self.path(&["participants", user.as_str()]);
        Ok(ParticipantEndpoint { path })
    }

    /// Marks all messages as read by a user. An older call; the newer one is
    /// [`ParticipantPatch::read_until`](crate::ParticipantPatch::read_until).
    ///
    /// # Errors
    /// [`EmptyId`] if the ID is empty.
    pub fn read_by<I>(&self, user: I) -> Result<Call<()>, EmptyId>
    where
        I: TryInto<UserId, Error: Into<EmptyId>>,
    {
        let user: UserId = id(user)?;
        let path = self.path(&["readBy", user.as_str()]);
        Ok(Call::writing(Method::POST, path, &json!({})))
    }

    /// Lists the messages, newest first.
    pub fn messages(&self) -> List<Message> {
        List::new(self.path(&["messages"]))
    }

    /// Returns the endpoint of a message.
    ///
    /// # Errors
    /// [`EmptyId`] if the ID is empty.
    pub fn message<I>(&self, message: I) -> Result<MessageEndpoint, EmptyId>
    where
        I: TryInto<MessageId, Error: Into<EmptyId>>,
    {
        let message: MessageId = id(message)?;
        let path = self.path(&["messages", message.as_str()]);
        Ok(MessageEndpoint { path })
    }

    /// Sends up to ten messages. The answer has their IDs in the same order.
    ///
    /// # Errors
    /// [`InvalidCall::Count`] for none, or more than ten.
    pub fn send(
        &self,
        messages: impl IntoIterator<Item = NewMessage>,
    ) -> Result<Call<Vec<SentMessage>>, InvalidCall> {
        let messages: Vec<_> = messages.into_iter().map(|it| to_json(&it)).collect();
        count_in_range("messages", messages.len(), MAX_MESSAGES)?;
        let payload = Payload::Messages(messages);
        Ok(Call::new(
            Method::POST,
            self.path(&["messages"]),
            payload,
            list,
        ))
    }

    /// Imports any number of messages with their times, in several calls. An import sends
    /// no notifications, and connected clients get no events.
    ///
    /// ```
    /// use talk_rest::{ImportedMessage, Timestamp, conversation};
    ///
    /// let sent = Timestamp::from_millis(1_509_132_622_706);
    /// let old = ImportedMessage::user("alice".try_into()?, "Hello", sent);
    /// for call in conversation("order_1")?.import([old]).calls()? {
    ///     // A lost answer of one of these calls may mean that its messages were imported.
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn import(&self, messages: impl IntoIterator<Item = ImportedMessage>) -> Import {
        let messages = messages.into_iter().map(|it| to_json(&it)).collect();
        let conversation = self.0.as_str();
        Import::new(
            path(&["import", "conversations", conversation, "messages"]),
            messages,
        )
    }

    fn path(&self, rest: &[&str]) -> String {
        path(&[&["conversations", self.0.as_str()], rest].concat())
    }
}
