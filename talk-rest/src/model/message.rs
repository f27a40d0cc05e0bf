//! Messages.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use talk_proto::Timestamp;
use talk_proto::content::{ContentBlock, UnknownFields};
use talk_proto::model::{ConversationId, Custom, Emoji, MessageId, MessageType, Origin, UserId};

use crate::json::{map, null_default, unknown};

/// A message.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Message {
    /// The message's ID.
    pub id: MessageId,
    /// The conversation.
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    /// The kind of message.
    #[serde(default, rename = "type")]
    pub message_type: MessageType,
    /// The sender; `None` for system messages.
    #[serde(default)]
    pub sender_id: Option<UserId>,
    /// The way in which the message reached the service.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// The text with markup. `content` supersedes it.
    #[serde(default)]
    pub text: Option<String>,
    /// The file. `content` supersedes it.
    #[serde(default)]
    pub attachment: Option<Attachment>,
    /// Latitude and longitude. `content` supersedes it.
    #[serde(default)]
    pub location: Option<(f64, f64)>,
    /// The content. Absent in old answers.
    #[serde(default)]
    pub content: Option<Vec<ContentBlock>>,
    /// The custom data.
    #[serde(default, deserialize_with = "null_default")]
    pub custom: Custom,
    /// The users that have read the message, without the sender. Empty above 300 participants.
    #[serde(default, deserialize_with = "null_default")]
    pub read_by: Vec<UserId>,
    /// The reactions by emoji. Absent in old answers.
    #[serde(default, deserialize_with = "map")]
    pub reactions: BTreeMap<Emoji, MessageReactions>,
    /// The message that this one replies to.
    #[serde(default)]
    pub referenced_message_id: Option<MessageId>,
    /// The time at which the message was sent.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// The time of the last change of the content.
    #[serde(default)]
    pub edited_at: Option<Timestamp>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// Shows no texts and no files.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("conversation_id", &self.conversation_id)
            .field("message_type", &self.message_type)
            .field("sender_id", &self.sender_id)
            .field("origin", &self.origin)
            .field("created_at", &self.created_at)
            .field("edited_at", &self.edited_at)
            .finish_non_exhaustive()
    }
}

/// The file of a message.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attachment {
    /// The address of the file, which grants access to it.
    pub url: String,
    /// The size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// Hides the address.
impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// The reactions to a message with one emoji. The service does not document its members (our
/// choice).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MessageReactions {
    /// The number of users.
    pub count: Option<u64>,
    /// The time at which the emoji was first added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

impl<'de> Deserialize<'de> for MessageReactions {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let mut reactions = Self::default();
        match Value::deserialize(json)? {
            Value::Object(mut members) => {
                let mut take = |name: &str| members.remove(name).filter(|it| !it.is_null());
                reactions.count = take("count").and_then(|count| count.as_u64());
                reactions.created_at = take("createdAt")
                    .and_then(|at| at.as_i64())
                    .map(Timestamp::from_millis);
                reactions.unknown_fields = members.into();
            }
            other => reactions.count = other.as_u64(),
        }
        Ok(reactions)
    }
}

/// A user that reacted to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Reactor {
    /// The user.
    pub user_id: UserId,
    /// The time of the reaction (our choice).
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// The result of sending or importing a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SentMessage {
    /// The message's ID.
    pub id: MessageId,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}
