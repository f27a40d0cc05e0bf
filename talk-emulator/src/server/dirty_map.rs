use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// A map that remembers which of its entries have changed.
#[derive(Debug)]
pub(super) struct DirtyMap<V> {
    entries: BTreeMap<String, V>,
    dirty: BTreeSet<String>,
}

impl<V> DirtyMap<V> {
    /// The entry, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        mark(&mut self.dirty, key);
        Some(entry)
    }

    pub(super) fn insert(&mut self, key: String, value: V) {
        mark(&mut self.dirty, &key);
        self.entries.insert(key, value);
    }

    /// Puts back what was kept: nothing changes by it.
    pub(super) fn restore(&mut self, key: String, value: V) {
        self.entries.insert(key, value);
    }

    /// As [`get_mut`](Self::get_mut), for what is kept elsewhere or not at all.
    pub(super) fn get_mut_untracked(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// The keys of what has changed since this was last asked.
    pub(super) fn take_dirty(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.dirty)
    }
}

/// Marks a key; the usual case, that it is marked already, costs no allocation.
pub(super) fn mark(dirty: &mut BTreeSet<String>, key: &str) {
    if !dirty.contains(key) {
        dirty.insert(key.to_owned());
    }
}

impl<V> Default for DirtyMap<V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            dirty: BTreeSet::new(),
        }
    }
}

/// For reading: a map can only be changed in ways that are noticed.
impl<V> Deref for DirtyMap<V> {
    type Target = BTreeMap<String, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}
