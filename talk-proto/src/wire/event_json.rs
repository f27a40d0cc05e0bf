//! Reading events from JSON, in one pass where their type comes first.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess,
    Visitor,
};
use serde_json::value::RawValue;

use super::event::ServerEvent;
use super::salvage::{
    CONVERSATION, MESSAGE, Object, PARTICIPANT, USER, readable_part, replace_lone_surrogates,
};
use crate::json::deserialize_name;
use crate::model::{
    ConversationDiff, ConversationId, ConversationSnapshot, MessageDiff, MessageSnapshot, Online,
    Participant, ParticipantDiff, ReadStateDiff, Typing, TypingDiff, User, UserDiff, UserId,
};
use crate::timestamp::Timestamp;

/// Why an event was not understood.
#[derive(Debug, PartialEq)]
pub(crate) enum EventError {
    /// It has no type, or not the members of its type.
    Malformed,
    /// Its type is unknown.
    UnknownType(String),
}

/// One event of a publish, or why it was not understood.
pub(crate) type Published = Result<ServerEvent, EventError>;

/// How many users are remembered.
const MAX_USERS: usize = 16;

/// Who and what was named last: the next event most often names the same again, and shares what was
/// allocated for it.
#[derive(Default)]
pub(super) struct Names {
    conversation: Option<ConversationId>,
    users: VecDeque<UserId>,
}

impl Names {
    fn conversation(&mut self, text: &Text<'_>) -> Option<ConversationId> {
        if self.conversation.as_ref().is_none_or(|id| *id != *text.0) {
            self.conversation = text.read();
        }
        self.conversation.clone()
    }

    fn user(&mut self, user: UserId) -> UserId {
        if let Some(known) = self.users.iter().find(|known| **known == user) {
            return known.clone();
        }
        self.users.truncate(MAX_USERS - 1);
        self.users.push_front(user.clone());
        user
    }

    /// Lets a message share the ID of its sender.
    fn share(&mut self, message: &mut Arc<MessageSnapshot>) {
        if let Some(message) = Arc::get_mut(message)
            && let Some(sender) = message.sender_id.take()
        {
            message.sender_id = Some(self.user(sender));
        }
    }
}

/// Reads an event by itself. Returns `true` beside it if it has lost unreadable members.
pub(super) fn read_event(json: &RawValue, names: &mut Names) -> (Published, bool) {
    let event = read_typed(json.get(), names);
    if event != Err(EventError::Malformed) {
        return (event, false);
    }
    let json = replace_lone_surrogates(json.get());
    let event = read_typed(&json, names);
    if event != Err(EventError::Malformed) {
        return (event, false);
    }
    let part = readable_event(&json).and_then(|part| read_typed(&part, names).ok());
    match part {
        Some(event) => (Ok(event), true),
        None => (Err(EventError::Malformed), false),
    }
}

fn read_typed(json: &str, names: &mut Names) -> Published {
    let mut json = serde_json::Deserializer::from_str(json);
    let event = EventSeed { names }.deserialize(&mut json);
    event.unwrap_or(Err(EventError::Malformed))
}

/// Returns the event with the readable part of its state or diff.
fn readable_event(json: &str) -> Option<String> {
    let members: BTreeMap<&str, &RawValue> = serde_json::from_str(json).ok()?;
    let kind: &str = serde_json::from_str(members.get("type")?.get()).ok()?;
    let part_of = |json| match kind {
        "user.created" => readable_part::<User>(json, USER),
        "user.edited" => readable_part::<UserDiff>(json, &[]),
        "side.created" => readable_part::<ConversationSnapshot>(json, CONVERSATION),
        "side.edited" => readable_part::<ReadStateDiff>(json, &[]),
        "conversation.edited" => readable_part::<ConversationDiff>(json, &[]),
        "participant.created" => readable_part::<Participant>(json, PARTICIPANT),
        "participant.edited" => readable_part::<ParticipantDiff>(json, &[]),
        "message.created" | "message.deleted" => readable_part::<MessageSnapshot>(json, MESSAGE),
        "message.edited" => readable_part::<MessageDiff>(json, &[]),
        "typing.available" => readable_part::<Typing>(json, &[]),
        "typing.changed" => readable_part::<TypingDiff>(json, &[]),
        _ => None,
    };
    let mut event = Object::default();
    for (name, value) in members {
        match name {
            "state" | "diff" => event.push(name, &part_of(value.get())?),
            "newLastMessage" if value.get() != "null" => {
                event.push(name, &part_of(value.get())?);
            }
            _ => event.push(name, value.get()),
        }
    }
    Some(event.finish())
}

/// Reads an event. What is not an object with members of the right kinds is an error of the
/// deserializer instead.
pub(super) struct EventSeed<'n> {
    pub(super) names: &'n mut Names,
}

impl<'de> DeserializeSeed<'de> for EventSeed<'_> {
    type Value = Published;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Published, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EventSeed<'_> {
    type Value = Published;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Published, A::Error> {
        let mut members = Members::default();
        // States and diffs that come before the type, which says how to read them.
        let mut early = Vec::new();
        while let Some(name) = map.next_key()? {
            match name {
                Name::Type => members.kind = Some(map.next_value()?),
                Name::UserId => members.user_id = map.next_value()?,
                Name::ConversationId => members.conversation_id = map.next_value()?,
                Name::MessageId => members.message_id = map.next_value()?,
                Name::Emoji => members.emoji = map.next_value()?,
                Name::CreatedAt => members.created_at = map.next_value()?,
                Name::NewLastMessage => members.new_last_message = Some(map.next_value()?),
                Name::Other => drop(map.next_value::<IgnoredAny>()?),
                Name::State | Name::Diff => match members.payload_seed(name) {
                    Ok(seed) => members.payload = map.next_value_seed(seed)?,
                    Err(name) => early.push((name, map.next_value::<&RawValue>()?)),
                },
            }
        }
        for (name, raw) in early {
            if let Ok(seed) = members.payload_seed(name) {
                let payload = seed.deserialize(raw);
                members.payload = payload.map_err(A::Error::custom)?;
            }
        }
        Ok(members.into_event(self.names))
    }
}

/// The members that events have.
enum Name {
    Type,
    UserId,
    ConversationId,
    MessageId,
    Emoji,
    CreatedAt,
    State,
    Diff,
    NewLastMessage,
    Other,
}

deserialize_name! {
    Name {
        "type" => Type,
        "userId" => UserId,
        "conversationId" => ConversationId,
        "messageId" => MessageId,
        "emoji" => Emoji,
        "createdAt" => CreatedAt,
        "state" => State,
        "diff" => Diff,
        "newLastMessage" => NewLastMessage,
    }
    Other
}

/// The types of events.
enum Kind {
    UserCreated,
    UserEdited,
    UserOnlineChanged,
    SideCreated,
    SideEdited,
    SideDeleted,
    ConversationEdited,
    ConversationCleared,
    ParticipantCreated,
    ParticipantEdited,
    ParticipantDeleted,
    MessageCreated,
    MessageEdited,
    MessageDeleted,
    TypingAvailable,
    TypingChanged,
    ReactionAdded,
    ReactionRemoved,
    SessionExpired,
    UpstreamRestarting,
    Unknown(String),
}

deserialize_name! {
    Kind {
        "user.created" => UserCreated,
        "user.edited" => UserEdited,
        "user.online.changed" => UserOnlineChanged,
        "side.created" => SideCreated,
        "side.edited" => SideEdited,
        "side.deleted" => SideDeleted,
        "conversation.edited" => ConversationEdited,
        "conversation.cleared" => ConversationCleared,
        "participant.created" => ParticipantCreated,
        "participant.edited" => ParticipantEdited,
        "participant.deleted" => ParticipantDeleted,
        "message.created" => MessageCreated,
        "message.edited" => MessageEdited,
        "message.deleted" => MessageDeleted,
        "typing.available" => TypingAvailable,
        "typing.changed" => TypingChanged,
        "reaction.added" => ReactionAdded,
        "reaction.removed" => ReactionRemoved,
        "session.expired" => SessionExpired,
        "upstream.restarting" => UpstreamRestarting,
    }
    Unknown(String)
}

/// Reads the state or diff that an event of a type carries; any other is passed over.
struct PayloadSeed<'k> {
    kind: &'k Kind,
    name: Name,
    /// What was read before.
    before: Payload,
}

impl<'de> DeserializeSeed<'de> for PayloadSeed<'_> {
    type Value = Payload;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Payload, D::Error> {
        Ok(match (self.kind, self.name) {
            (Kind::UserCreated, Name::State) => Payload::User(Box::new(User::deserialize(json)?)),
            (Kind::UserEdited, Name::Diff) => {
                Payload::UserDiff(Box::new(UserDiff::deserialize(json)?))
            }
            (Kind::UserOnlineChanged, Name::Diff) => Payload::Online(Online::deserialize(json)?),
            (Kind::SideCreated, Name::State) => {
                Payload::Conversation(Box::new(ConversationSnapshot::deserialize(json)?))
            }
            (Kind::SideEdited, Name::Diff) => {
                Payload::ReadStateDiff(ReadStateDiff::deserialize(json)?)
            }
            (Kind::ConversationEdited, Name::Diff) => {
                Payload::ConversationDiff(ConversationDiff::deserialize(json)?)
            }
            (Kind::ParticipantCreated, Name::State) => {
                Payload::Participant(Participant::deserialize(json)?)
            }
            (Kind::ParticipantEdited, Name::Diff) => {
                Payload::ParticipantDiff(ParticipantDiff::deserialize(json)?)
            }
            (Kind::MessageCreated, Name::State) => {
                Payload::Message(Arc::new(MessageSnapshot::deserialize(json)?))
            }
            (Kind::MessageEdited, Name::Diff) => {
                Payload::MessageDiff(MessageDiff::deserialize(json)?)
            }
            (Kind::TypingAvailable, Name::State) => Payload::Typing(Typing::deserialize(json)?),
            (Kind::TypingChanged, Name::Diff) => {
                Payload::TypingDiff(TypingDiff::deserialize(json)?)
            }
            _ => {
                IgnoredAny::deserialize(json)?;
                self.before
            }
        })
    }
}

/// A string that is most often borrowed from the frame. An event may not need it.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(StrDeserializer::<serde_json::Error>::new(&self.0)).ok()
    }
}

/// The members of all events.
#[derive(Default)]
struct Members<'a> {
    kind: Option<Kind>,
    user_id: Option<Text<'a>>,
    conversation_id: Option<Text<'a>>,
    message_id: Option<Text<'a>>,
    emoji: Option<Text<'a>>,
    created_at: Option<Timestamp>,
    payload: Payload,
    new_last_message: Option<Option<Arc<MessageSnapshot>>>,
}

/// The `state` or the `diff`, whichever an event of its type carries.
#[derive(Default)]
enum Payload {
    #[default]
    Missing,
    User(Box<User>),
    UserDiff(Box<UserDiff>),
    Online(Online),
    Conversation(Box<ConversationSnapshot>),
    ReadStateDiff(ReadStateDiff),
    ConversationDiff(ConversationDiff),
    Participant(Participant),
    ParticipantDiff(ParticipantDiff),
    Message(Arc<MessageSnapshot>),
    MessageDiff(MessageDiff),
    Typing(Typing),
    TypingDiff(TypingDiff),
}

impl Members<'_> {
    /// How to read a state or diff; its name again while the type is not known.
    fn payload_seed(&mut self, name: Name) -> Result<PayloadSeed<'_>, Name> {
        match &self.kind {
            Some(kind) => Ok(PayloadSeed {
                kind,
                name,
                before: std::mem::take(&mut self.payload),
            }),
            None => Err(name),
        }
    }

    /// The event, if every member of its type is there.
    fn into_event(self, names: &mut Names) -> Published {
        if let Some(Kind::Unknown(name)) = self.kind {
            return Err(EventError::UnknownType(name));
        }
        self.into_known(names).ok_or(EventError::Malformed)
    }

    fn into_known(self, names: &mut Names) -> Option<ServerEvent> {
        let conversation_id = self
            .conversation_id
            .and_then(|text| names.conversation(&text));
        Some(match (self.kind?, self.payload) {
            (Kind::UserCreated, Payload::User(state)) => ServerEvent::UserCreated {
                user_id: self.user_id?.read().filter(|id| *id == state.id)?,
                state,
            },
            (Kind::UserEdited, Payload::UserDiff(diff)) => ServerEvent::UserEdited {
                user_id: self.user_id?.read()?,
                diff,
            },
            (Kind::UserOnlineChanged, Payload::Online(diff)) => ServerEvent::UserOnlineChanged {
                user_id: self.user_id?.read()?,
                diff,
            },
            (Kind::SideCreated, Payload::Conversation(state)) => ServerEvent::SideCreated {
                conversation_id: conversation_id.filter(|id| *id == state.id)?,
                state,
            },
            (Kind::SideEdited, Payload::ReadStateDiff(diff)) => ServerEvent::SideEdited {
                conversation_id: conversation_id?,
                diff,
            },
            (Kind::SideDeleted, _) => ServerEvent::SideDeleted {
                conversation_id: conversation_id?,
            },
            (Kind::ConversationEdited, Payload::ConversationDiff(diff)) => {
                ServerEvent::ConversationEdited {
                    conversation_id: conversation_id?,
                    diff,
                }
            }
            (Kind::ConversationCleared, _) => ServerEvent::ConversationCleared {
                conversation_id: conversation_id?,
            },
            (Kind::ParticipantCreated, Payload::Participant(state)) => {
                ServerEvent::ParticipantCreated {
                    conversation_id: conversation_id?,
                    user_id: self.user_id?.read()?,
                    state,
                }
            }
            (Kind::ParticipantEdited, Payload::ParticipantDiff(diff)) => {
                ServerEvent::ParticipantEdited {
                    conversation_id: conversation_id?,
                    user_id: self.user_id?.read()?,
                    diff,
                }
            }
            (Kind::ParticipantDeleted, _) => ServerEvent::ParticipantDeleted {
                conversation_id: conversation_id?,
                user_id: self.user_id?.read()?,
            },
            (Kind::MessageCreated, Payload::Message(mut state)) => {
                self.message_id.filter(|id| state.id == *id.0)?;
                names.share(&mut state);
                ServerEvent::MessageCreated {
                    conversation_id: conversation_id?,
                    state,
                }
            }
            (Kind::MessageEdited, Payload::MessageDiff(diff)) => ServerEvent::MessageEdited {
                conversation_id: conversation_id?,
                message_id: self.message_id?.read()?,
                diff,
            },
            (Kind::MessageDeleted, _) => ServerEvent::MessageDeleted {
                conversation_id: conversation_id?,
                message_id: self.message_id?.read()?,
                new_last_message: self.new_last_message,
            },
            (Kind::TypingAvailable, Payload::Typing(state)) => ServerEvent::TypingAvailable {
                conversation_id: conversation_id?,
                state,
            },
            (Kind::TypingChanged, Payload::TypingDiff(diff)) => ServerEvent::TypingChanged {
                conversation_id: conversation_id?,
                diff,
            },
            (Kind::ReactionAdded, _) => ServerEvent::ReactionAdded {
                conversation_id: conversation_id?,
                message_id: self.message_id?.read()?,
                emoji: self.emoji?.read()?,
                user_id: self.user_id?.read()?,
                created_at: self.created_at?,
            },
            (Kind::ReactionRemoved, _) => ServerEvent::ReactionRemoved {
                conversation_id: conversation_id?,
                message_id: self.message_id?.read()?,
                emoji: self.emoji?.read()?,
                user_id: self.user_id?.read()?,
            },
            (Kind::SessionExpired, _) => ServerEvent::SessionExpired,
            (Kind::UpstreamRestarting, _) => ServerEvent::UpstreamRestarting,
            _ => return None,
        })
    }
}
