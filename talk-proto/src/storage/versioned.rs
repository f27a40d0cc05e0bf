//! The format of all records: JSON objects with the version of their format.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::record::StorageEvent;

/// The version of the format.
const VERSION: u32 = 1;
/// The start of the records that [`encode`] makes.
const START: &str = r#"{"v":1,"#;

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Encodes the value of a record, a struct with at least one member.
pub(crate) fn encode(content: &impl Serialize) -> String {
    // Serialisation to a string fails only for maps with keys that are not strings.
    let mut value = serde_json::to_string(content).unwrap_or_default();
    // A flattened member would take twice as long.
    if value.starts_with('{') {
        value.replace_range(..1, START);
    }
    value
}

/// Decodes the value of the record with this key. `T` must ignore unknown members, such as the
/// version.
///
/// # Errors
/// [`StorageEvent::UnknownVersion`], and [`StorageEvent::Unreadable`] also if `is_valid` returns
/// `false`.
pub(crate) fn decode<T: DeserializeOwned>(
    key: &str,
    value: &str,
    is_valid: impl Fn(&T) -> bool,
) -> Result<T, StorageEvent> {
    let key = || key.to_owned();
    // A search for the version reads the whole record, so it is skipped for records of `encode`.
    let version = match value.starts_with(START) {
        true => Ok(VERSION),
        false => serde_json::from_str(value).map(|Version { v }| v),
    };
    match version {
        Ok(VERSION) => {
            let record = serde_json::from_str(value).ok().filter(is_valid);
            record.ok_or_else(|| StorageEvent::Unreadable { key: key() })
        }
        Ok(_) => Err(StorageEvent::UnknownVersion { key: key() }),
        Err(_) => Err(StorageEvent::Unreadable { key: key() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Content {
        name: String,
    }

    fn decoded(value: &str) -> Result<Content, StorageEvent> {
        decode("key", value, |content: &Content| !content.name.is_empty())
    }

    fn content(name: &str) -> Content {
        let name = name.to_owned();
        Content { name }
    }

    #[test]
    fn record_has_the_version_first() {
        let value = encode(&content("a"));
        assert!(value.starts_with(START), "{value}");
        assert_eq!(decoded(&value), Ok(content("a")));
    }

    #[test]
    fn record_with_the_version_elsewhere_is_read() {
        let spelled = [r#"{"name":"a","v":1}"#, r#"{ "v": 1, "name": "a" }"#];
        for value in spelled {
            assert_eq!(decoded(value), Ok(content("a")), "{value}");
        }
    }

    #[test]
    fn record_of_a_newer_version_is_reported() {
        for value in [r#"{"v":2,"name":"a"}"#, r#"{"v":10}"#, r#"{"v":11,"x":1}"#] {
            let key = "key".to_owned();
            let unknown = StorageEvent::UnknownVersion { key };
            assert_eq!(decoded(value), Err(unknown), "{value}");
        }
    }

    #[test]
    fn record_that_is_damaged_is_reported() {
        let values = [
            r#"{"v":1,"name":"a""#,
            r#"{"v":1,"name":""}"#,
            r#"{"v":1,"#,
            r#"{"name":"a"}"#,
            "",
        ];
        for value in values {
            let key = "key".to_owned();
            let unreadable = StorageEvent::Unreadable { key };
            assert_eq!(decoded(value), Err(unreadable), "{value}");
        }
    }
}
