//! The input of a filter.

use crate::model::{
    Access, ConversationDiff, ConversationSnapshot, Custom, CustomPatch, ParticipantDiff, Patch,
    ReadStateDiff,
};
use crate::timestamp::Timestamp;

/// The known attributes of a conversation. `None` means unknown.
///
/// Created from a [`ConversationSnapshot`], in which every attribute is known, or from a diff, in
/// which only the changed attributes are known.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct FilterSubject<'a> {
    /// The current user's access.
    pub access: Option<&'a Access>,
    /// The creation time.
    pub created_at: Option<Timestamp>,
    /// The custom data.
    pub custom: CustomValues<'a>,
    /// Set if the conversation contains messages.
    pub has_messages: Option<bool>,
    /// Set if the conversation counts as unread.
    pub is_unread: Option<bool>,
    /// The time at which the current user joined.
    pub joined_at: Option<Timestamp>,
    /// The time of the last message, or the time at which the current user joined.
    pub last_activity_at: Option<Timestamp>,
    /// The title; `Some(None)` if there is none.
    pub subject: Option<Option<&'a str>>,
}

/// The known part of the custom data.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum CustomValues<'a> {
    /// Nothing is known.
    #[default]
    Unknown,
    /// The custom data is empty.
    Empty,
    /// The whole custom data is known.
    All(&'a Custom),
    /// Only the values of some keys are known.
    Some(&'a CustomPatch),
}

impl<'a> CustomValues<'a> {
    /// Returns the value of `key`: `None` if it is unknown, `Some(None)` if the key is absent.
    ///
    /// ```
    /// use talk_proto::{filter::CustomValues, model::Custom};
    ///
    /// let custom = Custom::from_iter([("team", "blue")]);
    /// assert_eq!(CustomValues::All(&custom).get("team"), Some(Some("blue")));
    /// assert_eq!(CustomValues::All(&custom).get("floor"), Some(None));
    /// assert_eq!(CustomValues::Unknown.get("team"), None);
    /// ```
    pub fn get(self, key: &str) -> Option<Option<&'a str>> {
        match self {
            Self::Unknown => None,
            Self::Empty => Some(None),
            Self::All(custom) => Some(custom.get(key)),
            Self::Some(keys) => keys.get(key).map(Option::as_deref),
        }
    }
}

impl<'a> From<&'a ConversationSnapshot> for FilterSubject<'a> {
    fn from(side: &'a ConversationSnapshot) -> Self {
        Self {
            access: Some(&side.access),
            created_at: Some(side.created_at),
            custom: CustomValues::All(&side.custom),
            has_messages: Some(side.last_message_at != side.joined_at),
            is_unread: Some(side.is_unread),
            joined_at: Some(side.joined_at),
            last_activity_at: Some(side.last_message_at),
            subject: Some(side.subject.as_deref()),
        }
    }
}

impl From<&ReadStateDiff> for FilterSubject<'_> {
    fn from(diff: &ReadStateDiff) -> Self {
        Self {
            is_unread: diff.is_unread,
            last_activity_at: diff.last_message_at,
            ..Self::default()
        }
    }
}

impl<'a> From<&'a ConversationDiff> for FilterSubject<'a> {
    fn from(diff: &'a ConversationDiff) -> Self {
        Self {
            custom: match &diff.custom {
                Patch::Keep => CustomValues::Unknown,
                Patch::Reset => CustomValues::Empty,
                Patch::Set(keys) => CustomValues::Some(keys),
            },
            subject: match &diff.subject {
                Patch::Keep => None,
                Patch::Reset => Some(None),
                Patch::Set(subject) => Some(Some(subject)),
            },
            ..Self::default()
        }
    }
}

impl<'a> From<&'a ParticipantDiff> for FilterSubject<'a> {
    fn from(diff: &'a ParticipantDiff) -> Self {
        static DEFAULT: Access = Access::ReadWrite;

        let access = match &diff.access {
            Patch::Keep => None,
            Patch::Reset => Some(&DEFAULT),
            Patch::Set(access) => Some(access),
        };
        Self {
            access,
            ..Self::default()
        }
    }
}
