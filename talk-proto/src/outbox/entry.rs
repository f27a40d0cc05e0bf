//! Entries of the outbox, as an application sees them.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::file::PendingFile;
use crate::content::{ContentBlock, plaintext};
use crate::error::ServerError;
use crate::model::{ConversationId, Custom, EntryId, MessageId};
use crate::timestamp::Timestamp;

/// A message in the outbox: immutable and cheap to clone.
///
/// `Debug` shows no text. Serialises as `{"id", "conversation", "content", "plaintext", "files"?,
/// "custom", "referencedMessage", "createdAt", "stage", "durable", "tries", "reason"?,
/// "blockedBy"?, "messageRef"?}`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The ID.
    pub id: EntryId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The content, with the blocks of the uploaded files.
    pub content: Arc<[ContentBlock]>,
    /// The files that are not uploaded yet, whose blocks will follow the content.
    pub files: Arc<[PendingFile]>,
    /// The custom data.
    pub custom: Custom,
    /// The message to reply to.
    pub referenced: Option<Reference>,
    /// The time at which the entry was enqueued.
    pub created_at: Timestamp,
    /// The state of the entry.
    pub stage: Stage,
    /// Set if the entry is stored.
    pub durable: bool,
    /// The number of attempts to send the entry.
    pub tries: u32,
    /// The held entry of the same conversation that must be resolved first.
    pub blocked_by: Option<EntryId>,
    pub(super) message: Option<MessageId>,
}

/// The message that an entry replies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Reference {
    /// A message of the server.
    Message(MessageId),
    /// An earlier entry of the same conversation. If it is discarded, the reply becomes a message
    /// without a reference.
    Entry(EntryId),
}

/// The state of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The entry waits for its turn, the store or the connection.
    Queued,
    /// A file of the message is being uploaded. Earlier entries may still be unsent.
    Uploading,
    /// The message is being sent, or its fate is being determined.
    Sending,
    /// The server has accepted the message. The entry leaves the outbox as soon as the message is
    /// visible in every open window of the conversation.
    Sent {
        /// The ID of the message.
        message: MessageId,
    },
    /// The entry waits for a decision of the user.
    Held(HeldReason),
}

/// The reason for which an entry is held.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeldReason {
    /// The server refused the message, or the change that follows it, or failed to process it ten
    /// times within at least 10 minutes.
    Refused(Arc<ServerError>),
    /// The message may have been sent, but it was not found in the conversation. A retry may send
    /// it twice. Also used if a file was uploaded ten times within at least 10 minutes without
    /// a usable answer. Then the message was not sent, and a retry is safe.
    Uncertain,
    /// The entry was not sent within 24 h.
    Stale,
    /// A file was changed or removed before it was uploaded, or cannot be read, for the reason that
    /// the driver gave. Restore the file and retry, or discard the entry.
    SourceGone(Arc<str>),
    /// The entry was not stored, for the reason that the driver gave. It is lost if the process
    /// ends.
    StoreFailed(Arc<str>),
}

impl Entry {
    /// Returns the ID of the message if the server has accepted it. The entry can still be held,
    /// because of the change that follows the message.
    pub fn message(&self) -> Option<&MessageId> {
        self.message.as_ref()
    }

    /// Returns the reason for which the entry is held.
    pub fn held(&self) -> Option<&HeldReason> {
        match &self.stage {
            Stage::Held(reason) => Some(reason),
            Stage::Queued | Stage::Uploading | Stage::Sending | Stage::Sent { .. } => None,
        }
    }

    /// Returns the content without formatting.
    pub fn plaintext(&self) -> String {
        plaintext(&self.content)
    }
}

impl Stage {
    /// Returns the name of the stage, such as `queued`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Uploading => "uploading",
            Self::Sending => "sending",
            Self::Sent { .. } => "sent",
            Self::Held(_) => "held",
        }
    }
}

impl HeldReason {
    /// Returns the name of the kind, such as `refused`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Uncertain => "uncertain",
            Self::Stale => "stale",
            Self::SourceGone(_) => "sourceGone",
            Self::StoreFailed(_) => "storeFailed",
        }
    }
}

impl Serialize for HeldReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.kind())?;
        match self {
            Self::Refused(error) => {
                map.serialize_entry("status", &error.status)?;
                map.serialize_entry("errorCode", &error.error_code)?;
                map.serialize_entry("reasons", &error.reasons)?;
            }
            Self::SourceGone(reason) | Self::StoreFailed(reason) => {
                map.serialize_entry("message", reason)?;
            }
            Self::Uncertain | Self::Stale => {}
        }
        map.end()
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let referenced = self.referenced.as_ref().map(|reference| match reference {
            Reference::Message(id) => id.as_str(),
            Reference::Entry(id) => id.as_str(),
        });
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("conversation", &self.conversation)?;
        map.serialize_entry("content", &self.content)?;
        map.serialize_entry("plaintext", &self.plaintext())?;
        if !self.files.is_empty() {
            map.serialize_entry("files", &self.files)?;
        }
        map.serialize_entry("custom", &self.custom)?;
        map.serialize_entry("referencedMessage", &referenced)?;
        map.serialize_entry("createdAt", &self.created_at)?;
        map.serialize_entry("stage", self.stage.name())?;
        map.serialize_entry("durable", &self.durable)?;
        map.serialize_entry("tries", &self.tries)?;
        if let Some(reason) = self.held() {
            map.serialize_entry("reason", reason)?;
        }
        if let Some(entry) = &self.blocked_by {
            map.serialize_entry("blockedBy", entry)?;
        }
        if let Some(message) = self.message() {
            map.serialize_entry("messageRef", message)?;
        }
        map.end()
    }
}
