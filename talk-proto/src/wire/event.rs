//! Events that the server publishes.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};

use super::salvage::readable_part;
use crate::json::deserialize_name;
use crate::model::{
    ConversationDiff, ConversationId, ConversationSnapshot, Emoji, MessageDiff, MessageId,
    MessageSnapshot, Online, Participant, ParticipantDiff, ReadStateDiff, Typing, TypingDiff, User,
    UserDiff, UserId,
};
use crate::timestamp::Timestamp;

#[cfg(test)]
mod tests;

/// Defines [`ServerEvent`], [`Kind`], [`Payload`] and the decoding of both from the table below.
macro_rules! events {
    ($(
        $(#[$doc:meta])*
        $name:literal => $event:ident
            $(in $conversation:ident)?
            { $($member:ident: $type:ty),* }
            $($payload:ident($field:ident: $read:ty as $kept:ty))?;
    )*) => {
        /// An event of a publish. `state` is a whole entity, and `diff` contains only changes.
        /// Large and rare payloads are boxed.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum ServerEvent {
            $(
                $(#[$doc])*
                $event {
                    $($conversation: ConversationId,)?
                    $($member: $type,)*
                    $($field: $kept,)?
                },
            )*
        }

        impl ServerEvent {
            /// Returns the conversation of the event, if it belongs to one.
            pub(crate) fn conversation_id(&self) -> Option<&ConversationId> {
                match self {
                    $(Self::$event { $($conversation,)? .. } => {
                        None::<&ConversationId>$(.or(Some($conversation)))?
                    })*
                }
            }
        }

        /// The types of events.
        #[derive(Debug, PartialEq)]
        pub(crate) enum Kind {
            $($event,)*
            Unknown(String),
        }

        deserialize_name! {
            Kind { $($name => $event,)* }
            Unknown(String)
        }

        /// The `state` or the `diff` of an event, depending on its type.
        pub(super) enum Payload {
            $($($event($kept),)? )*
        }

        impl Kind {
            /// Reads the state or diff if an event of this type has one; skips it otherwise.
            #[inline]
            pub(super) fn read_payload<'de, D: Deserializer<'de>>(
                &self,
                name: PayloadName,
                json: D,
            ) -> Result<Option<Payload>, D::Error> {
                Ok(Some(match (self, name) {
                    $($((Self::$event, PayloadName::$payload) => {
                        Payload::$event(<$kept>::from(<$read>::deserialize(json)?))
                    })?)*
                    _ => {
                        IgnoredAny::deserialize(json)?;
                        return Ok(None);
                    }
                }))
            }

            /// Returns the readable part of the state or diff if an event of this type has one.
            /// Returns any other payload unchanged.
            pub(super) fn readable_payload(&self, name: PayloadName, json: &str) -> Option<String> {
                match (self, name) {
                    $($((Self::$event, PayloadName::$payload) => readable_part::<$read>(json),)?)*
                    _ => Some(json.to_owned()),
                }
            }
        }

        impl Members<'_> {
            /// Takes the members and returns the event, if every member of its type is present.
            #[inline]
            pub(super) fn take_event(&mut self) -> Option<ServerEvent> {
                Some(match self.kind.take()? {
                    $(Kind::$event => ServerEvent::$event {
                        $($conversation: self.conversation_id.take()?,)?
                        $($member: self.$member()?,)*
                        $($field: match self.payload.take() {
                            Some(Payload::$event(payload)) => payload,
                            _ => return None,
                        },)?
                    },)*
                    Kind::Unknown(_) => return None,
                })
            }
        }
    };
}

events! {
    /// A user was created.
    "user.created" => UserCreated { user_id: UserId } State(state: User as Box<User>);
    /// A user changed.
    "user.edited" => UserEdited { user_id: UserId } Diff(diff: UserDiff as Box<UserDiff>);
    /// A user came online or went offline.
    "user.online.changed" => UserOnlineChanged { user_id: UserId } Diff(diff: Online as Online);
    /// The current user joined a conversation.
    "side.created" => SideCreated in conversation_id {}
        State(state: ConversationSnapshot as Box<ConversationSnapshot>);
    /// The current user's view of a conversation changed.
    "side.edited" => SideEdited in conversation_id {} Diff(diff: ReadStateDiff as ReadStateDiff);
    /// The current user left a conversation.
    "side.deleted" => SideDeleted in conversation_id {};
    /// A conversation's own attributes changed.
    "conversation.edited" => ConversationEdited in conversation_id {}
        Diff(diff: ConversationDiff as ConversationDiff);
    /// All messages of a conversation were deleted.
    "conversation.cleared" => ConversationCleared in conversation_id {};
    /// A user joined a conversation.
    "participant.created" => ParticipantCreated in conversation_id { user_id: UserId }
        State(state: Participant as Participant);
    /// A participant changed.
    "participant.edited" => ParticipantEdited in conversation_id { user_id: UserId }
        Diff(diff: ParticipantDiff as ParticipantDiff);
    /// A participant left.
    "participant.deleted" => ParticipantDeleted in conversation_id { user_id: UserId };
    /// A message was sent.
    "message.created" => MessageCreated in conversation_id {}
        State(state: MessageSnapshot as Arc<MessageSnapshot>);
    /// A message changed.
    "message.edited" => MessageEdited in conversation_id { message_id: MessageId }
        Diff(diff: MessageDiff as Box<MessageDiff>);
    /// A message was deleted. `new_last_message` is present if it was the last message. It is the
    /// message that is last now, if there is one.
    "message.deleted" => MessageDeleted in conversation_id {
        message_id: MessageId,
        new_last_message: Option<Option<Arc<MessageSnapshot>>>
    };
    /// The typing users of a conversation became available.
    "typing.available" => TypingAvailable in conversation_id {} State(state: Typing as Typing);
    /// The typing users changed.
    "typing.changed" => TypingChanged in conversation_id {} Diff(diff: TypingDiff as TypingDiff);
    /// A user reacted to a message.
    "reaction.added" => ReactionAdded in conversation_id {
        message_id: MessageId, emoji: Emoji, user_id: UserId, created_at: Timestamp
    };
    /// A user removed a reaction.
    "reaction.removed" => ReactionRemoved in conversation_id {
        message_id: MessageId, emoji: Emoji, user_id: UserId
    };
    /// The token has expired. A new one is needed before any other request.
    "session.expired" => SessionExpired {};
    /// The server is about to restart.
    "upstream.restarting" => UpstreamRestarting {};
}

/// The members that may carry the payload of an event.
#[derive(Clone, Copy)]
pub(super) enum PayloadName {
    State,
    Diff,
}

/// The members of all events.
#[derive(Default)]
pub(super) struct Members<'a> {
    pub(super) kind: Option<Kind>,
    pub(super) conversation_id: Option<ConversationId>,
    pub(super) user_id: Option<Text<'a>>,
    pub(super) message_id: Option<Text<'a>>,
    pub(super) emoji: Option<Text<'a>>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) payload: Option<Payload>,
    pub(super) new_last_message: Option<Option<Arc<MessageSnapshot>>>,
}

impl Members<'_> {
    fn user_id(&self) -> Option<UserId> {
        self.user_id.as_ref()?.read()
    }

    fn message_id(&self) -> Option<MessageId> {
        self.message_id.as_ref()?.read()
    }

    fn emoji(&self) -> Option<Emoji> {
        self.emoji.as_ref()?.read()
    }

    fn created_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    fn new_last_message(&mut self) -> Option<Option<Option<Arc<MessageSnapshot>>>> {
        Some(self.new_last_message.take())
    }
}

/// A string that is usually borrowed from the frame, because an event may not need to own it.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(StrDeserializer::<serde_json::Error>::new(&self.0)).ok()
    }
}
