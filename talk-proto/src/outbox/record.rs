//! The records of entries and receipts: JSON objects with the version of their format.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::entry::HeldReason;
use super::item::Saved;
use super::receipts::Receipt;
use crate::error::ServerError;
use crate::model::EntryId;
use crate::storage::{Record, StorageEvent};

/// The version of the format.
const VERSION: u32 = 1;
/// The prefix of the keys of entries.
const ENTRY: &str = "outbox/entry/";
/// The prefix of the keys of receipts.
const RECEIPT: &str = "outbox/receipt/";

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    content: T,
}

/// A record of the outbox.
pub(super) enum Restored {
    Entry(Box<Saved>),
    Receipt(Receipt),
    /// The record cannot be used, but its ID must not be used again.
    Unusable(EntryId, StorageEvent),
}

pub(super) fn entry_key(id: &EntryId) -> String {
    format!("{ENTRY}{id}")
}

pub(super) fn receipt_key(id: &EntryId) -> String {
    format!("{RECEIPT}{id}")
}

pub(super) fn encode(content: &impl Serialize) -> String {
    let v = VERSION;
    // Serialisation to a string fails only for maps with keys that are not strings.
    serde_json::to_string(&Versioned { v, content }).unwrap_or_default()
}

/// Reads a record. Returns `None` if it does not belong to the outbox.
pub(super) fn decode(record: &Record) -> Option<Restored> {
    let Record { key, value } = record;
    let (id, restored) = if let Some(id) = key.strip_prefix(ENTRY) {
        let saved = read::<Saved>(key, value, |saved| saved.id == id);
        (id, saved.map(|saved| Restored::Entry(Box::new(saved))))
    } else {
        let id = key.strip_prefix(RECEIPT)?;
        let receipt = read(key, value, |receipt: &Receipt| receipt.entry == id);
        (id, receipt.map(Restored::Receipt))
    };
    let id = EntryId::new(id).ok()?;
    Some(restored.unwrap_or_else(|event| Restored::Unusable(id, event)))
}

fn read<T: DeserializeOwned>(
    key: &str,
    value: &str,
    is_valid: impl Fn(&T) -> bool,
) -> Result<T, StorageEvent> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }

    let key = || key.to_owned();
    match serde_json::from_str(value) {
        Ok(Version { v: VERSION }) => {
            let record = serde_json::from_str::<Versioned<T>>(value).ok();
            let record = record.map(|record| record.content).filter(is_valid);
            record.ok_or_else(|| StorageEvent::Unreadable { key: key() })
        }
        Ok(_) => Err(StorageEvent::UnknownVersion { key: key() }),
        Err(_) => Err(StorageEvent::Unreadable { key: key() }),
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
            Held::StoreFailed { message } => Self::StoreFailed(message),
        })
    }
}
