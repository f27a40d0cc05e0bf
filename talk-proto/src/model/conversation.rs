//! Conversations as the current user sees them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::custom::Custom;
use super::id::ConversationId;
use super::message::MessageSnapshot;
use super::participant::{Access, Notify, ParticipantDiff};
use super::patch::{CustomPatch, Patch, diff, params};
use crate::json;
use crate::timestamp::Timestamp;

/// A conversation as the current user sees it.
/// Serialises in the shape of the documented API. Deserialises from the shape of the server,
/// without the last message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConversationSnapshot {
    /// The conversation's ID.
    pub id: ConversationId,
    /// The title.
    #[serde(default)]
    pub subject: Option<Arc<str>>,
    /// The URL of the picture.
    #[serde(default)]
    pub photo_url: Option<Arc<str>>,
    /// Texts shown at the start of the conversation, which are not messages.
    #[serde(default, deserialize_with = "json::list")]
    pub welcome_messages: Arc<[String]>,
    /// The custom data.
    #[serde(default)]
    pub custom: Custom,
    /// The creation time.
    #[serde(default)]
    pub created_at: Timestamp,
    /// The time at which the current user joined.
    #[serde(default)]
    pub joined_at: Timestamp,
    /// The time of the last message, or `joined_at` if there is none.
    #[serde(default)]
    pub last_message_at: Timestamp,
    /// The number of unread messages.
    #[serde(default, deserialize_with = "json::count")]
    pub unread_message_count: u64,
    /// Set if there are unread messages, or the conversation was marked as unread.
    #[serde(default)]
    pub is_unread: bool,
    /// The time after which messages are unread.
    #[serde(default)]
    pub read_until: Timestamp,
    /// The earliest `read_until` of all participants.
    #[serde(default)]
    pub everyone_read_until: Timestamp,
    /// The current user's permissions.
    #[serde(default)]
    pub access: Access,
    /// The current user's notification setting.
    #[serde(default)]
    pub notify: Notify,
    /// The last message; `None` if there is none.
    #[serde(default)]
    pub last_message: Option<Arc<MessageSnapshot>>,
}

impl ConversationSnapshot {
    /// Creates a conversation without attributes or messages.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, model::ConversationSnapshot};
    /// let (created, joined) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
    /// let lobby = ConversationSnapshot::new("lobby".try_into()?, created, joined);
    /// assert_eq!((lobby.last_message_at, lobby.is_unread), (joined, false));
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn new(id: ConversationId, created_at: Timestamp, joined_at: Timestamp) -> Self {
        Self {
            id,
            subject: None,
            photo_url: None,
            welcome_messages: Arc::default(),
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
            last_message: None,
        }
    }

    pub(crate) fn apply_read_state(&mut self, diff: &ReadStateDiff) {
        self.last_message_at = diff.last_message_at.unwrap_or(self.last_message_at);
        let unread = diff.unread_message_count;
        self.unread_message_count = unread.unwrap_or(self.unread_message_count);
        self.is_unread = diff.is_unread.unwrap_or(self.is_unread);
        self.read_until = diff.read_until.unwrap_or(self.read_until);
        let everyone = diff.everyone_read_until;
        self.everyone_read_until = everyone.unwrap_or(self.everyone_read_until);
    }

    pub(crate) fn apply(&mut self, diff: ConversationDiff) {
        diff.subject.apply_to(&mut self.subject);
        diff.photo_url.apply_to(&mut self.photo_url);
        diff.welcome_messages
            .apply_or_default(&mut self.welcome_messages);
        self.custom.apply(diff.custom);
    }

    pub(crate) fn apply_participant(&mut self, diff: ParticipantDiff) {
        diff.access.apply_or_default(&mut self.access);
        diff.notify.apply_or_default(&mut self.notify);
    }
}

diff! {
    /// The changes of the current user's read state, as a `side.edited` event carries them.
    ReadStateDiff {
        last_message_at: Option<Timestamp>,
        unread_message_count: Option<u64>,
        is_unread: Option<bool>,
        read_until: Option<Timestamp>,
        everyone_read_until: Option<Timestamp>,
    }
}

diff! {
    /// The changes of a conversation's own attributes.
    ConversationDiff {
        subject: Patch<Arc<str>>,
        photo_url: Patch<Arc<str>>,
        welcome_messages: Patch<Arc<[String]>>,
        custom: Patch<CustomPatch>,
    }
}

params! {
    /// The attributes of a conversation to set; absent ones are not changed.
    ///
    /// ```
    /// use talk_proto::model::{ConversationParams, Notify};
    ///
    /// let params = ConversationParams::default()
    ///     .subject("Holidays")
    ///     .photo_url(None)
    ///     .custom("topic", "travel")
    ///     .notify(Notify::MentionsOnly);
    /// ```
    #[derive(Debug)]
    pub struct ConversationParams {
        /// The title.
        subject: String,
        /// The URL of the picture.
        photo_url: String,
        /// The welcome messages.
        welcome_messages: Vec<String>,
        /// The current user's permissions.
        access: Access,
        /// The current user's notification setting.
        notify: Notify,
    }
    custom
}

impl ConversationParams {
    /// Returns `true` if an attribute of the conversation itself is set. Custom data without keys
    /// does not count.
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

    /// Returns `true` if `access` or `notify` is set.
    pub(crate) fn has_participant_attributes(&self) -> bool {
        !(self.access.is_keep() && self.notify.is_keep())
    }
}
