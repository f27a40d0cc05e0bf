//! Delayed removal of unreferenced stores, so that a new viewer finds them loaded.

use std::collections::BTreeSet;

use crate::collections::{HashMap, ReleaseMemory};
use crate::live::key::StoreKey;
use crate::timestamp::Timestamp;

/// The time at which each unreferenced store is dropped.
#[derive(Default)]
pub(crate) struct Linger {
    by_time: BTreeSet<(Timestamp, StoreKey)>,
    by_key: HashMap<StoreKey, Timestamp>,
}

impl Linger {
    /// Schedules the removal of a store, unless it is scheduled already.
    pub(crate) fn start(&mut self, key: StoreKey, until: Timestamp) {
        if !self.by_key.contains_key(&key) {
            self.by_time.insert((until, key.clone()));
            self.by_key.insert(key, until);
        }
    }

    /// Cancels the removal of a store.
    pub(crate) fn stop(&mut self, key: &StoreKey) {
        if let Some(until) = self.by_key.remove(key) {
            self.by_time.remove(&(until, key.clone()));
        }
    }

    /// Returns the next store that is due, and removes it from the schedule.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<StoreKey> {
        self.next_deadline().filter(|until| *until <= now)?;
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// Releases the memory of empty collections.
    pub(crate) fn release_memory(&mut self) {
        self.by_time.release_memory();
        self.by_key.release_memory();
    }

    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(until, _)| *until)
    }

    /// Returns all scheduled stores, and clears the schedule.
    pub(crate) fn take_all(&mut self) -> Vec<StoreKey> {
        let by_time = std::mem::take(self).by_time;
        by_time.into_iter().map(|(_, key)| key).collect()
    }
}
