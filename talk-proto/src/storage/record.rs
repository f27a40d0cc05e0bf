//! Records, and notifications about them.

use std::fmt;

/// The ID of a batch of changes. A session never reuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub(crate) u64);

/// A record of a store. `Debug` shows only the key, because the value may contain message texts.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The key, such as `outbox/entry/…`.
    pub key: String,
    /// The value, a JSON object with the version of its format.
    pub value: String,
}

impl Record {
    /// Creates a record.
    ///
    /// ```
    /// use talk_proto::storage::Record;
    ///
    /// let record = Record::new("outbox/entry/e1", r#"{"v":1}"#);
    /// assert_eq!(format!("{record:?}"), r#"Record("outbox/entry/e1", 7 bytes)"#);
    /// ```
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({:?}, {} bytes)", self.key, self.value.len())
    }
}

/// A change of one record. The keys of a batch are distinct.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a store handles every change")]
pub enum Change {
    /// Inserts or replaces the record.
    Put(Record),
    /// Deletes the record if it exists.
    Delete {
        /// The key of the record.
        key: String,
    },
}

/// A notification about the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageEvent {
    /// A batch is unanswered for 30 s. Entries that wait for it are not sent. Everything that needs
    /// no storage goes on.
    Stalled,
    /// A batch was not stored. New entries in it are held.
    Failed {
        /// The reason of the driver.
        reason: String,
    },
    /// A record is of a newer version of this crate. It is kept, and has no effect.
    UnknownVersion {
        /// The key of the record.
        key: String,
    },
    /// A record cannot be read. It is kept, and has no effect.
    Unreadable {
        /// The key of the record.
        key: String,
    },
}
