//! A message.

use std::sync::Arc;

use talk_proto::{
    Call, ConversationId, EditMessage, Emoji, EmptyId, MessageId, MessageSnapshot, Reply,
    Translation,
};

use super::reactions::ReactionsRef;
use crate::handle::{CallFuture, Handle};

/// A message, made by [`ConversationRef::message`](crate::ConversationRef::message) and
/// [`ConversationRef::send`](crate::ConversationRef::send).
///
/// ```no_run
/// # async fn example(conversation: talk_client::ConversationRef) -> Result<(), talk_client::Error> {
/// let message = conversation.send("Hello!").await?;
/// message.edit("Hello, *everybody*!").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageRef {
    handle: Handle,
    conversation: ConversationId,
    id: MessageId,
}

impl MessageRef {
    pub(crate) fn new(handle: Handle, conversation: ConversationId, id: MessageId) -> Self {
        Self {
            handle,
            conversation,
            id,
        }
    }

    /// The message's ID.
    ///
    /// ```no_run
    /// # async fn example(conversation: talk_client::ConversationRef) -> Result<(), talk_client::Error> {
    /// let hello = conversation.send("Hello!").await?;
    /// assert_eq!(hello, conversation.message(hello.id())?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> &MessageId {
        &self.id
    }

    /// The conversation's ID.
    ///
    /// ```no_run
    /// # async fn example(conversation: talk_client::ConversationRef) -> Result<(), talk_client::Error> {
    /// let hello = conversation.send("Hello!").await?;
    /// assert_eq!(hello.conversation_id(), conversation.id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn conversation_id(&self) -> &ConversationId {
        &self.conversation
    }

    /// The reactions with one emoji: a Unicode one, or the name of a custom one between colons.
    /// Whether it is an emoji at all is for the server to say.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// message.reactions("🚀")?.add().await?;
    /// message.reactions(":party_cat:")?.add().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EmptyId`] when the emoji is empty.
    pub fn reactions<I>(&self, emoji: I) -> Result<ReactionsRef, EmptyId>
    where
        I: TryInto<Emoji, Error: Into<EmptyId>>,
    {
        let emoji = emoji.try_into().map_err(Into::into)?;
        Ok(ReactionsRef::new(
            self.handle.clone(),
            self.conversation.clone(),
            self.id.clone(),
            emoji,
        ))
    }

    /// The message, or `None` when it does not exist or the user does not participate.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// if let Some(message) = message.get().await? {
    ///     println!("{}", message.plaintext());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None of its own; see [`Error`](crate::Error) for those of every call.
    pub fn get(&self) -> CallFuture<Option<Arc<MessageSnapshot>>> {
        let call = Call::GetMessage {
            conversation: self.conversation.clone(),
            message: self.id.clone(),
        };
        self.handle.call(call, |reply| match reply {
            Reply::Message(message) => Ok(message),
            reply => Err(reply),
        })
    }

    /// Changes the message: text or content as a whole, custom data key by key.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// message.edit("Hello, *everybody*!").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused when the message does not exist, the content is not acceptable, or the user's role
    /// forbids it.
    pub fn edit(&self, edit: impl Into<EditMessage>) -> CallFuture<()> {
        let call = Call::EditMessage {
            conversation: self.conversation.clone(),
            message: self.id.clone(),
            edit: edit.into(),
        };
        self.handle.call_done(call)
    }

    /// Deletes the message, if it exists.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// message.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused when the user does not participate, or their role forbids it.
    pub fn delete(&self) -> CallFuture<()> {
        self.handle.call_done(Call::DeleteMessage {
            conversation: self.conversation.clone(),
            message: self.id.clone(),
        })
    }

    /// The message in another language, or `None` when it does not exist. What is no text comes
    /// back as it is.
    ///
    /// `language` is an ISO 639-1 code. A region (`en-US`) is ignored, but for `zh-TW`.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// if let Some(translation) = message.translate("es").await? {
    ///     println!("{}", translation.plaintext);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused when the user does not participate, and where translation is not set up.
    pub fn translate(&self, language: impl Into<String>) -> CallFuture<Option<Translation>> {
        let call = Call::TranslateMessage {
            conversation: self.conversation.clone(),
            message: self.id.clone(),
            language: language.into(),
        };
        self.handle.call(call, |reply| match reply {
            Reply::Translation(translation) => Ok(translation),
            reply => Err(reply),
        })
    }
}

/// So that a ref can stand where an ID is asked for. It never fails.
impl TryFrom<&MessageRef> for MessageId {
    type Error = EmptyId;

    fn try_from(message: &MessageRef) -> Result<Self, EmptyId> {
        Ok(message.id.clone())
    }
}
