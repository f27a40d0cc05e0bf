//! Parameters of conversations.

use serde::Serialize;
use talk_proto::model::{CustomPatch, Patch, UserId};

use super::custom::params;

/// The members of a conversation to set.
///
/// ```
/// use talk_rest::{ConversationParams, UserId};
///
/// let users: [UserId; 2] = ["alice".try_into()?, "bob".try_into()?];
/// let params = ConversationParams::of(users).subject("Order 1").custom("orderId", "1");
/// # Ok::<(), talk_rest::EmptyId>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[must_use]
pub struct ConversationParams {
    /// The users to add. Existing participants stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<UserId>,
    /// The subject.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub subject: Patch<String>,
    /// The URL of the picture.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub photo_url: Patch<String>,
    /// The texts that are shown at the start. They are not messages.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub welcome_messages: Patch<Vec<String>>,
    /// The custom data. Other keys stay.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub custom: Patch<CustomPatch>,
}

params!(ConversationParams custom);

impl ConversationParams {
    /// Creates parameters with participants.
    pub fn of(participants: impl IntoIterator<Item = UserId>) -> Self {
        Self {
            participants: participants.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds a participant.
    pub fn participant(mut self, user: impl Into<UserId>) -> Self {
        self.participants.push(user.into());
        self
    }

    /// Sets the subject.
    pub fn subject(mut self, subject: impl Into<Patch<String>>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the URL of the picture.
    pub fn photo_url(mut self, url: impl Into<Patch<String>>) -> Self {
        self.photo_url = url.into();
        self
    }

    /// Sets the texts that are shown at the start.
    pub fn welcome_messages(mut self, texts: impl Into<Patch<Vec<String>>>) -> Self {
        self.welcome_messages = texts.into();
        self
    }
}
