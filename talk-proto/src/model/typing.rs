//! Typing indicators and online status.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::id::UserId;
use super::patch::diff;
use super::user::User;
use crate::timestamp::Timestamp;

/// The typing users of a conversation in the shape of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Typing {
    /// Set if there are too many typing users to list.
    pub(crate) many: bool,
    /// The typing users with the time at which each started; absent if there are too many.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub(crate) users_typing: Option<BTreeMap<UserId, Timestamp>>,
}

diff! {
    /// The changes of the typing users.
    TypingDiff {
        many: Option<bool>,
        /// Users that started typing, or stopped (`None`). With `many: false` it lists all typing
        /// users.
        users_typing: Option<BTreeMap<UserId, Option<Timestamp>>>,
    }
}

/// The users typing in a conversation, without the current user.
///
/// Serialises as `{"many": false, "users": […]}` or `{"many": true}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TypingJson", into = "TypingJson")]
#[non_exhaustive]
pub enum TypingSnapshot {
    /// Up to five users, in the order in which they started.
    Few(Vec<Arc<User>>),
    /// More than five users. They are not listed.
    Many,
}

#[derive(Serialize, Deserialize)]
struct TypingJson {
    many: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<Arc<User>>>,
}

impl From<TypingSnapshot> for TypingJson {
    fn from(snapshot: TypingSnapshot) -> Self {
        match snapshot {
            TypingSnapshot::Few(users) => Self {
                many: false,
                users: Some(users),
            },
            TypingSnapshot::Many => Self {
                many: true,
                users: None,
            },
        }
    }
}

impl From<TypingJson> for TypingSnapshot {
    fn from(json: TypingJson) -> Self {
        match json.many {
            true => Self::Many,
            false => Self::Few(json.users.unwrap_or_default()),
        }
    }
}

/// The online status of a user in the shape of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Online {
    pub(crate) is_connected: bool,
}

/// The online status of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OnlineSnapshot {
    /// The user in their current state.
    pub user: Arc<User>,
    /// Set if the user has an open connection.
    pub is_connected: bool,
}
