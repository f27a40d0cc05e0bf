//! Stores that nobody shows stay a while, so that showing them again costs nothing.

use std::collections::BTreeSet;

use crate::collections::{GiveBack, HashMap};
use crate::live::key::StoreKey;
use crate::timestamp::Timestamp;

/// When each store that nobody shows is dropped.
#[derive(Default)]
pub(crate) struct Linger {
    by_time: BTreeSet<(Timestamp, StoreKey)>,
    by_key: HashMap<StoreKey, Timestamp>,
}

impl Linger {
    /// Drops the store at `until`, unless it lingers already.
    pub(crate) fn start(&mut self, key: StoreKey, until: Timestamp) {
        if !self.by_key.contains_key(&key) {
            self.by_time.insert((until, key.clone()));
            self.by_key.insert(key, until);
        }
    }

    /// Keeps the store: somebody shows it.
    pub(crate) fn stop(&mut self, key: &StoreKey) {
        if let Some(until) = self.by_key.remove(key) {
            self.by_time.remove(&(until, key.clone()));
        }
    }

    /// The next store that has lingered long enough.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<StoreKey> {
        let (until, _) = self.by_time.first()?;
        if *until > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// Gives back the memory of what is empty.
    pub(crate) fn give_back(&mut self) {
        self.by_time.give_back();
        self.by_key.give_back();
    }

    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(until, _)| *until)
    }

    /// Every store that lingers; none does any more.
    pub(crate) fn take_all(&mut self) -> Vec<StoreKey> {
        self.by_key.clear();
        let by_time = std::mem::take(&mut self.by_time);
        by_time.into_iter().map(|(_, key)| key).collect()
    }
}
