//! Parameters of participants.

use serde::{Serialize, Serializer};
use talk_proto::Timestamp;
use talk_proto::model::Notify;

use crate::model::Access;

/// The settings of a participant. Absent members have their defaults: `ReadWrite`, and
/// notifications for all messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct ParticipantParams {
    /// The access: `ReadWrite` or `Read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// The messages for which the user is notified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
}

impl ParticipantParams {
    /// Sets the access.
    pub fn access(mut self, access: Access) -> Self {
        self.access = Some(access);
        self
    }

    /// Sets the messages for which the user is notified.
    pub fn notify(mut self, notify: Notify) -> Self {
        self.notify = Some(notify);
        self
    }
}

/// Changes of a participant. Absent members are not changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[must_use]
pub struct ParticipantPatch {
    /// The access. `None` freezes the user's view of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// The messages for which the user is notified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// The time up to which the user has read the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_until: Option<Timestamp>,
}

impl ParticipantPatch {
    /// Changes the access.
    pub fn access(mut self, access: Access) -> Self {
        self.access = Some(access);
        self
    }

    /// Changes the messages for which the user is notified.
    pub fn notify(mut self, notify: Notify) -> Self {
        self.notify = Some(notify);
        self
    }

    /// Changes the time up to which the user has read the messages, also to an earlier time.
    pub fn read_until(mut self, time: Timestamp) -> Self {
        self.read_until = Some(time);
        self
    }
}

/// The position up to which a user has read a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadUntil {
    /// All messages.
    All,
    /// The messages up to a time.
    Time(Timestamp),
}

impl From<Timestamp> for ReadUntil {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl Serialize for ReadUntil {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("sent"),
            Self::Time(time) => time.serialize(serializer),
        }
    }
}
