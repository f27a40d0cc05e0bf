use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The type of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
#[non_exhaustive]
pub enum WebhookKind {
    /// A user was created.
    UserCreated,
    /// A user was changed.
    UserUpdated,
    /// A message was sent.
    MessageSent,
    /// A participant has read a message of another user.
    MessageRead,
    /// The content or the custom data of a message was changed.
    MessageUpdated,
    /// A message was deleted.
    MessageDeleted,
    /// A back end deleted a conversation.
    ConversationDeleted,
    /// A user has not read messages for some time.
    NotificationTriggered,
}

/// The error for a string that is no type of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no type of a webhook; use one of {list}", list = names())]
pub struct UnknownWebhookKind(String);

const KINDS: [(WebhookKind, &str); 8] = [
    (WebhookKind::UserCreated, "user.created"),
    (WebhookKind::UserUpdated, "user.updated"),
    (WebhookKind::MessageSent, "message.sent"),
    (WebhookKind::MessageRead, "message.read"),
    (WebhookKind::MessageUpdated, "message.updated"),
    (WebhookKind::MessageDeleted, "message.deleted"),
    (WebhookKind::ConversationDeleted, "conversation.deleted"),
    (WebhookKind::NotificationTriggered, "notification.triggered"),
];

fn names() -> String {
    KINDS.map(|(_, name)| name).join(", ")
}

impl WebhookKind {
    /// Returns the name on the wire, such as `message.sent`.
    pub fn as_str(self) -> &'static str {
        let kind = KINDS.iter().find(|(kind, _)| *kind == self);
        kind.map_or("", |(_, name)| name)
    }
}

impl fmt::Display for WebhookKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WebhookKind {
    type Err = UnknownWebhookKind;

    fn from_str(name: &str) -> Result<Self, UnknownWebhookKind> {
        let kind = KINDS.iter().find(|(_, known)| *known == name);
        kind.map(|(kind, _)| *kind)
            .ok_or_else(|| UnknownWebhookKind(name.to_owned()))
    }
}

impl From<WebhookKind> for &'static str {
    fn from(kind: WebhookKind) -> Self {
        kind.as_str()
    }
}

impl TryFrom<String> for WebhookKind {
    type Error = UnknownWebhookKind;

    fn try_from(name: String) -> Result<Self, UnknownWebhookKind> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, WebhookKind};

    #[test]
    fn kind_name_round_trips() {
        for (kind, name) in KINDS {
            assert_eq!(kind.as_str(), name);
            assert_eq!(name.parse(), Ok(kind));
        }
        let unknown = "message.seen".parse::<WebhookKind>().unwrap_err();
        assert!(unknown.to_string().contains("message.sent"), "{unknown}");
    }
}
