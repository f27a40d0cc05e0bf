//! A store in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::ready;
use std::sync::Arc;

use talk_proto::storage::{Change, Record, StoreError};

use super::interface::Store;
use super::key::StoreKey;
use super::lease::Lease;
use crate::sync::{Mutex, lock};
use crate::transport::BoxFuture;

/// A store in memory, for tests. The records last until the last clone is dropped.
///
/// ```
/// use talk_client::TalkOptions;
/// use talk_client::store::MemoryStore;
///
/// let store = MemoryStore::default();
/// let options = TalkOptions::new("my_app", "alice")?.store(store.clone());
/// # Ok::<(), talk_client::EmptyId>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    records: BTreeMap<StoreKey, BTreeMap<String, String>>,
    locked: BTreeSet<StoreKey>,
}

/// Unlocks the records of a key on drop.
struct Unlock {
    store: MemoryStore,
    key: StoreKey,
}

impl Drop for Unlock {
    fn drop(&mut self) {
        lock(&self.store.0).locked.remove(&self.key);
    }
}

impl Store for MemoryStore {
    fn load(&self, key: &StoreKey) -> BoxFuture<'static, Result<Vec<Record>, StoreError>> {
        let content = lock(&self.0);
        let records = content.records.get(key).into_iter().flatten();
        let records = records.map(|(key, value)| Record::new(key, value));
        Box::pin(ready(Ok(records.collect())))
    }

    fn apply(
        &self,
        key: &StoreKey,
        changes: Vec<Change>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let mut content = lock(&self.0);
        let records = content.records.entry(key.clone()).or_default();
        for change in changes {
            match change {
                Change::Put(record) => records.insert(record.key, record.value),
                Change::Delete { key } => records.remove(&key),
            };
        }
        Box::pin(ready(Ok(())))
    }

    fn lock(&self, key: &StoreKey) -> BoxFuture<'static, Result<Lease, StoreError>> {
        let is_free = lock(&self.0).locked.insert(key.clone());
        let unlock = || Unlock {
            store: self.clone(),
            key: key.clone(),
        };
        let lease = is_free.then(|| Lease::new(unlock()));
        Box::pin(ready(lease.ok_or(StoreError::InUse)))
    }

    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>> {
        lock(&self.0).records.remove(key);
        Box::pin(ready(Ok(())))
    }
}

/// Shows no record, because records contain message texts.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
