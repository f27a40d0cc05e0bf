//! Refs of messages.

use std::sync::Arc;

use talk_proto::{
    Call, Reply,
    command::{EditMessage, SendMessage, Translation},
    model::{ConversationId, Emoji, EmptyId, MessageId, MessageSnapshot},
};

use super::reactions::ReactionsRef;
use crate::handle::{CallFuture, Handle};

/// A ref of a message, created by [`ConversationRef::message`](crate::ConversationRef::message) and
/// [`ConversationRef::send`](crate::ConversationRef::send)(crate::ConversationRef::send).
///
/// ```no_run
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
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

    /// Sends a message to a conversation.
    pub(super) fn send(
        handle: &Handle,
        conversation: ConversationId,
        message: SendMessage,
    ) -> CallFuture<Self> {
        let call = Call::SendMessage {
            conversation: conversation.clone(),
            message,
        };
        let sender = handle.clone();
        handle.call(call, |reply| match reply {
            Reply::Sent(id) => Ok(Self::new(sender, conversation, id)),
            reply => Err(reply),
        })
    }

    /// Returns the message's ID.
    pub fn id(&self) -> &MessageId {
        &self.id
    }

    /// Returns the conversation's ID.
    pub fn conversation_id(&self) -> &ConversationId {
        &self.conversation
    }

    /// Returns a ref of the reactions with one emoji: a Unicode one, or the name of a custom one
    /// between colons. The server decides if it is an emoji.
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
    /// [`EmptyId`] if the emoji is empty.
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

    /// Fetches the message; `None` if it does not exist or the user does not participate.
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

    /// Changes the message: replaces its text or content, and merges custom data by key.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// message.edit("Hello, *everybody*!").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the message does not exist, the content is invalid, or the
    /// user's role forbids the edit.
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
    /// The server refuses the call if the user does not participate or has a role that forbids the
    /// deletion.
    pub fn delete(&self) -> CallFuture<()> {
        self.handle.call_done(Call::DeleteMessage {
            conversation: self.conversation.clone(),
            message: self.id.clone(),
        })
    }

    /// Sends a reply to the message into its conversation.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// let reply = message.reply("I *agree*.").await?;
    /// println!("sent as {}", reply.id());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`ConversationRef::send`](crate::ConversationRef::send). The server refuses
    /// the call if the message is a system message, or does not exist.
    pub fn reply(&self, message: impl Into<SendMessage>) -> CallFuture<Self> {
        let reply = message.into().reply_to(&self.id);
        Self::send(&self.handle, self.conversation.clone(), reply)
    }

    /// Translates the message; `None` if it does not exist. Blocks without text are returned
    /// unchanged.
    ///
    /// `language` is an ISO 639-1 code. A region (`en-US`) is ignored, except `zh-TW`.
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
    /// The server refuses the call if the user does not participate or translation is not set up.
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

/// Returns the ID, so that a ref is accepted as an ID.
impl From<MessageRef> for MessageId {
    fn from(message: MessageRef) -> Self {
        message.id
    }
}

impl From<&MessageRef> for MessageId {
    fn from(message: &MessageRef) -> Self {
        message.id.clone()
    }
}
