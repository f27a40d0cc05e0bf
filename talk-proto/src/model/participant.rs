//! Participants: a user in a conversation, and what they may do there.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{Patch, UnknownName, User, UserId};
use crate::json::deserialize_name;
use crate::timestamp::Timestamp;

/// What a participant may do in a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Access {
    /// Read only.
    Read,
    /// Read and send. The default.
    #[default]
    ReadWrite,
    /// A value that this version does not know, kept as it came.
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

/// When a participant is notified of new messages.
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
    /// A value that this version does not know, kept as it came.
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

/// A participant as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Participant {
    /// The user's ID.
    pub id: UserId,
    /// What they may do.
    #[serde(default)]
    pub access: Access,
    /// When they are notified.
    #[serde(default)]
    pub notify: Notify,
    /// When they joined.
    pub joined_at: Timestamp,
}

impl Participant {
    /// A participant with the default access and notifications.
    ///
    /// ```
    /// # use talk_proto::{Access, Timestamp, Participant};
    /// let participant = Participant::new("bob".try_into()?, Timestamp::from_millis(1));
    /// assert_eq!(participant.access, Access::ReadWrite);
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn new(id: UserId, joined_at: Timestamp) -> Self {
        Self {
            id,
            access: Access::default(),
            notify: Notify::default(),
            joined_at,
        }
    }

    /// Changes what `diff` names.
    ///
    /// ```
    /// # use talk_proto::{Access, Timestamp, Participant};
    /// let mut participant = Participant::new("bob".try_into()?, Timestamp::from_millis(1));
    /// participant.apply(serde_json::from_str(r#"{"access": "Read"}"#)?);
    /// assert_eq!(participant.access, Access::Read);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&mut self, diff: ParticipantDiff) {
        apply_or_default(diff.access, &mut self.access);
        apply_or_default(diff.notify, &mut self.notify);
    }
}

pub(crate) fn apply_or_default<T: Default>(patch: Patch<T>, target: &mut T) {
    match patch {
        Patch::Keep => {}
        Patch::Reset => *target = T::default(),
        Patch::Set(value) => *target = value,
    }
}

/// What changed of a participant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ParticipantDiff {
    /// What they may do.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub access: Patch<Access>,
    /// When they are notified.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub notify: Patch<Notify>,
}

/// What to set of a participant; everything is left alone unless given.
///
/// Someone who joins by it gets [`Access::ReadWrite`] and [`Notify::Always`] unless given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ParticipantParams {
    /// What they may do.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub access: Patch<Access>,
    /// When they are notified.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub notify: Patch<Notify>,
}

impl ParticipantParams {
    /// Sets what they may do.
    ///
    /// ```
    /// use talk_proto::{Access, ParticipantParams};
    ///
    /// let reader = ParticipantParams::default().access(Access::Read);
    /// ```
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = Patch::Set(access);
        self
    }

    /// Sets when they are notified.
    ///
    /// ```
    /// use talk_proto::{Notify, ParticipantParams};
    ///
    /// let quiet = ParticipantParams::default().notify(Notify::Never);
    /// ```
    #[must_use]
    pub fn notify(mut self, notify: Notify) -> Self {
        self.notify = Patch::Set(notify);
        self
    }
}

/// A participant as a subscription shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ParticipantSnapshot {
    /// The user, as they are now.
    pub user: Arc<User>,
    /// What they may do.
    pub access: Access,
    /// When they are notified.
    pub notify: Notify,
    /// When they joined.
    pub joined_at: Timestamp,
}
