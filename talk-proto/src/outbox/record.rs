//! The records of entries and receipts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::content::{Content, FollowUp};
use super::entry::{HeldReason, Reference};
use super::file::{FileRecord, SavedFile};
use super::options::OnRefusal;
use super::receipts::Receipt;
use crate::command::SendMessage;
use crate::content::{ContentBlock, MarkupSource};
use crate::error::ServerError;
use crate::json;
use crate::model::{ConversationId, Custom, EntryId, MessageId};
use crate::storage::{Record, StorageEvent, versioned};
use crate::timestamp::Timestamp;

/// The prefix of the keys of entries.
const ENTRY: &str = "outbox/entry/";
/// The prefix of the keys of the bytes of files.
const FILE: &str = "outbox/file/";
/// The prefix of the keys of receipts.
const RECEIPT: &str = "outbox/receipt/";

/// A record of the outbox.
pub(super) enum Restored {
    Entry(Box<EntryRecord>),
    Receipt(Receipt),
    File(FileRecord),
    /// The record cannot be used, but its ID must not be used again.
    Unusable(EntryId, StorageEvent),
}

/// The record of an entry.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryRecord {
    pub(super) id: EntryId,
    pub(super) conversation: ConversationId,
    pub(super) seq: u64,
    /// The blocks of the message without those of its files.
    #[serde(deserialize_with = "json::list")]
    pub(super) blocks: Arc<[ContentBlock]>,
    /// Set if the blocks were parsed from markup.
    #[serde(default)]
    pub(super) is_markup: bool,
    /// The files, whose blocks follow the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<SavedFile>,
    /// The refusal of the message after which the files are uploaded a second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused_upload: Option<HeldReason>,
    #[serde(default)]
    pub(super) custom: Custom,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) referenced: Option<Reference>,
    #[serde(default)]
    pub(super) on_refusal: OnRefusal,
    /// Set for the reply of an inbox, whose question is acknowledged. It is never stale, a failure
    /// of the store does not hold it, and it never blocks later entries.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_reply: bool,
    pub(super) created: Timestamp,
    /// The time at which the user confirmed that the entry is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) renewed: Option<Timestamp>,
    /// The idempotency key if it is not the ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<EntryId>,
    /// A server time from before the first attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) floor: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_try: Option<Timestamp>,
    #[serde(default)]
    pub(super) tries: u32,
    /// The number of attempts whose outcome is unknown, including the one in flight.
    #[serde(default)]
    pub(super) unanswered: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<HeldReason>,
    /// The ID of the message, once the server has accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) then: Option<FollowUp>,
}

impl EntryRecord {
    /// Replaces the content and the custom data by those of another message.
    pub(super) fn set_message(&mut self, message: SendMessage) {
        let content = Content::new(message.body, MarkupSource::Send);
        self.blocks = content.blocks;
        self.is_markup = content.is_markup;
        self.custom = Custom::default();
        self.custom.apply(message.custom);
        if let Some(id) = message.referenced_message {
            self.referenced = Some(Reference::Message(id));
        }
    }
}

pub(super) fn entry_key(id: &EntryId) -> String {
    format!("{ENTRY}{id}")
}

pub(super) fn receipt_key(id: &EntryId) -> String {
    format!("{RECEIPT}{id}")
}

pub(super) fn file_key(id: &EntryId, file: usize) -> String {
    format!("{FILE}{id}/{file}")
}

/// Reads a record. Returns `None` if it does not belong to the outbox.
pub(super) fn decode(record: &Record) -> Option<Restored> {
    let Record { key, value } = record;
    let (id, restored) = if let Some(id) = key.strip_prefix(ENTRY) {
        let entry = versioned::decode(key, value, |entry: &EntryRecord| entry.id == id);
        (id, entry.map(|entry| Restored::Entry(Box::new(entry))))
    } else if let Some(id) = key.strip_prefix(FILE) {
        let is_valid = |record: &FileRecord| file_key(&record.entry, record.file) == *key;
        let record = versioned::decode(key, value, is_valid);
        let (id, _) = id.rsplit_once('/')?;
        (id, record.map(Restored::File))
    } else {
        let id = key.strip_prefix(RECEIPT)?;
        let receipt = versioned::decode(key, value, |receipt: &Receipt| receipt.entry == id);
        (id, receipt.map(Restored::Receipt))
    };
    match restored {
        Ok(restored) => Some(restored),
        Err(event) => Some(Restored::Unusable(EntryId::new(id).ok()?, event)),
    }
}

impl<'de> Deserialize<'de> for HeldReason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            tag = "kind",
            rename_all = "camelCase",
            rename_all_fields = "camelCase"
        )]
        enum Held {
            Refused {
                status: u16,
                error_code: String,
                reasons: Vec<String>,
            },
            Uncertain,
            Stale,
            SourceGone {
                message: String,
            },
            StoreFailed {
                message: String,
            },
        }

        Ok(match Held::deserialize(deserializer)? {
            Held::Refused {
                status,
                error_code,
                reasons,
            } => Self::Refused(ServerError::new(status, error_code, reasons).into()),
            Held::Uncertain => Self::Uncertain,
            Held::Stale => Self::Stale,
            Held::SourceGone { message } => Self::SourceGone(message.into()),
            Held::StoreFailed { message } => Self::StoreFailed(message.into()),
        })
    }
}
