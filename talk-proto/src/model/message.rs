//! Messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::custom::Custom;
use super::id::{Emoji, MessageId, UserId};
use super::patch::{CustomPatch, Patch, diff};
use super::reaction::{ReactionCountDiff, Reactions};
use super::unknown_name::UnknownName;
use super::user::User;
use crate::content::ContentBlock;
use crate::json::{self, deserialize_name};
use crate::timestamp::Timestamp;

/// The kind of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum MessageType {
    /// A message of a user.
    #[default]
    UserMessage,
    /// A message of the application.
    SystemMessage,
    /// A value unknown to this version, stored unchanged.
    #[serde(untagged)]
    Other(UnknownName),
}

deserialize_name! {
    MessageType {
        "UserMessage" => UserMessage,
        "SystemMessage" => SystemMessage,
    }
    Other(UnknownName)
}

/// The way in which a message reached the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// The classic web client.
    Web,
    /// The REST API, the UI components, and clients of this protocol.
    #[default]
    Rest,
    /// An import.
    Import,
    /// A reply to an email notification.
    Email,
    /// A value unknown to this version, stored unchanged.
    #[serde(untagged)]
    Other(UnknownName),
}

deserialize_name! {
    Origin {
        "web" => Web,
        "rest" => Rest,
        "import" => Import,
        "email" => Email,
    }
    Other(UnknownName)
}

/// A message with its sender and the message that it replies to.
///
/// Serialises in the shape of the documented API. Deserialises from the shape of the server, in
/// which the sender and the referenced message are IDs. In a snapshot both are resolved.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct MessageSnapshot {
    /// The message's ID.
    pub id: MessageId,
    /// The kind of message.
    #[serde(default, rename = "type")]
    pub message_type: MessageType,
    /// The ID of the sender; `None` for system messages.
    #[serde(default)]
    pub sender_id: Option<UserId>,
    /// The sender in their current state; `None` for system messages.
    #[serde(default)]
    pub sender: Option<Arc<User>>,
    /// The custom data.
    #[serde(default)]
    pub custom: Custom,
    /// The time at which the message was sent.
    #[serde(default)]
    pub created_at: Timestamp,
    /// The time of the last change of the content.
    #[serde(default)]
    pub edited_at: Option<Timestamp>,
    /// The ID of the message that this one replies to.
    #[serde(default)]
    pub referenced_message_id: Option<MessageId>,
    /// The message that this one replies to; `None` if it was deleted, and always `None` within a
    /// referenced message.
    #[serde(default)]
    pub referenced_message: Option<Arc<Self>>,
    /// The way in which the message reached the service.
    #[serde(default)]
    pub origin: Origin,
    /// The content. Currently one block, but readers must accept several.
    #[serde(default, deserialize_with = "json::list")]
    pub content: Arc<[ContentBlock]>,
    /// The reactions, ordered by the time at which their emoji was first added.
    #[serde(default)]
    pub reactions: Reactions,
}

impl MessageSnapshot {
    /// Creates a message without custom data, reference or reactions.
    ///
    /// ```
    /// use talk_proto::content::{ContentBlock, TextNode};
    /// use talk_proto::{Timestamp, model::{MessageSnapshot, MessageType}};
    ///
    /// let content = vec![ContentBlock::text([TextNode::text("Hello")])];
    /// let sent = Timestamp::from_millis(1);
    /// let message = MessageSnapshot::new("msg_1".try_into()?, None, sent, content);
    /// assert_eq!(message.message_type, MessageType::SystemMessage);
    /// assert_eq!(message.plaintext(), "Hello");
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn new(
        id: MessageId,
        sender: Option<Arc<User>>,
        created_at: Timestamp,
        content: impl Into<Arc<[ContentBlock]>>,
    ) -> Self {
        Self {
            id,
            message_type: match &sender {
                Some(_) => MessageType::UserMessage,
                None => MessageType::SystemMessage,
            },
            sender_id: sender.as_ref().map(|sender| sender.id.clone()),
            sender,
            custom: Custom::default(),
            created_at,
            edited_at: None,
            referenced_message_id: None,
            referenced_message: None,
            origin: Origin::default(),
            content: content.into(),
            reactions: Reactions::default(),
        }
    }

    /// Returns the content without formatting.
    pub fn plaintext(&self) -> String {
        crate::content::plaintext(&self.content)
    }

    /// Returns the time at which the server received the message; `None` for an imported one, whose
    /// time was chosen by the importer.
    pub(crate) fn server_time(&self) -> Option<Timestamp> {
        (self.origin != Origin::Import).then_some(self.created_at)
    }

    /// Returns a copy of the message with its sender and referenced message.
    pub(crate) fn resolved(
        &self,
        sender: Option<Arc<User>>,
        referenced_message: Option<Arc<Self>>,
    ) -> Self {
        Self {
            sender,
            referenced_message,
            ..self.clone()
        }
    }

    /// Returns `true` if both are the same version of a message, resolved or not.
    pub(crate) fn is_same_version(&self, other: &Self) -> bool {
        self.id == other.id
            && self.message_type == other.message_type
            && self.sender_id == other.sender_id
            && self.custom == other.custom
            && self.created_at == other.created_at
            && self.edited_at == other.edited_at
            && self.referenced_message_id == other.referenced_message_id
            && self.origin == other.origin
            && self.content == other.content
            && self.reactions == other.reactions
    }

    pub(crate) fn apply(&mut self, diff: MessageDiff) {
        if let Some(content) = diff.content {
            self.content = content;
        }
        self.custom.apply(diff.custom);
        diff.edited_at.apply_to(&mut self.edited_at);
        if let Some(reactions) = diff.reactions {
            self.reactions.apply(reactions);
        }
    }

    fn serialize_as<S: Serializer>(
        &self,
        serializer: S,
        reference: (&'static str, &impl Serialize),
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("MessageSnapshot", 11)?;
        map.serialize_field("id", &self.id)?;
        map.serialize_field("type", &self.message_type)?;
        map.serialize_field("sender", &self.sender)?;
        map.serialize_field("custom", &self.custom)?;
        map.serialize_field("createdAt", &self.created_at)?;
        map.serialize_field("editedAt", &self.edited_at)?;
        map.serialize_field("origin", &self.origin)?;
        map.serialize_field("plaintext", &self.plaintext())?;
        map.serialize_field("content", &self.content)?;
        map.serialize_field("reactions", &self.reactions.summaries())?;
        map.serialize_field(reference.0, reference.1)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for MessageSnapshot {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        // Calls the inherent function that `remote` derives.
        let mut message = Self::deserialize(json)?;
        if let Some(sender) = &message.sender {
            message.sender_id = Some(sender.id.clone());
        }
        if let Some(referenced) = &message.referenced_message {
            message.referenced_message_id = Some(referenced.id.clone());
        }
        Ok(message)
    }
}

impl Serialize for MessageSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let referenced = self.referenced_message.as_deref().map(Referenced);
        self.serialize_as(serializer, ("referencedMessage", &referenced))
    }
}

/// A referenced message. Its own referenced message is serialised as an ID only.
struct Referenced<'a>(&'a MessageSnapshot);

impl Serialize for Referenced<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = &self.0.referenced_message_id;
        self.0.serialize_as(serializer, ("referencedMessageId", id))
    }
}

diff! {
    /// The changes of a message.
    MessageDiff {
        content: Option<Arc<[ContentBlock]>>,
        custom: Patch<CustomPatch>,
        edited_at: Patch<Timestamp>,
        /// The counts that changed; `None` removes an emoji.
        reactions: Option<BTreeMap<Emoji, Option<ReactionCountDiff>>>,
    }
}
