//! Refs of reactions.

use std::sync::Arc;

use talk_proto::{
    Call, Reply, Topic, Window,
    model::{ConversationId, Emoji, MessageId, ReactionSnapshot},
};

use crate::handle::{CallFuture, Handle};
use crate::subscription::Subscription;

/// A ref of the reactions to a message with one emoji, created by
/// [`MessageRef::reactions`](crate::MessageRef::reactions).
///
/// ```no_run
/// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
/// let rockets = message.reactions("🚀")?;
/// rockets.add().await?;
/// rockets.remove().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReactionsRef {
    handle: Handle,
    conversation: ConversationId,
    message: MessageId,
    emoji: Emoji,
}

impl ReactionsRef {
    pub(crate) fn new(
        handle: Handle,
        conversation: ConversationId,
        message: MessageId,
        emoji: Emoji,
    ) -> Self {
        Self {
            handle,
            conversation,
            message,
            emoji,
        }
    }

    /// Returns the conversation's ID.
    pub fn conversation_id(&self) -> &ConversationId {
        &self.conversation
    }

    /// Returns the message's ID.
    pub fn message_id(&self) -> &MessageId {
        &self.message
    }

    /// Returns the emoji.
    pub fn emoji(&self) -> &Emoji {
        &self.emoji
    }

    /// Adds the user's reaction, if it does not exist yet.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// message.reactions("🚀")?.add().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the emoji is invalid, the message does not exist or has 50
    /// different emojis, or the user's role forbids reactions.
    pub fn add(&self) -> CallFuture<()> {
        self.handle.call_done(Call::AddReaction {
            conversation: self.conversation.clone(),
            message: self.message.clone(),
            emoji: self.emoji.clone(),
        })
    }

    /// Removes the user's reaction, if it exists.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// message.reactions("🚀")?.remove().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the user's role forbids reactions.
    pub fn remove(&self) -> CallFuture<()> {
        self.handle.call_done(Call::RemoveReaction {
            conversation: self.conversation.clone(),
            message: self.message.clone(),
            emoji: self.emoji.clone(),
        })
    }

    /// Fetches the first ten reactions, oldest first; `None` if the message does not exist or is
    /// not accessible.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// for reaction in message.reactions("🚀")?.get_first_reactions().await?.unwrap_or_default() {
    ///     println!("{}", reaction.user.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None of its own; see [`Error`](crate::Error) for those of every call.
    pub fn get_first_reactions(&self) -> CallFuture<Option<Vec<Arc<ReactionSnapshot>>>> {
        let call = Call::GetFirstReactions {
            conversation: self.conversation.clone(),
            message: self.message.clone(),
            emoji: self.emoji.clone(),
        };
        self.handle.call(call, |reply| match reply {
            Reply::Reactions(reactions) => Ok(reactions),
            reply => Err(reply),
        })
    }

    /// Subscribes to the reactions, oldest first. The first page holds 10;
    /// [`load_more`](Subscription::load_more) loads 1 to 100 more. A new reaction becomes visible
    /// when all before it are loaded. `None` while the message does not exist or is not accessible.
    ///
    /// ```no_run
    /// # async fn example(message: talk_client::MessageRef) -> Result<(), talk_client::Error> {
    /// let rockets = message.reactions("🚀")?.subscribe();
    /// println!("{}", rockets.connected().await?.map_or(0, |window| window.len()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self) -> Subscription<Option<Window<ReactionSnapshot>>> {
        let topic = Topic::Reactions {
            conversation: self.conversation.clone(),
            message: self.message.clone(),
            emoji: self.emoji.clone(),
        };
        Subscription::new(&self.handle, topic)
    }
}
