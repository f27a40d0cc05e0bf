//! Messages: as the server tells them, and as subscriptions show them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::{
    Custom, CustomPatch, Emoji, MessageId, Patch, ReactionCountDiff, Reactions, ReactionsSummary,
    UnknownName, User, UserId,
};
use crate::content::ContentBlock;
use crate::json::{self, deserialize_name};
use crate::timestamp::Timestamp;

/// Who speaks in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum MessageType {
    /// A user.
    #[default]
    UserMessage,
    /// The application itself.
    SystemMessage,
    /// A value that this version does not know, kept as it came.
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

/// How a message reached the service.
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
    /// A value that this version does not know, kept as it came.
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

/// A message as the server tells it to one receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Message {
    /// The message's ID.
    pub id: MessageId,
    /// Who speaks.
    #[serde(default, rename = "type")]
    pub message_type: MessageType,
    /// The user who sent it; `None` for system messages.
    #[serde(default)]
    pub sender_id: Option<UserId>,
    /// The application's own data.
    #[serde(default)]
    pub custom: Custom,
    /// When it was sent.
    #[serde(default)]
    pub created_at: Timestamp,
    /// When its content last changed.
    #[serde(default)]
    pub edited_at: Option<Timestamp>,
    /// The message it replies to.
    #[serde(default)]
    pub referenced_message_id: Option<MessageId>,
    /// How it reached the service.
    #[serde(default)]
    pub origin: Origin,
    /// What it says; one block today, more are allowed.
    #[serde(default, deserialize_with = "json::list")]
    pub content: Arc<[ContentBlock]>,
    /// The reactions to it.
    #[serde(default)]
    pub reactions: Reactions,
}

impl Message {
    /// A user's message without custom data, quote or reactions.
    ///
    /// ```
    /// use talk_proto::{ContentBlock, Message, MessageType, Timestamp, TextNode};
    ///
    /// let content = vec![ContentBlock::text([TextNode::text("Hello")])];
    /// let message = Message::new("msg_1".try_into()?, None, Timestamp::from_millis(1), content.into());
    /// assert_eq!(message.message_type, MessageType::SystemMessage);
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn new(
        id: MessageId,
        sender_id: Option<UserId>,
        created_at: Timestamp,
        content: Arc<[ContentBlock]>,
    ) -> Self {
        let message_type = if sender_id.is_some() {
            MessageType::UserMessage
        } else {
            MessageType::SystemMessage
        };
        Self {
            id,
            message_type,
            sender_id,
            custom: Custom::default(),
            created_at,
            edited_at: None,
            referenced_message_id: None,
            origin: Origin::default(),
            content,
            reactions: Reactions::default(),
        }
    }

    /// Changes what `diff` names.
    ///
    /// ```
    /// # use talk_proto::{ContentBlock, Message, Timestamp, TextNode};
    /// # let content = vec![ContentBlock::text([TextNode::text("Hello")])];
    /// # let (id, bob) = ("msg_1".try_into()?, "bob".try_into()?);
    /// let mut message = Message::new(id, Some(bob), Timestamp::from_millis(1), content.into());
    /// message.apply(serde_json::from_str(r#"{"custom": {"pinned": "yes"}}"#)?);
    /// assert_eq!(message.custom.get("pinned"), Some("yes"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&mut self, diff: MessageDiff) {
        if let Some(content) = diff.content {
            self.content = content;
        }
        self.custom.apply(diff.custom);
        diff.edited_at.apply_to(&mut self.edited_at);
        if let Some(reactions) = diff.reactions {
            self.reactions.apply(reactions);
        }
    }

    /// The content without formatting.
    ///
    /// ```
    /// # use talk_proto::{ContentBlock, Message, Timestamp, TextNode};
    /// # let content = vec![ContentBlock::text([TextNode::text("Hello")])];
    /// # let (id, bob) = ("msg_1".try_into()?, "bob".try_into()?);
    /// let message = Message::new(id, Some(bob), Timestamp::from_millis(1), content.into());
    /// assert_eq!(message.plaintext(), "Hello");
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn plaintext(&self) -> String {
        crate::content::plaintext(&self.content)
    }
}

/// What changed of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct MessageDiff {
    /// The whole new content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Arc<[ContentBlock]>>,
    /// The keys of the custom data that changed.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub custom: Patch<CustomPatch>,
    /// When the content last changed.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub edited_at: Patch<Timestamp>,
    /// The counts that changed; `None` = nobody is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reactions: Option<BTreeMap<Emoji, Option<ReactionCountDiff>>>,
}

/// A message as a subscription shows it: what the server tells ([`Message`], through `Deref`),
/// its sender as they are now, and the message it quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageSnapshot {
    message: Arc<Message>,
    sender: Option<Arc<User>>,
    referenced_message: Option<Arc<ReferencedMessageSnapshot>>,
}

impl MessageSnapshot {
    pub(crate) fn new(
        message: Arc<Message>,
        sender: Option<Arc<User>>,
        referenced_message: Option<Arc<ReferencedMessageSnapshot>>,
    ) -> Self {
        Self {
            message,
            sender,
            referenced_message,
        }
    }

    /// Who sent it, as they are now; `None` for system messages.
    ///
    /// ```
    /// # fn example(message: talk_proto::MessageSnapshot) {
    /// let name = message.sender().map_or("the app itself", |sender| &sender.name);
    /// # }
    /// ```
    pub fn sender(&self) -> Option<&Arc<User>> {
        self.sender.as_ref()
    }

    /// The message it replies to; `None` too when that one was deleted.
    ///
    /// ```
    /// # fn example(message: talk_proto::MessageSnapshot) {
    /// if let Some(quoted) = message.referenced_message() {
    ///     println!("> {}", quoted.plaintext());
    /// }
    /// # }
    /// ```
    pub fn referenced_message(&self) -> Option<&Arc<ReferencedMessageSnapshot>> {
        self.referenced_message.as_ref()
    }

    /// The reactions, the emoji that was added first in front.
    ///
    /// ```
    /// # fn example(message: talk_proto::MessageSnapshot) {
    /// for reaction in message.reactions() {
    ///     println!("{} {}", reaction.emoji, reaction.count);
    /// }
    /// # }
    /// ```
    pub fn reactions(&self) -> Vec<ReactionsSummary> {
        self.message.reactions.summaries()
    }

    pub(crate) fn message(&self) -> &Arc<Message> {
        &self.message
    }
}

impl std::ops::Deref for MessageSnapshot {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

impl Serialize for MessageSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("MessageSnapshot", 11)?;
        serialize_common(&self.message, self.sender.as_ref(), &mut map)?;
        map.serialize_field("referencedMessage", &self.referenced_message)?;
        map.end()
    }
}

/// A quoted message: as [`MessageSnapshot`], but with the ID of the one it quotes itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferencedMessageSnapshot {
    message: Arc<Message>,
    sender: Option<Arc<User>>,
}

impl ReferencedMessageSnapshot {
    pub(crate) fn new(message: Arc<Message>, sender: Option<Arc<User>>) -> Self {
        Self { message, sender }
    }

    /// Who sent it, as they are now.
    ///
    /// ```
    /// # fn example(quoted: talk_proto::ReferencedMessageSnapshot) {
    /// let name = quoted.sender().map_or("the app itself", |sender| &sender.name);
    /// # }
    /// ```
    pub fn sender(&self) -> Option<&Arc<User>> {
        self.sender.as_ref()
    }

    /// The reactions, the emoji that was added first in front.
    ///
    /// ```
    /// # fn example(quoted: talk_proto::ReferencedMessageSnapshot) {
    /// let reactions: u64 = quoted.reactions().iter().map(|reaction| reaction.count).sum();
    /// # }
    /// ```
    pub fn reactions(&self) -> Vec<ReactionsSummary> {
        self.message.reactions.summaries()
    }
}

impl std::ops::Deref for ReferencedMessageSnapshot {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

impl Serialize for ReferencedMessageSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("ReferencedMessageSnapshot", 11)?;
        serialize_common(&self.message, self.sender.as_ref(), &mut map)?;
        map.serialize_field("referencedMessageId", &self.message.referenced_message_id)?;
        map.end()
    }
}

fn serialize_common<M: SerializeStruct>(
    message: &Message,
    sender: Option<&Arc<User>>,
    map: &mut M,
) -> Result<(), M::Error> {
    map.serialize_field("id", &message.id)?;
    map.serialize_field("type", &message.message_type)?;
    map.serialize_field("sender", &sender)?;
    map.serialize_field("custom", &message.custom)?;
    map.serialize_field("createdAt", &message.created_at)?;
    map.serialize_field("editedAt", &message.edited_at)?;
    map.serialize_field("origin", &message.origin)?;
    map.serialize_field("plaintext", &message.plaintext())?;
    map.serialize_field("content", &message.content)?;
    map.serialize_field("reactions", &message.reactions.summaries())
}
