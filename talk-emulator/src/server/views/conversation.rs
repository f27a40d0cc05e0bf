use std::collections::BTreeMap;

use serde::Serialize;

use super::message::MessageView;
use crate::server::conversation::{Access, Conversation, Notify, Participation};
use crate::server::patch::Custom;

/// A conversation with its participants and its last message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct ConversationView<'a> {
    id: &'a str,
    subject: Option<&'a str>,
    /// Always null (our choice).
    topic_id: Option<&'a str>,
    photo_url: Option<&'a str>,
    welcome_messages: Option<&'a [String]>,
    custom: &'a Custom,
    last_message: Option<MessageView<'a>>,
    /// Users without access are left out (our choice).
    participants: BTreeMap<&'a str, ParticipantView>,
    created_at: u64,
    /// 0 without participants (our choice).
    everyone_read_until: u64,
}

/// A conversation in the list of a user. The members of the user are our choice.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct UserConversationView<'a> {
    #[serde(flatten)]
    conversation: ConversationView<'a>,
    #[serde(flatten)]
    participant: ParticipantView,
    unread_message_count: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ParticipantView {
    access: AccessView,
    notify: Notify,
    is_unread: bool,
    joined_at: u64,
    read_until: u64,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum AccessView {
    Access(Access),
    None(&'static str),
}

impl<'a> ConversationView<'a> {
    pub(in crate::server) fn new(id: &'a str, conversation: &'a Conversation) -> Self {
        let participants = conversation.participants.iter();
        let last = conversation.messages.last();
        Self {
            id,
            subject: conversation.subject.as_deref(),
            topic_id: None,
            photo_url: conversation.photo_url.as_deref(),
            welcome_messages: match conversation.welcome_messages.as_slice() {
                [] => None,
                messages => Some(messages),
            },
            custom: &conversation.custom,
            last_message: last.map(|last| MessageView::new(id, conversation, last)),
            participants: participants
                .map(|(user, it)| (user.as_str(), ParticipantView::new(it, true)))
                .collect(),
            created_at: conversation.created_at,
            everyone_read_until: conversation.everyone_read_until().unwrap_or(0),
        }
    }
}

impl<'a> UserConversationView<'a> {
    pub(in crate::server) fn new(
        id: &'a str,
        conversation: &'a Conversation,
        user: &str,
        participation: &Participation,
    ) -> Self {
        let has_access = conversation.participants.contains_key(user);
        Self {
            conversation: ConversationView::new(id, conversation),
            participant: ParticipantView::new(participation, has_access),
            unread_message_count: participation.unread,
        }
    }
}

impl ParticipantView {
    fn new(participation: &Participation, has_access: bool) -> Self {
        Self {
            access: if has_access {
                AccessView::Access(participation.access)
            } else {
                AccessView::None("None")
            },
            notify: participation.notify,
            is_unread: participation.unread > 0 || participation.marked_unread,
            joined_at: participation.joined_at,
            read_until: participation.read_until,
        }
    }
}
