//! Participants of conversations.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::id::UserId;
use super::patch::{Patch, diff, params};
use super::unknown_name::UnknownName;
use super::user::User;
use crate::json::deserialize_name;
use crate::timestamp::Timestamp;

/// The permissions of a participant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Access {
    /// The participant can read.
    Read,
    /// The participant can read and send. The default.
    #[default]
    ReadWrite,
    /// A value unknown to this version, stored unchanged.
    #[serde(untagged)]
    Other(UnknownName),
}

deserialize_name! {
    Access {
        "Read" => Read,
        "ReadWrite" => ReadWrite,
    }
    Other(UnknownName)
}

/// The condition under which a participant is notified of new messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notify {
    /// Never (`false`).
    Never,
    /// For every message (`true`). The default.
    #[default]
    Always,
    /// Only when mentioned (`"MentionsOnly"`).
    MentionsOnly,
    /// A value unknown to this version, stored unchanged.
    Other(UnknownName),
}

impl Serialize for Notify {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_bool(false),
            Self::Always => serializer.serialize_bool(true),
            Self::MentionsOnly => serializer.serialize_str("MentionsOnly"),
            Self::Other(name) => name.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Notify {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NotifyVisitor;

        impl Visitor<'_> for NotifyVisitor {
            type Value = Notify;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean or \"MentionsOnly\"")
            }

            fn visit_bool<E>(self, always: bool) -> Result<Notify, E> {
                Ok(if always {
                    Notify::Always
                } else {
                    Notify::Never
                })
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Notify, E> {
                match text {
                    "MentionsOnly" => Ok(Notify::MentionsOnly),
                    "" => Err(E::custom("an empty notify setting")),
                    other => Ok(Notify::Other(other.into())),
                }
            }
        }

        deserializer
            .deserialize_any(NotifyVisitor)
            .map_err(D::Error::custom)
    }
}

/// A participant in the shape of the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Participant {
    pub(crate) id: UserId,
    #[serde(default)]
    pub(crate) access: Access,
    #[serde(default)]
    pub(crate) notify: Notify,
    pub(crate) joined_at: Timestamp,
}

impl Participant {
    pub(crate) fn apply(&mut self, diff: ParticipantDiff) {
        diff.access.apply_or_default(&mut self.access);
        diff.notify.apply_or_default(&mut self.notify);
    }
}

diff! {
    /// The changes of a participant.
    ParticipantDiff {
        access: Patch<Access>,
        notify: Patch<Notify>,
    }
}

params! {
    /// The attributes of a participant to set; absent ones are not changed.
    ///
    /// A new participant gets [`Access::ReadWrite`] and [`Notify::Always`] by default.
    ///
    /// ```
    /// use talk_proto::model::{Access, ParticipantParams};
    ///
    /// let reader = ParticipantParams::default().access(Access::Read);
    /// ```
    #[derive(Debug)]
    pub struct ParticipantParams {
        /// The permissions.
        access: Access,
        /// The notification setting.
        notify: Notify,
    }
}

/// A participant of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ParticipantSnapshot {
    /// The user in their current state.
    pub user: Arc<User>,
    /// The permissions.
    pub access: Access,
    /// The notification setting.
    pub notify: Notify,
    /// The time at which the user joined.
    pub joined_at: Timestamp,
}
