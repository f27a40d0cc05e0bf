//! Presences.

use http::Method;
use serde::Serialize;
use talk_proto::model::{ConversationId, UserId};

use crate::call::{Call, Payload, from_json, to_json};
use crate::model::Presences;
use crate::path::path;

/// Returns the request for the users that are online.
///
/// ```
/// use talk_rest::presences;
///
/// let call = presences().users(["alice".try_into()?]).has_focus(true).call();
/// # Ok::<(), talk_rest::EmptyId>(())
/// ```
pub fn presences() -> PresenceQuery {
    PresenceQuery::default()
}

/// A request for the users that are online. Each method restricts the answer, except
/// [`include_background_sessions`](Self::include_background_sessions).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct PresenceQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_ids: Option<Vec<UserId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_background_sessions: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected_conversation_id: Option<Option<ConversationId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_focus: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_typing: Option<bool>,
}

impl PresenceQuery {
    /// Restricts the answer to these users.
    pub fn users(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.user_ids = Some(users.into_iter().collect());
        self
    }

    /// Includes users that have no visible widget.
    pub fn include_background_sessions(mut self) -> Self {
        self.include_background_sessions = Some(true);
        self
    }

    /// Restricts the answer to widgets with this conversation, or without one.
    pub fn selected_conversation(mut self, conversation: Option<ConversationId>) -> Self {
        self.selected_conversation_id = Some(conversation);
        self
    }

    /// Restricts the answer to widgets with or without the focus.
    pub fn has_focus(mut self, has_focus: bool) -> Self {
        self.has_focus = Some(has_focus);
        self
    }

    /// Restricts the answer to widgets whose user types, or does not.
    pub fn is_typing(mut self, is_typing: bool) -> Self {
        self.is_typing = Some(is_typing);
        self
    }

    /// Returns the call.
    pub fn call(self) -> Call<Presences> {
        let payload = Payload::Json(to_json(&self));
        Call::new(Method::POST, path(&["presences"]), payload, from_json)
    }
}
