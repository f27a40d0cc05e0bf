use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// A map that remembers which of its entries have changed.
#[derive(Debug)]
pub(super) struct Tracked<V> {
    entries: BTreeMap<String, V>,
    changed: BTreeSet<String>,
}

impl<V> Tracked<V> {
    /// The entry, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        mark(&mut self.changed, key);
        Some(entry)
    }

    pub(super) fn insert(&mut self, key: String, value: V) {
        mark(&mut self.changed, &key);
        self.entries.insert(key, value);
    }

    /// Puts back what was kept: nothing changes by it.
    pub(super) fn restore(&mut self, key: String, value: V) {
        self.entries.insert(key, value);
    }

    /// As [`get_mut`](Self::get_mut), for what is kept elsewhere or not at all.
    pub(super) fn get_mut_unmarked(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// The keys of what has changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.changed)
    }
}

/// Marks a key; the usual case, that it is marked already, costs no allocation.
pub(super) fn mark(changed: &mut BTreeSet<String>, key: &str) {
    if !changed.contains(key) {
        changed.insert(key.to_owned());
    }
}

impl<V> Default for Tracked<V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }
}

/// For reading: a map can only be changed in ways that are noticed.
impl<V> Deref for Tracked<V> {
    type Target = BTreeMap<String, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}
