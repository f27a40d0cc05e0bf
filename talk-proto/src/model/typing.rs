//! Who is typing, and who is online.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{User, UserId};
use crate::timestamp::Timestamp;

/// Who types in a conversation, as the server answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Typing {
    /// Whether more users type than are listed.
    pub many: bool,
    /// Who types, and since when; absent when many do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_typing: Option<BTreeMap<UserId, Timestamp>>,
}

/// What changed of who is typing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TypingDiff {
    /// Whether more users type than are listed, when that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub many: Option<bool>,
    /// Who started, and who stopped (`None`). With `many: false`, all who type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_typing: Option<BTreeMap<UserId, Option<Timestamp>>>,
}

/// Who is typing as a subscription shows it. The current user is never among them.
///
/// Serialises as `{"many": false, "users": […]}` or `{"many": true}`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypingSnapshot {
    /// Five users or fewer, the one who has typed longest first.
    Few(Vec<Arc<User>>),
    /// More than five; who they are is not told.
    Many,
}

impl Serialize for TypingSnapshot {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Few(users) => {
                map.serialize_entry("many", &false)?;
                map.serialize_entry("users", users)?;
            }
            Self::Many => map.serialize_entry("many", &true)?,
        }
        map.end()
    }
}

/// Whether a user is online, as the server tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Online {
    /// Whether the user has an open connection.
    pub is_connected: bool,
}

impl Online {
    /// Online or not.
    ///
    /// ```
    /// assert!(talk_proto::Online::new(true).is_connected);
    /// ```
    pub fn new(is_connected: bool) -> Self {
        Self { is_connected }
    }
}

/// Whether a user is online as a subscription shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OnlineSnapshot {
    /// The user, as they are now.
    pub user: Arc<User>,
    /// Whether the user has an open connection.
    pub is_connected: bool,
}
