//! Conversations.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use talk_proto::Timestamp;
use talk_proto::content::UnknownFields;
use talk_proto::model::{ConversationId, Custom, Notify, UserId};

use super::message::Message;
use super::participant::{Access, ConversationParticipant};
use crate::json::{map, null_default, unknown};

/// A conversation.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conversation {
    /// The conversation's ID.
    pub id: ConversationId,
    /// The subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// A legacy member.
    #[serde(default)]
    pub topic_id: Option<String>,
    /// The URL of the picture.
    #[serde(default)]
    pub photo_url: Option<String>,
    /// The texts that are shown at the start. They are not messages.
    #[serde(default, deserialize_with = "null_default")]
    pub welcome_messages: Vec<String>,
    /// The custom data.
    #[serde(default, deserialize_with = "null_default")]
    pub custom: Custom,
    /// The latest message.
    #[serde(default)]
    pub last_message: Option<Message>,
    /// The participants that can read the conversation.
    #[serde(default, deserialize_with = "map")]
    pub participants: BTreeMap<UserId, ConversationParticipant>,
    /// The time of creation.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// The time up to which all participants have read the messages. Absent in old answers.
    #[serde(default)]
    pub everyone_read_until: Option<Timestamp>,
    /// The access of the user, in the list of a user (our choice).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// The notifications of the user, in the list of a user (our choice).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// The time at which the user joined, in the list of a user (our choice).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
    /// The time up to which the user has read the messages, in the list of a user (our choice).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_until: Option<Timestamp>,
    /// Set if the user has unread messages, in the list of a user (our choice).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_unread: Option<bool>,
    /// The number of unread messages, in the list of a user (our choice).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_message_count: Option<u64>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// Shows no texts.
impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("id", &self.id)
            .field("custom", &self.custom)
            .field("last_message", &self.last_message)
            .field("participants", &self.participants)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}
