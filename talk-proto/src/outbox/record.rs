//! The records of entries and receipts.

use serde::Deserialize;

use super::entry::HeldReason;
use super::file::FileRecord;
use super::item::Saved;
use super::receipts::Receipt;
use crate::error::ServerError;
use crate::model::EntryId;
use crate::storage::{Record, StorageEvent, versioned};

/// The prefix of the keys of entries.
const ENTRY: &str = "outbox/entry/";
/// The prefix of the keys of the bytes of files.
const FILE: &str = "outbox/file/";
/// The prefix of the keys of receipts.
const RECEIPT: &str = "outbox/receipt/";

/// A record of the outbox.
pub(super) enum Restored {
    Entry(Box<Saved>),
    Receipt(Receipt),
    File(FileRecord),
    /// The record cannot be used, but its ID must not be used again.
    Unusable(EntryId, StorageEvent),
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
        let saved = versioned::decode(key, value, |saved: &Saved| saved.id == id);
        (id, saved.map(|saved| Restored::Entry(Box::new(saved))))
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
    let id = EntryId::new(id).ok()?;
    Some(restored.unwrap_or_else(|event| Restored::Unusable(id, event)))
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
            } => Self::Refused(ServerError::new(status, error_code, reasons)),
            Held::Uncertain => Self::Uncertain,
            Held::Stale => Self::Stale,
            Held::SourceGone { message } => Self::SourceGone(message),
            Held::StoreFailed { message } => Self::StoreFailed(message),
        })
    }
}
