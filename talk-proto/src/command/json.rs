//! Calls and replies as JSON, in the shapes of the documented JavaScript API.

use std::fmt;

use serde::de::{
    Deserialize, Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{EditMessage, MessageBody, Reply, SendMessage};
use crate::content::ContentBlock;
use crate::model::{CustomPatch, MessageId, Patch};

#[cfg(test)]
mod tests;

/// The members of a message to send, or of an edit.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    text: Option<String>,
    content: Option<Vec<ContentBlock>>,
    #[serde(default)]
    custom: Patch<CustomPatch>,
    referenced_message: Option<MessageId>,
}

impl Members {
    fn take_body<E: Error>(&mut self) -> Result<Option<MessageBody>, E> {
        match (self.text.take(), self.content.take()) {
            (Some(_), Some(_)) => Err(E::custom("give either text or content, not both")),
            (Some(text), None) => Ok(Some(MessageBody::Text(text))),
            (None, Some(content)) => Ok(Some(MessageBody::Content(content))),
            (None, None) => Ok(None),
        }
    }
}

/// The JSON of a message: a string or an object.
enum TextOrMembers {
    Text(String),
    Members(Members),
}

impl<'de> Deserialize<'de> for TextOrMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrMembersVisitor;

        impl<'de> Visitor<'de> for TextOrMembersVisitor {
            type Value = TextOrMembers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with text or content")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<TextOrMembers, E> {
                Ok(TextOrMembers::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextOrMembers, A::Error> {
                Members::deserialize(MapAccessDeserializer::new(map)).map(TextOrMembers::Members)
            }
        }

        deserializer.deserialize_any(TextOrMembersVisitor)
    }
}

/// Deserialises from a string in the service's markup or from `{text | content, custom?,
/// referencedMessage?: message ID}`.
impl<'de> Deserialize<'de> for SendMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = match TextOrMembers::deserialize(deserializer)? {
            TextOrMembers::Text(text) => return Ok(Self::text(text)),
            TextOrMembers::Members(members) => members,
        };
        let body = members.take_body()?;
        Ok(Self {
            body: body.ok_or_else(|| D::Error::custom("a message needs text or content"))?,
            custom: members.custom,
            referenced_message: members.referenced_message,
        })
    }
}

/// Deserialises from a string in the service's markup or from `{text? | content?, custom?}`.
impl<'de> Deserialize<'de> for EditMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = match TextOrMembers::deserialize(deserializer)? {
            TextOrMembers::Text(text) => return Ok(Self::text(text)),
            TextOrMembers::Members(members) => members,
        };
        Ok(Self {
            body: members.take_body()?,
            custom: members.custom,
        })
    }
}

/// Serialises in the shape of the documented API: an empty result is `null`, and a sent message is
/// `{"messageRef": message ID}`.
impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Done => serializer.serialize_unit(),
            Self::User(user) => user.serialize(serializer),
            Self::Conversation(conversation) => conversation.serialize(serializer),
            Self::Participant(participant) => participant.serialize(serializer),
            Self::Message(message) => message.serialize(serializer),
            Self::Sent(message) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("messageRef", message)?;
                map.end()
            }
            Self::Reactions(reactions) => reactions.serialize(serializer),
            Self::Translation(translation) => translation.serialize(serializer),
            Self::Searched {
                results,
                loaded_all,
            } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("results", results)?;
                map.serialize_entry("loadedAll", loaded_all)?;
                map.end()
            }
            Self::Uploaded { file_token } => file_token.serialize(serializer),
        }
    }
}
