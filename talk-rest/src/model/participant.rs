//! Participants of conversations.

use serde::{Deserialize, Deserializer, Serialize};
use talk_proto::Timestamp;
use talk_proto::content::UnknownFields;
use talk_proto::model::Notify;

use crate::json::unknown;

/// The access of a participant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Access {
    /// Reading and sending.
    #[default]
    ReadWrite,
    /// Reading only.
    Read,
    /// Neither. The participant keeps a frozen view, and receives the missed messages on rejoining.
    None,
    /// A value unknown to this version, stored unchanged.
    #[serde(untagged)]
    Other(String),
}

impl From<&str> for Access {
    fn from(name: &str) -> Self {
        match name {
            "ReadWrite" => Self::ReadWrite,
            "Read" => Self::Read,
            "None" => Self::None,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Access {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        String::deserialize(json).map(|name| Self::from(&*name))
    }
}

/// The state of a user in a conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ConversationParticipant {
    /// The access.
    pub access: Option<Access>,
    /// The messages for which the user is notified.
    pub notify: Option<Notify>,
    /// Set if the user has unread messages. Absent in old answers.
    pub is_unread: Option<bool>,
    /// The time at which the user joined. Absent in old answers.
    pub joined_at: Option<Timestamp>,
    /// The time up to which the user has read the messages; `None` if nothing was read, and in old
    /// answers.
    pub read_until: Option<Timestamp>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}
