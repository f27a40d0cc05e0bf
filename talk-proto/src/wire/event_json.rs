//! Reading of events from JSON, in one pass if the type is the first member.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};
use serde_json::value::RawValue;

use super::event::{Kind, Members, Payload, PayloadName, ServerEvent, Text};
use super::salvage::{Object, readable_part, replace_lone_surrogates};
use crate::json::deserialize_name;
use crate::model::{ConversationId, MessageId, MessageSnapshot, UserId};

/// The reason why an event is unreadable.
#[derive(Debug, PartialEq)]
pub(crate) enum EventError {
    /// The type is missing or unreadable, or unreadable members were removed from the event.
    Malformed,
    /// The type is unknown.
    UnknownType(String),
    /// The type is known, but a required member is missing or unreadable.
    Unreadable(Box<UnreadableEvent>),
}

/// The readable part of an unreadable event, which determines the entities to fetch again. An ID is
/// `None` if it is missing or unreadable.
#[derive(Debug, PartialEq)]
pub(crate) struct UnreadableEvent {
    pub(crate) kind: Kind,
    pub(crate) conversation_id: Option<ConversationId>,
    pub(crate) user_id: Option<UserId>,
    pub(crate) message_id: Option<MessageId>,
}

impl UnreadableEvent {
    /// Returns `true` if the event belongs to a conversation that is unknown.
    pub(crate) fn lacks_conversation(&self) -> bool {
        let is_of_conversation = !matches!(
            self.kind,
            Kind::UserCreated
                | Kind::UserEdited
                | Kind::UserOnlineChanged
                | Kind::SessionExpired
                | Kind::UpstreamRestarting
                | Kind::Unknown(_)
        );
        is_of_conversation && self.conversation_id.is_none()
    }
}

/// An event of a publish, or the reason why it is unreadable.
pub(crate) type Published = Result<ServerEvent, EventError>;

/// A cache of the last ID. Consecutive events usually have equal IDs, and the cache lets them share
/// an allocation.
#[derive(Default)]
pub(super) struct Names {
    conversation: Option<ConversationId>,
}

impl Names {
    fn conversation(&mut self, text: &Text<'_>) -> Option<ConversationId> {
        if self.conversation.as_ref().is_none_or(|id| *id != *text.0) {
            self.conversation = text.read();
        }
        self.conversation.clone()
    }
}

/// Reads a single event. The flag is `true` if unreadable members were removed.
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
        None => (Err(unreadable(&json)), false),
    }
}

fn read_typed(json: &str, names: &mut Names) -> Published {
    let mut json = serde_json::Deserializer::from_str(json);
    let event = EventSeed { names }.deserialize(&mut json);
    event.unwrap_or(Err(EventError::Malformed))
}

/// Returns the error of an unreadable event.
fn unreadable(json: &str) -> EventError {
    fn read<T: DeserializeOwned>(members: &RawMembers<'_>, name: &str) -> Option<T> {
        serde_json::from_str(members.get(name)?.get()).ok()
    }

    let members: RawMembers<'_> = serde_json::from_str(json).unwrap_or_default();
    match read(&members, "type") {
        None => EventError::Malformed,
        Some(Kind::Unknown(name)) => EventError::UnknownType(name),
        Some(kind) => EventError::Unreadable(Box::new(UnreadableEvent {
            kind,
            conversation_id: read(&members, "conversationId"),
            user_id: read(&members, "userId"),
            message_id: read(&members, "messageId"),
        })),
    }
}

/// The members of an event by name.
type RawMembers<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// Returns the event with only the readable part of its state or diff.
fn readable_event(json: &str) -> Option<String> {
    let members: RawMembers<'_> = serde_json::from_str(json).ok()?;
    let kind: Kind = serde_json::from_str(members.get("type")?.get()).ok()?;
    if let Kind::UserOnlineChanged = kind {
        // Without its only member the event has no content.
        return None;
    }
    let mut event = Object::default();
    for (name, value) in members {
        let value = value.get();
        let name = &*name;
        match name {
            "state" => event.push(name, &kind.readable_payload(PayloadName::State, value)?),
            "diff" => event.push(name, &kind.readable_payload(PayloadName::Diff, value)?),
            "newLastMessage" if value != "null" => {
                event.push(name, &readable_part::<MessageSnapshot>(value)?);
            }
            _ => event.push(name, value),
        }
    }
    Some(event.finish())
}

/// A seed that reads an event. JSON that is not an object, missing members, and members of a wrong
/// type are errors of the deserializer.
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
        // States and diffs that precede the type, which decides how to read them.
        let mut early = Vec::new();
        while let Some(name) = map.next_key()? {
            match name {
                Name::Type => members.kind = Some(map.next_value()?),
                Name::UserId => members.user_id = map.next_value()?,
                Name::ConversationId => {
                    let text: Option<Text<'_>> = map.next_value()?;
                    members.conversation_id = text.and_then(|text| self.names.conversation(&text));
                }
                Name::MessageId => members.message_id = map.next_value()?,
                Name::Emoji => members.emoji = map.next_value()?,
                Name::CreatedAt => members.created_at = map.next_value()?,
                Name::NewLastMessage => members.new_last_message = Some(map.next_value()?),
                Name::State => members.read_payload(PayloadName::State, &mut map, &mut early)?,
                Name::Diff => members.read_payload(PayloadName::Diff, &mut map, &mut early)?,
                Name::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if let Some(kind) = &members.kind {
            for (name, raw) in early {
                let payload = kind.read_payload(name, raw).map_err(A::Error::custom)?;
                members.payload = payload.or(members.payload);
            }
        }
        finish(&mut members)
    }
}

impl Members<'_> {
    fn read_payload<'de, A: MapAccess<'de>>(
        &mut self,
        name: PayloadName,
        map: &mut A,
        early: &mut Vec<(PayloadName, &'de RawValue)>,
    ) -> Result<(), A::Error> {
        match &self.kind {
            Some(kind) => {
                if let Some(payload) = map.next_value_seed(PayloadSeed { kind, name })? {
                    self.payload = Some(payload);
                }
            }
            None => early.push((name, map.next_value()?)),
        }
        Ok(())
    }
}

struct PayloadSeed<'k> {
    kind: &'k Kind,
    name: PayloadName,
}

impl<'de> DeserializeSeed<'de> for PayloadSeed<'_> {
    type Value = Option<Payload>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<Payload>, D::Error> {
        self.kind.read_payload(self.name, json)
    }
}

/// Returns the event if its members are complete and consistent.
fn finish<E: Error>(members: &mut Members<'_>) -> Result<Published, E> {
    if let Some(Kind::Unknown(name)) = &mut members.kind {
        return Ok(Err(EventError::UnknownType(std::mem::take(name))));
    }
    // The check precedes the construction, because a built event is large to move.
    let agrees = match &members.payload {
        Some(Payload::UserCreated(state)) => {
            let user_id = members.user_id.as_ref();
            user_id.is_some_and(|id| state.id == *id.0)
        }
        Some(Payload::SideCreated(state)) => members.conversation_id.as_ref() == Some(&state.id),
        Some(Payload::MessageCreated(state)) => {
            let message_id = members.message_id.as_ref();
            message_id.is_some_and(|id| state.id == *id.0)
        }
        _ => true,
    };
    match members.take_event() {
        Some(event) if agrees => Ok(Ok(event)),
        _ => Err(E::custom("a member is missing or inconsistent")),
    }
}

/// The names of an event's members.
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
