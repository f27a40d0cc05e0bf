//! A store in memory.

use std::collections::BTreeMap;

use talk_proto::storage::{BatchId, Change, Record};

/// The reaction of a store to a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StoreMode {
    /// The batch is stored at once.
    #[default]
    Stores,
    /// The batch fails.
    Fails,
    /// The batch is kept until the test completes it.
    Waits,
}

/// Records that outlive a process.
#[derive(Default)]
pub(crate) struct TestStore {
    pub(crate) mode: StoreMode,
    /// The number of stored batches.
    pub(crate) writes: usize,
    records: BTreeMap<String, String>,
    unanswered: Vec<(BatchId, Vec<Change>)>,
}

impl TestStore {
    /// Returns all records.
    pub(crate) fn records(&self) -> Vec<Record> {
        let records = self.records.iter();
        records
            .map(|(key, value)| Record::new(key, value))
            .collect()
    }

    /// Returns the values of the records whose keys start with `prefix`.
    pub(crate) fn with_prefix(&self, prefix: &str) -> Vec<serde_json::Value> {
        let records = self.records.iter();
        let matching = records.filter(|(key, _)| key.starts_with(prefix));
        let value = |(_, value): (_, &String)| serde_json::from_str(value).expect("JSON");
        matching.map(value).collect()
    }

    pub(crate) fn insert(&mut self, key: &str, value: &str) {
        self.records.insert(key.to_owned(), value.to_owned());
    }

    pub(super) fn apply(
        &mut self,
        batch: BatchId,
        changes: Vec<Change>,
    ) -> Option<Result<(), String>> {
        match self.mode {
            StoreMode::Stores => {
                self.write(changes);
                Some(Ok(()))
            }
            StoreMode::Fails => Some(Err("disk full".to_owned())),
            StoreMode::Waits => {
                self.unanswered.push((batch, changes));
                None
            }
        }
    }

    /// Completes the unanswered batches, and returns them.
    pub(super) fn complete(&mut self, is_stored: bool) -> Vec<BatchId> {
        let mut batches = Vec::new();
        for (batch, changes) in std::mem::take(&mut self.unanswered) {
            if is_stored {
                self.write(changes);
            }
            batches.push(batch);
        }
        batches
    }

    pub(super) fn forget_unanswered(&mut self) {
        self.unanswered.clear();
    }

    fn write(&mut self, changes: Vec<Change>) {
        self.writes += 1;
        for change in changes {
            match change {
                Change::Put(record) => {
                    self.records.insert(record.key, record.value);
                }
                Change::Delete { key } => {
                    self.records.remove(&key);
                }
            }
        }
    }
}
