//! The format of all records: JSON objects with the version of their format.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::record::StorageEvent;

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    content: T,
}

/// Encodes the value of a record.
pub(crate) fn encode(content: &impl Serialize) -> String {
    let v = VERSION;
    // Serialisation to a string fails only for maps with keys that are not strings.
    serde_json::to_string(&Versioned { v, content }).unwrap_or_default()
}

/// Decodes the value of the record with this key.
///
/// # Errors
/// [`StorageEvent::UnknownVersion`], and [`StorageEvent::Unreadable`] also if `is_valid` returns
/// `false`.
pub(crate) fn decode<T: DeserializeOwned>(
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
