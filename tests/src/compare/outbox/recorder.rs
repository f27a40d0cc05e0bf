//! A store that records its writes.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use talk_tokio::store::{Change, FileStore, Lease, Record, Store, StoreError, StoreKey};
use talk_tokio::transport::BoxFuture;

/// A store that records its batches.
#[derive(Clone)]
pub(super) struct Recorder {
    store: FileStore,
    batches: Arc<Mutex<Vec<Vec<Change>>>>,
}

impl Recorder {
    pub(super) fn new(store: FileStore) -> Self {
        Self {
            store,
            batches: Arc::default(),
        }
    }

    pub(super) fn batches(&self) -> Vec<Vec<Change>> {
        let batches = self.batches.lock();
        batches.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store for Recorder {
    fn load(&self, key: &StoreKey) -> BoxFuture<'static, Result<Vec<Record>, StoreError>> {
        self.store.load(key)
    }

    fn apply(
        &self,
        key: &StoreKey,
        changes: Vec<Change>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let batches = self.batches.lock();
        let mut batches = batches.unwrap_or_else(PoisonError::into_inner);
        batches.push(changes.clone());
        self.store.apply(key, changes)
    }

    fn lock(&self, key: &StoreKey) -> BoxFuture<'static, Result<Lease, StoreError>> {
        self.store.lock(key)
    }

    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>> {
        self.store.clear(key)
    }
}
