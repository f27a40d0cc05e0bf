use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// A map that records which entries have changed.
#[derive(Debug)]
pub(super) struct DirtyMap<V> {
    entries: BTreeMap<String, V>,
    dirty: BTreeSet<String>,
}

impl<V> DirtyMap<V> {
    /// Returns an entry for modification and marks it as dirty.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        mark(&mut self.dirty, key);
        Some(entry)
    }

    pub(super) fn insert(&mut self, key: String, value: V) {
        mark(&mut self.dirty, &key);
        self.entries.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        let removed = self.entries.remove(key)?;
        mark(&mut self.dirty, key);
        Some(removed)
    }

    /// Inserts a stored entry without marking it as dirty.
    pub(super) fn restore(&mut self, key: String, value: V) {
        self.entries.insert(key, value);
    }

    /// Returns an entry for modification without marking it as dirty. The changes must not be part
    /// of the stored record.
    pub(super) fn get_mut_untracked(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// Returns `true` if an entry is dirty.
    pub(super) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Returns and clears the set of dirty keys.
    pub(super) fn take_dirty(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.dirty)
    }
}

/// Marks a key. No allocation happens if the key is marked already.
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

/// Provides read access. All changes go through the methods above, which mark them.
impl<V> Deref for DirtyMap<V> {
    type Target = BTreeMap<String, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}
