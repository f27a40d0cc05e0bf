//! What outlives a server: the records that whoever runs it keeps, and gives back to the next.

use std::collections::BTreeMap;
use std::fmt;

/// Names one record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Key {
    /// The settings in force.
    Settings,
    /// Where the ids and tokens to come are taken from.
    Random,
    /// An app as a whole.
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
    /// The idempotency key of a recent send.
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
    /// What is known of an uploaded file beside its bytes.
    File {
        /// The app's id.
        app: String,
        /// The file's token.
        token: String,
    },
}

/// A record has a new value, or is gone.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// Which record.
    pub key: Key,
    /// Its value, a JSON text; `None` when it is gone.
    pub value: Option<String>,
}

/// Without the value, which may be somebody's text.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("key", &self.key)
            .field("is_gone", &self.value.is_none())
            .finish()
    }
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a record that was kept cannot be read ({key:?}): {reason}")]
pub struct Unreadable {
    /// Which record.
    pub key: Key,
    /// What is wrong with it.
    pub reason: String,
}

/// The values at the last [`take_changes`](super::Server::take_changes), for the records that do not
/// track their own changes.
#[derive(Debug, Default)]
pub(super) struct Checkpoint {
    pub(super) random: Option<u64>,
    /// The last stamp of each app's clock.
    pub(super) clocks: BTreeMap<String, u64>,
    /// Set if the settings in force have been reported.
    pub(super) has_settings: bool,
}
