//! Conversations, as the current user sees them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::participant::apply_or_default;
use super::{
    Access, ConversationId, Custom, CustomPatch, MessageSnapshot, Notify, ParticipantDiff, Patch,
};
use crate::timestamp::Timestamp;

/// A conversation as the server tells it to one participant.
///
/// It has no last message: who shows one fetches it beside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Side {
    /// The conversation's ID.
    pub id: ConversationId,
    /// The title.
    #[serde(default)]
    pub subject: Option<String>,
    /// The address of the picture.
    #[serde(default)]
    pub photo_url: Option<String>,
    /// Shown at the start of the conversation; they are no messages.
    #[serde(default)]
    pub welcome_messages: Vec<String>,
    /// The application's own data.
    #[serde(default)]
    pub custom: Custom,
    /// When the conversation was created.
    #[serde(default)]
    pub created_at: Timestamp,
    /// When the current user joined.
    #[serde(default)]
    pub joined_at: Timestamp,
    /// The last message's time, or `joined_at` while there is none.
    #[serde(default)]
    pub last_message_at: Timestamp,
    /// How many messages are unread.
    #[serde(default)]
    pub unread_message_count: u64,
    /// Whether there are unread messages, or the conversation was marked as unread.
    #[serde(default)]
    pub is_unread: bool,
    /// Messages after this moment are unread.
    #[serde(default)]
    pub read_until: Timestamp,
    /// The earliest `read_until` of all participants.
    #[serde(default)]
    pub everyone_read_until: Timestamp,
    /// What the current user may do here.
    #[serde(default)]
    pub access: Access,
    /// When the current user is notified.
    #[serde(default)]
    pub notify: Notify,
}

impl Side {
    /// A conversation without attributes or messages that was joined at `joined_at`.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, Side};
    /// let side = Side::new("lobby".try_into()?, Timestamp::from_millis(1), Timestamp::from_millis(2));
    /// assert_eq!((side.last_message_at, side.is_unread), (Timestamp::from_millis(2), false));
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn new(id: ConversationId, created_at: Timestamp, joined_at: Timestamp) -> Self {
        Self {
            id,
            subject: None,
            photo_url: None,
            welcome_messages: Vec::new(),
            custom: Custom::default(),
            created_at,
            joined_at,
            last_message_at: joined_at,
            unread_message_count: 0,
            is_unread: false,
            read_until: joined_at,
            everyone_read_until: joined_at,
            access: Access::default(),
            notify: Notify::default(),
        }
    }

    /// Changes what a `side.edited` event names.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, Side};
    /// let mut side = Side::new("lobby".try_into()?, Timestamp::from_millis(1), Timestamp::from_millis(2));
    /// side.apply_side(serde_json::from_str(r#"{"isUnread": true}"#)?);
    /// assert!(side.is_unread);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply_side(&mut self, diff: SideDiff) {
        let SideDiff {
            last_message_at,
            unread_message_count,
            is_unread,
            read_until,
            everyone_read_until,
        } = diff;
        self.last_message_at = last_message_at.unwrap_or(self.last_message_at);
        self.unread_message_count = unread_message_count.unwrap_or(self.unread_message_count);
        self.is_unread = is_unread.unwrap_or(self.is_unread);
        self.read_until = read_until.unwrap_or(self.read_until);
        self.everyone_read_until = everyone_read_until.unwrap_or(self.everyone_read_until);
    }

    /// Changes what a `conversation.edited` event names.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, Side};
    /// let mut side = Side::new("lobby".try_into()?, Timestamp::from_millis(1), Timestamp::from_millis(2));
    /// side.apply_conversation(serde_json::from_str(r#"{"subject": "Tea"}"#)?);
    /// assert_eq!(side.subject.as_deref(), Some("Tea"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply_conversation(&mut self, diff: ConversationDiff) {
        diff.subject.apply_to(&mut self.subject);
        diff.photo_url.apply_to(&mut self.photo_url);
        apply_or_default(diff.welcome_messages, &mut self.welcome_messages);
        self.custom.apply(diff.custom);
    }

    /// Changes what a `participant.edited` event about the current user names.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, Side};
    /// let mut side = Side::new("lobby".try_into()?, Timestamp::from_millis(1), Timestamp::from_millis(2));
    /// side.apply_participant(serde_json::from_str(r#"{"access": "Read"}"#)?);
    /// assert_eq!(side.access, talk_proto::Access::Read);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply_participant(&mut self, diff: ParticipantDiff) {
        apply_or_default(diff.access, &mut self.access);
        apply_or_default(diff.notify, &mut self.notify);
    }
}

/// What changed in the current user's view of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SideDiff {
    /// The last message's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Timestamp>,
    /// How many messages are unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_message_count: Option<u64>,
    /// Whether it counts as unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_unread: Option<bool>,
    /// How far the current user has read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_until: Option<Timestamp>,
    /// How far everybody has read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub everyone_read_until: Option<Timestamp>,
}

/// What changed of a conversation's own attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ConversationDiff {
    /// The title.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub subject: Patch<String>,
    /// The address of the picture.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub photo_url: Patch<String>,
    /// The welcome messages.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub welcome_messages: Patch<Vec<String>>,
    /// The keys of the custom data that changed.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub custom: Patch<CustomPatch>,
}

/// What to set of a conversation; everything is left alone unless given.
///
/// `access` and `notify` are those of the current user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ConversationParams {
    /// The title.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub subject: Patch<String>,
    /// The address of the picture.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub photo_url: Patch<String>,
    /// The welcome messages.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub welcome_messages: Patch<Vec<String>>,
    /// Custom data, key by key.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub custom: Patch<CustomPatch>,
    /// What the current user may do.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub access: Patch<Access>,
    /// When the current user is notified.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub notify: Patch<Notify>,
}

impl ConversationParams {
    /// Sets the title.
    ///
    /// ```
    /// use talk_proto::ConversationParams;
    ///
    /// let named = ConversationParams::default().subject("Holidays");
    /// let unnamed = ConversationParams::default().subject(None);
    /// ```
    #[must_use]
    pub fn subject(mut self, subject: impl Into<Patch<String>>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the address of the picture.
    ///
    /// ```
    /// use talk_proto::ConversationParams;
    ///
    /// let params = ConversationParams::default().photo_url("https://example.com/beach.jpg");
    /// ```
    #[must_use]
    pub fn photo_url(mut self, url: impl Into<Patch<String>>) -> Self {
        self.photo_url = url.into();
        self
    }

    /// Sets the welcome messages.
    ///
    /// ```
    /// use talk_proto::ConversationParams;
    ///
    /// let params = ConversationParams::default().welcome_messages(["Welcome!".to_owned()]);
    /// ```
    #[must_use]
    pub fn welcome_messages(mut self, messages: impl IntoIterator<Item = String>) -> Self {
        self.welcome_messages = Patch::Set(messages.into_iter().collect());
        self
    }

    /// Sets one key of the custom data.
    ///
    /// ```
    /// let params = talk_proto::ConversationParams::default().custom("topic", "travel");
    /// ```
    #[must_use]
    pub fn custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.custom.set_key(key.into(), value.into());
        self
    }

    /// Sets when the current user is notified.
    ///
    /// ```
    /// use talk_proto::{ConversationParams, Notify};
    ///
    /// let quiet = ConversationParams::default().notify(Notify::MentionsOnly);
    /// ```
    #[must_use]
    pub fn notify(mut self, notify: Notify) -> Self {
        self.notify = Patch::Set(notify);
        self
    }

    /// Sets what the current user may do.
    ///
    /// ```
    /// use talk_proto::{Access, ConversationParams};
    ///
    /// let params = ConversationParams::default().access(Access::Read);
    /// ```
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = Patch::Set(access);
        self
    }

    /// Whether an attribute of the conversation itself is given. Custom data without keys is
    /// not.
    pub(crate) fn has_conversation_attributes(&self) -> bool {
        let custom_keeps = match &self.custom {
            Patch::Keep => true,
            Patch::Reset => false,
            Patch::Set(keys) => keys.is_empty(),
        };
        !(self.subject.is_keep()
            && self.photo_url.is_keep()
            && self.welcome_messages.is_keep()
            && custom_keeps)
    }

    /// Whether `access` or `notify` is given.
    pub(crate) fn has_participant_attributes(&self) -> bool {
        !(self.access.is_keep() && self.notify.is_keep())
    }
}

/// A conversation as a subscription shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConversationSnapshot {
    /// The attributes and the current user's view.
    #[serde(flatten)]
    pub side: Arc<Side>,
    /// The last message, `None` while there is none.
    pub last_message: Option<Arc<MessageSnapshot>>,
}

impl std::ops::Deref for ConversationSnapshot {
    type Target = Side;

    fn deref(&self) -> &Side {
        &self.side
    }
}
