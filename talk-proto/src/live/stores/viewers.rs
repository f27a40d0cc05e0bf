//! The viewers of a store with a single value.

use std::collections::BTreeMap;

use crate::live::key::ViewerId;

/// The viewers, with the last value that each received.
pub(crate) struct Viewers<S>(BTreeMap<ViewerId, Option<S>>);

impl<S: Clone + PartialEq> Viewers<S> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn ids(&self) -> Vec<ViewerId> {
        self.0.keys().copied().collect()
    }

    pub(crate) fn add(&mut self, viewer: ViewerId) {
        self.0.insert(viewer, None);
    }

    pub(crate) fn remove(&mut self, viewer: ViewerId) {
        self.0.remove(&viewer);
    }

    /// Returns the viewers that have not received `current`, and marks it as received.
    pub(crate) fn outdated(&mut self, current: &S) -> impl Iterator<Item = ViewerId> {
        let seen = self.0.iter_mut();
        seen.filter(|(_, seen)| seen.as_ref() != Some(current))
            .map(|(viewer, seen)| {
                *seen = Some(current.clone());
                *viewer
            })
    }
}
