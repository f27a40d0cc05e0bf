//! The names of calls.

use super::Call;

impl Call {
    /// What kind of call it is, in one word: `send_message`, for logs and figures.
    ///
    /// ```
    /// use talk_proto::Call;
    ///
    /// let call = Call::MarkAsRead { conversation: "lobby".try_into()? };
    /// assert_eq!(call.kind(), "mark_as_read");
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GetUser { .. } => "get_user",
            Self::CreateUser { .. } => "create_user",
            Self::SetUser { .. } => "set_user",
            Self::GetConversation { .. } => "get_conversation",
            Self::CreateConversation { .. } => "create_conversation",
            Self::SetConversation { .. } => "set_conversation",
            Self::MarkAsRead { .. } => "mark_as_read",
            Self::MarkAsUnread { .. } => "mark_as_unread",
            Self::MarkAsTyping { .. } => "mark_as_typing",
            Self::SendMessage { .. } => "send_message",
            Self::GetParticipant { .. } => "get_participant",
            Self::CreateParticipant { .. } => "create_participant",
            Self::SetParticipant { .. } => "set_participant",
            Self::EditParticipant { .. } => "edit_participant",
            Self::DeleteParticipant { .. } => "delete_participant",
            Self::GetMessage { .. } => "get_message",
            Self::EditMessage { .. } => "edit_message",
            Self::DeleteMessage { .. } => "delete_message",
            Self::TranslateMessage { .. } => "translate_message",
            Self::AddReaction { .. } => "add_reaction",
            Self::RemoveReaction { .. } => "remove_reaction",
            Self::GetFirstReactions { .. } => "get_first_reactions",
        }
    }
}
