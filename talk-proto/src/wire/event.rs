//! Events that the server publishes.

use std::sync::Arc;

use crate::model::{
    ConversationDiff, ConversationId, ConversationSnapshot, Emoji, MessageDiff, MessageId,
    MessageSnapshot, Online, Participant, ParticipantDiff, ReadStateDiff, Typing, TypingDiff, User,
    UserDiff, UserId,
};
use crate::timestamp::Timestamp;

#[cfg(test)]
mod tests;

/// One event of a publish. `state` is the whole thing, `diff` holds only what changed. What is large
/// and seldom is boxed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ServerEvent {
    /// A user came to be.
    UserCreated { user_id: UserId, state: Box<User> },
    /// A user changed.
    UserEdited {
        user_id: UserId,
        diff: Box<UserDiff>,
    },
    /// A user came online or went.
    UserOnlineChanged { user_id: UserId, diff: Online },
    /// The current user joined a conversation.
    SideCreated {
        conversation_id: ConversationId,
        state: Box<ConversationSnapshot>,
    },
    /// The current user's view of a conversation changed.
    SideEdited {
        conversation_id: ConversationId,
        diff: ReadStateDiff,
    },
    /// The current user left a conversation.
    SideDeleted { conversation_id: ConversationId },
    /// A conversation's own attributes changed.
    ConversationEdited {
        conversation_id: ConversationId,
        diff: ConversationDiff,
    },
    /// All messages of a conversation are gone.
    ConversationCleared { conversation_id: ConversationId },
    /// A user joined a conversation.
    ParticipantCreated {
        conversation_id: ConversationId,
        user_id: UserId,
        state: Participant,
    },
    /// A participant changed.
    ParticipantEdited {
        conversation_id: ConversationId,
        user_id: UserId,
        diff: ParticipantDiff,
    },
    /// A participant left.
    ParticipantDeleted {
        conversation_id: ConversationId,
        user_id: UserId,
    },
    /// A message was sent.
    MessageCreated {
        conversation_id: ConversationId,
        state: Arc<MessageSnapshot>,
    },
    /// A message changed.
    MessageEdited {
        conversation_id: ConversationId,
        message_id: MessageId,
        diff: MessageDiff,
    },
    /// A message was deleted. `new_last_message` is given when it was the last one: the message
    /// that is last now, if any.
    MessageDeleted {
        conversation_id: ConversationId,
        message_id: MessageId,
        new_last_message: Option<Option<Arc<MessageSnapshot>>>,
    },
    /// Who types is known from now on.
    TypingAvailable {
        conversation_id: ConversationId,
        state: Typing,
    },
    /// Who types changed.
    TypingChanged {
        conversation_id: ConversationId,
        diff: TypingDiff,
    },
    /// A user reacted to a message.
    ReactionAdded {
        conversation_id: ConversationId,
        message_id: MessageId,
        emoji: Emoji,
        user_id: UserId,
        created_at: Timestamp,
    },
    /// A user took a reaction back.
    ReactionRemoved {
        conversation_id: ConversationId,
        message_id: MessageId,
        emoji: Emoji,
        user_id: UserId,
    },
    /// The token has expired: get a new one before anything else.
    SessionExpired,
    /// The server is about to restart.
    UpstreamRestarting,
}
