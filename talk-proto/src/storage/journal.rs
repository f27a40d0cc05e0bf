//! The changes of one part of a session, until its writer collects them.

use std::collections::BTreeMap;

use super::record::BatchId;

/// The new values of records by key; `None` deletes a record.
pub(crate) type Changes = BTreeMap<String, Option<String>>;

/// Collects the changes of one part. The parts share the batches of one
/// [`StoreWriter`](super::StoreWriter), so that the changes of one step are stored together.
pub(crate) struct Journal {
    changes: Changes,
    /// The batch that will contain the changes.
    batch: BatchId,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            changes: Changes::new(),
            batch: BatchId(1),
        }
    }
}

impl Journal {
    /// Adds a record to the next batch, and returns the batch.
    pub(crate) fn put(&mut self, key: String, value: String) -> BatchId {
        self.changes.insert(key, Some(value));
        self.batch
    }

    /// Adds the deletion of a record to the next batch.
    pub(crate) fn delete(&mut self, key: String) -> BatchId {
        self.changes.insert(key, None);
        self.batch
    }

    /// Returns the batch that will contain the next change.
    pub(crate) fn batch(&self) -> BatchId {
        self.batch
    }

    /// Returns the changes since the last call.
    pub(crate) fn take(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Sets the batch that will contain later changes.
    pub(crate) fn set_batch(&mut self, batch: BatchId) {
        self.batch = batch;
    }
}
