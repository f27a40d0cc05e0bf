//! The records that outlive a server: the caller stores them and passes them to the next server.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The key of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Key {
    /// The current settings.
    Settings,
    /// The state of the generator for IDs and tokens.
    Random,
    /// The data of an app as a whole.
    App {
        /// The app's id.
        app: String,
    },
    /// A user.
    User {
        /// The app's id.
        app: String,
        /// The user's id.
        user: String,
    },
    /// A conversation and its participants.
    Conversation {
        /// The app's id.
        app: String,
        /// The conversation's id.
        conversation: String,
    },
    /// A message and its reactions.
    Message {
        /// The app's id.
        app: String,
        /// The conversation's id.
        conversation: String,
        /// The message's id.
        message: String,
    },
    /// The idempotency key of a recently sent message.
    Send {
        /// The app's id.
        app: String,
        /// The conversation's id.
        conversation: String,
        /// The sender's id.
        sender: String,
        /// The idempotency key.
        key: String,
    },
    /// A webhook.
    Webhook {
        /// The ID of its envelope.
        id: String,
    },
    /// The metadata of an uploaded file.
    File {
        /// The app's id.
        app: String,
        /// The file's token.
        token: String,
    },
}

/// A record that was written or removed.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// The value as JSON, or `None` if the record was removed.
    pub value: Option<String>,
}

/// Hides the value, which may contain message text.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("key", &self.key)
            .field("is_gone", &self.value.is_none())
            .finish()
    }
}

/// The error for a stored record that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a record that was kept cannot be read ({key:?}): {reason}")]
pub struct Unreadable {
    /// The key.
    pub key: Key,
    /// The cause.
    pub reason: String,
}

/// The values at the last [`take_changes`](super::Server::take_changes), for the records that do
/// not track their own changes.
#[derive(Debug, Default)]
pub(super) struct Checkpoint {
    pub(super) random: Option<u64>,
    /// The last stamp of each app's clock.
    pub(super) clocks: BTreeMap<String, u64>,
    /// The changes of data that was replaced as a whole.
    pub(super) replaced: Vec<Change>,
    /// Set if the settings in force have been reported.
    pub(super) has_settings: bool,
}
