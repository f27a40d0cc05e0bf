//! The events that are sent to subscribers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::conversation::{Access, Notify, ParticipantView, SideView};
use super::message::{ContentJson, MessageView};
use super::patch::{CustomDiff, Diff};
use super::typing_users::{TypingDiff, TypingView};
use super::user::{Profile, ProfileDiff};

/// An event in a publish frame.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub(super) enum Event<'a> {
    #[serde(rename = "user.created")]
    UserCreated {
        user_id: &'a str,
        state: &'a Profile,
    },
    #[serde(rename = "user.edited")]
    UserEdited {
        user_id: &'a str,
        diff: &'a ProfileDiff,
    },
    #[serde(rename = "user.online.changed")]
    UserOnlineChanged { user_id: &'a str, diff: Online },
    #[serde(rename = "side.created")]
    SideCreated {
        conversation_id: &'a str,
        state: SideView<'a>,
    },
    #[serde(rename = "side.edited")]
    SideEdited {
        conversation_id: &'a str,
        diff: SideDiff,
    },
    #[serde(rename = "side.deleted")]
    SideDeleted { conversation_id: &'a str },
    #[serde(rename = "conversation.edited")]
    ConversationEdited {
        conversation_id: &'a str,
        diff: &'a ConversationDiff,
    },
    #[serde(rename = "participant.created")]
    ParticipantCreated {
        conversation_id: &'a str,
        user_id: &'a str,
        state: ParticipantView<'a>,
    },
    #[serde(rename = "participant.edited")]
    ParticipantEdited {
        conversation_id: &'a str,
        user_id: &'a str,
        diff: ParticipantDiff,
    },
    #[serde(rename = "participant.deleted")]
    ParticipantDeleted {
        conversation_id: &'a str,
        user_id: &'a str,
    },
    #[serde(rename = "message.created")]
    MessageCreated {
        conversation_id: &'a str,
        message_id: &'a str,
        state: MessageView<'a>,
    },
    #[serde(rename = "message.edited")]
    MessageEdited {
        conversation_id: &'a str,
        message_id: &'a str,
        diff: MessageDiff<'a>,
    },
    #[serde(rename = "message.deleted")]
    MessageDeleted {
        conversation_id: &'a str,
        message_id: &'a str,
        /// Present if the deleted message was the last one; null if no message is left.
        #[serde(skip_serializing_if = "Option::is_none")]
        new_last_message: Option<Option<MessageView<'a>>>,
    },
    #[serde(rename = "typing.available")]
    TypingAvailable {
        conversation_id: &'a str,
        state: TypingView,
    },
    #[serde(rename = "typing.changed")]
    TypingChanged {
        conversation_id: &'a str,
        diff: TypingDiff<'a>,
    },
    #[serde(rename = "reaction.added")]
    ReactionAdded {
        conversation_id: &'a str,
        message_id: &'a str,
        emoji: &'a str,
        user_id: &'a str,
        created_at: u64,
    },
    #[serde(rename = "reaction.removed")]
    ReactionRemoved {
        conversation_id: &'a str,
        message_id: &'a str,
        emoji: &'a str,
        user_id: &'a str,
    },
    #[serde(rename = "session.expired")]
    SessionExpired {},
    #[serde(rename = "upstream.restarting")]
    UpstreamRestarting {},
}

/// The online state of a user.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Online {
    pub(super) is_connected: bool,
}

/// The changes of a conversation, the same for all participants.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConversationDiff {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) photo_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) welcome_messages: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<CustomDiff>,
}

/// The changes of a conversation for one participant.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SideDiff {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_message_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unread_message_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_unread: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) read_until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) everyone_read_until: Option<u64>,
}

/// The changes of a participation.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct ParticipantDiff {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access: Option<Access>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) notify: Option<Notify>,
}

/// The changes of a message.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageDiff<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<&'a ContentJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<&'a CustomDiff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) edited_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reactions: Option<BTreeMap<&'a str, Option<ReactionDiff>>>,
}

/// The changes of the reactions with one emoji. Absent members are unchanged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReactionDiff {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<u64>,
    pub(super) count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_user_reacted: Option<bool>,
}

impl Diff for ConversationDiff {}
impl Diff for SideDiff {}
impl Diff for ParticipantDiff {}
