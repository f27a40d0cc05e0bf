//! Users that are online.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use talk_proto::content::UnknownFields;
use talk_proto::model::{ConversationId, Custom, UserId};

use crate::json::{map, null_default, unknown};

/// The online users that match a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Presences {
    /// The users. Offline users are absent.
    #[serde(default, deserialize_with = "map")]
    pub data: BTreeMap<UserId, Presence>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// The presence of a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Presence {
    /// The status, such as `online` (our choice).
    pub status: Option<String>,
    /// The connections without a visible widget. The service does not document their members.
    #[serde(deserialize_with = "null_default")]
    pub background_sessions: Vec<Value>,
    /// The visible widgets.
    #[serde(deserialize_with = "null_default")]
    pub widgets: Vec<Widget>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// A visible widget of a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Widget {
    /// The ID of the connection.
    pub session_id: Option<String>,
    /// The conversation that is open.
    pub selected_conversation_id: Option<ConversationId>,
    /// Set if the widget has the focus.
    #[serde(deserialize_with = "null_default")]
    pub has_focus: bool,
    /// Set while the user types.
    #[serde(deserialize_with = "null_default")]
    pub is_typing: bool,
    /// The custom data.
    #[serde(deserialize_with = "null_default")]
    pub custom: Custom,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}
