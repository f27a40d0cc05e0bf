//! Users.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use talk_proto::Timestamp;
use talk_proto::content::UnknownFields;
use talk_proto::model::{ConversationId, Custom, UserId};

use crate::json::{map, null_default, unknown};

/// A user.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The user's ID.
    pub id: UserId,
    /// The display name.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// The email addresses.
    #[serde(default, deserialize_with = "null_default")]
    pub email: Vec<String>,
    /// The phone numbers.
    #[serde(default, deserialize_with = "null_default")]
    pub phone: Vec<String>,
    /// The URL of the profile picture.
    #[serde(default)]
    pub photo_url: Option<String>,
    /// The text that starts conversations with this user.
    #[serde(default)]
    pub welcome_message: Option<String>,
    /// The text about the user's availability.
    #[serde(default)]
    pub availability_text: Option<String>,
    /// The role that grants permissions.
    #[serde(default)]
    pub role: Option<String>,
    /// The locale.
    #[serde(default)]
    pub locale: Option<String>,
    /// The custom data.
    #[serde(default, deserialize_with = "null_default")]
    pub custom: Custom,
    /// The devices that receive push notifications, such as `fcm:TOKEN`.
    #[serde(default, deserialize_with = "map")]
    pub push_tokens: BTreeMap<String, Value>,
    /// The time of creation.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// Shows neither contact data nor push tokens.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("role", &self.role)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// A connection of a user, in the form of an old endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UserSession {
    /// Set while the user types.
    #[serde(default, deserialize_with = "null_default")]
    pub is_typing: bool,
    /// The conversation that is open.
    #[serde(default)]
    pub current_conversation_id: Option<ConversationId>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}
