//! Options of the outbox and of single entries.

use std::time::Duration;

use super::file::OutboxFile;
use crate::command::{EditMessage, SendMessage};
use crate::model::EntryId;
use crate::timestamp::Timestamp;

/// The options of an outbox.
///
/// ```
/// use talk_proto::{SessionOptions, outbox::OutboxOptions};
///
/// let mut options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
/// options.outbox = Some(OutboxOptions::default());
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxOptions {
    /// The largest number of unsent entries, without the held answers of inboxes. Default 1,000.
    pub entries: usize,
    /// The largest size in bytes of the records of all unsent entries, which contain the files that
    /// are not read from a path. The held answers of inboxes do not count, but their files have
    /// a limit of the same size. Default 16 MiB.
    pub bytes: usize,
    /// The time after its first attempt for which an entry is sent again with the same idempotency
    /// key. It must be shorter than the time for which the server keeps keys. Default 23 h.
    pub key_lifetime: Duration,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            entries: 1_000,
            bytes: 16 << 20,
            key_lifetime: Duration::from_secs(23 * 60 * 60),
        }
    }
}

/// The effect of a refused entry on later entries of its conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OnRefusal {
    /// Later entries wait until the user has resolved the refused one.
    #[default]
    Block,
    /// Later entries are sent.
    Skip,
}

/// A message for the outbox.
///
/// ```
/// use talk_proto::{Timestamp, outbox::Enqueue};
///
/// let asked = Timestamp::from_millis(1_700_000_000_000);
/// let answer = Enqueue::from("Yes, we can.").dedup_key("answer to msg_4x7b2", asked);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Enqueue {
    /// The message.
    pub message: SendMessage,
    /// Files to upload before the message is sent, which become blocks behind its content.
    pub files: Vec<OutboxFile>,
    /// An earlier entry of the same conversation that the message replies to.
    pub reply_to_entry: Option<EntryId>,
    /// The name and time from which the ID of the entry is derived.
    pub dedup_key: Option<(String, Timestamp)>,
    /// The effect of a refusal on later entries.
    pub on_refusal: OnRefusal,
    /// Set for the reply of an inbox.
    pub(crate) is_reply: bool,
}

impl Enqueue {
    /// Derives the ID of the entry from the user, the conversation, `name` and `at`, so that a
    /// program that restarts and enqueues the message again does not send it twice. If the ID is
    /// known, [`Session::enqueue`](crate::Session::enqueue) returns it without another effect.
    pub fn dedup_key(mut self, name: impl Into<String>, at: Timestamp) -> Self {
        self.dedup_key = Some((name.into(), at));
        self
    }

    /// Adds a file.
    pub fn file(mut self, file: OutboxFile) -> Self {
        self.files.push(file);
        self
    }

    /// Makes the message a reply to an entry that may be unsent.
    pub fn reply_to_entry(mut self, entry: EntryId) -> Self {
        self.reply_to_entry = Some(entry);
        self
    }

    /// Sets the effect of a refusal on later entries of the conversation.
    pub fn on_refusal(mut self, on_refusal: OnRefusal) -> Self {
        self.on_refusal = on_refusal;
        self
    }
}

impl<M: Into<SendMessage>> From<M> for Enqueue {
    fn from(message: M) -> Self {
        Self {
            message: message.into(),
            files: Vec::new(),
            reply_to_entry: None,
            dedup_key: None,
            on_refusal: OnRefusal::default(),
            is_reply: false,
        }
    }
}

/// Creates a message of one file.
impl From<OutboxFile> for Enqueue {
    fn from(file: OutboxFile) -> Self {
        Self::from(SendMessage::content([])).file(file)
    }
}

/// A change of an entry, for [`Session::update_entry`](crate::Session::update_entry).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EntryAction {
    /// Sends a held entry again, or ends the wait for the next attempt.
    Retry,
    /// Removes an entry that the server has not accepted. A message that was tried may have been
    /// posted.
    Discard,
    /// Removes an entry that was never tried, or whose only attempt was refused.
    Cancel,
    /// Replaces the content and the files of an entry that was never tried, or whose only attempt
    /// was refused.
    Edit(SendMessage),
    /// Edits the message as soon as it is sent. Replaces an earlier instruction.
    EditAfter(EditMessage),
    /// Deletes the message as soon as it is sent. Replaces an earlier instruction.
    DeleteAfter,
}
