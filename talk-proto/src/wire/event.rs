//! Events that the server publishes.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::model::{
    ConversationDiff, ConversationId, Emoji, Message, MessageDiff, MessageId, Millis, Online,
    Participant, ParticipantDiff, Side, SideDiff, Typing, TypingDiff, User, UserDiff, UserId,
};

#[cfg(test)]
mod tests;

/// One event of a publish. `state` is the whole thing, `diff` holds only what changed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the members are those of the variant's sentence"
)]
pub enum ServerEvent {
    /// A user came to be.
    UserCreated { user_id: UserId, state: User },
    /// A user changed.
    UserEdited { user_id: UserId, diff: UserDiff },
    /// A user came online or went.
    UserOnlineChanged { user_id: UserId, diff: Online },
    /// The current user joined a conversation.
    SideCreated {
        conversation_id: ConversationId,
        state: Side,
    },
    /// The current user's view of a conversation changed.
    SideEdited {
        conversation_id: ConversationId,
        diff: SideDiff,
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
        message_id: MessageId,
        state: Message,
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
        new_last_message: Option<Option<Message>>,
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
        created_at: Millis,
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

/// Why an event was not understood.
#[derive(Debug)]
pub(crate) enum EventError {
    /// It has no type, or not the members of its type.
    Malformed,
    /// Its type is unknown.
    UnknownType(String),
}

/// The members of all events; a state or diff is read once the type is known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    user_id: Option<UserId>,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    emoji: Option<Emoji>,
    created_at: Option<Millis>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
    #[serde(borrow)]
    diff: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    new_last_message: Option<&'a RawValue>,
}

/// Keeps the difference between an absent member and `null`.
fn present<'de: 'a, 'a, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl ServerEvent {
    /// Reads one event of a publish.
    pub(crate) fn parse(json: &RawValue) -> Result<Self, EventError> {
        let members: Members<'_> =
            serde_json::from_str(json.get()).map_err(|_| EventError::Malformed)?;
        members.into_event()
    }
}

impl Members<'_> {
    fn into_event(self) -> Result<ServerEvent, EventError> {
        Ok(match &*self.kind {
            "user.created" => ServerEvent::UserCreated {
                user_id: self.user()?,
                state: read(self.state)?,
            },
            "user.edited" => ServerEvent::UserEdited {
                user_id: self.user()?,
                diff: read(self.diff)?,
            },
            "user.online.changed" => ServerEvent::UserOnlineChanged {
                user_id: self.user()?,
                diff: read(self.diff)?,
            },
            "side.created" => ServerEvent::SideCreated {
                conversation_id: self.conversation()?,
                state: read(self.state)?,
            },
            "side.edited" => ServerEvent::SideEdited {
                conversation_id: self.conversation()?,
                diff: read(self.diff)?,
            },
            "side.deleted" => ServerEvent::SideDeleted {
                conversation_id: self.conversation()?,
            },
            "conversation.edited" => ServerEvent::ConversationEdited {
                conversation_id: self.conversation()?,
                diff: read(self.diff)?,
            },
            "conversation.cleared" => ServerEvent::ConversationCleared {
                conversation_id: self.conversation()?,
            },
            "participant.created" => ServerEvent::ParticipantCreated {
                conversation_id: self.conversation()?,
                user_id: self.user()?,
                state: read(self.state)?,
            },
            "participant.edited" => ServerEvent::ParticipantEdited {
                conversation_id: self.conversation()?,
                user_id: self.user()?,
                diff: read(self.diff)?,
            },
            "participant.deleted" => ServerEvent::ParticipantDeleted {
                conversation_id: self.conversation()?,
                user_id: self.user()?,
            },
            "message.created" => ServerEvent::MessageCreated {
                conversation_id: self.conversation()?,
                message_id: self.message()?,
                state: read(self.state)?,
            },
            "message.edited" => ServerEvent::MessageEdited {
                conversation_id: self.conversation()?,
                message_id: self.message()?,
                diff: read(self.diff)?,
            },
            "message.deleted" => ServerEvent::MessageDeleted {
                conversation_id: self.conversation()?,
                message_id: self.message()?,
                new_last_message: self
                    .new_last_message
                    .map(|raw| read(Some(raw)))
                    .transpose()?,
            },
            "typing.available" => ServerEvent::TypingAvailable {
                conversation_id: self.conversation()?,
                state: read(self.state)?,
            },
            "typing.changed" => ServerEvent::TypingChanged {
                conversation_id: self.conversation()?,
                diff: read(self.diff)?,
            },
            "reaction.added" => ServerEvent::ReactionAdded {
                conversation_id: self.conversation()?,
                message_id: self.message()?,
                emoji: self.emoji()?,
                user_id: self.user()?,
                created_at: self.created_at.ok_or(EventError::Malformed)?,
            },
            "reaction.removed" => ServerEvent::ReactionRemoved {
                conversation_id: self.conversation()?,
                message_id: self.message()?,
                emoji: self.emoji()?,
                user_id: self.user()?,
            },
            "session.expired" => ServerEvent::SessionExpired,
            "upstream.restarting" => ServerEvent::UpstreamRestarting,
            unknown => return Err(EventError::UnknownType(unknown.to_owned())),
        })
    }

    fn user(&self) -> Result<UserId, EventError> {
        self.user_id.clone().ok_or(EventError::Malformed)
    }

    fn conversation(&self) -> Result<ConversationId, EventError> {
        self.conversation_id.clone().ok_or(EventError::Malformed)
    }

    fn message(&self) -> Result<MessageId, EventError> {
        self.message_id.clone().ok_or(EventError::Malformed)
    }

    fn emoji(&self) -> Result<Emoji, EventError> {
        self.emoji.clone().ok_or(EventError::Malformed)
    }
}

fn read<T: DeserializeOwned>(raw: Option<&RawValue>) -> Result<T, EventError> {
    let raw = raw.ok_or(EventError::Malformed)?;
    serde_json::from_str(raw.get()).map_err(|_| EventError::Malformed)
}
