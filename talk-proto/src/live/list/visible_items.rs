//! The visible part of a list.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::items::{Items, Position};

/// The visible items of a list, and the positions of items that wait for nested data.
pub(crate) struct VisibleItems<T> {
    pub(crate) items: Items<T>,
    pub(crate) waiting: BTreeSet<Position>,
}

impl<T> VisibleItems<T> {
    pub(crate) fn new() -> Self {
        Self {
            items: Items::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Returns the number of visible and waiting items.
    pub(crate) fn len(&self) -> usize {
        self.items.len() + self.waiting.len()
    }

    /// Returns the last position of the visible and waiting items.
    pub(crate) fn last(&self) -> Option<Position> {
        let visible = self.items.last_position();
        visible.max(self.waiting.last().copied())
    }

    /// Returns the number of visible items up to and including `position`.
    pub(crate) fn count_until(&self, position: Position) -> usize {
        if position == Position::LAST {
            return self.items.len();
        }
        match self.items.find(position) {
            Ok(index) => index + 1,
            Err(index) => index,
        }
    }

    /// Returns the positions of the waiting items up to and including `position`.
    pub(crate) fn waiting_until(&self, position: Position) -> impl Iterator<Item = Position> {
        // Usually no item is waiting, and the search in an empty set is skipped.
        let waiting = Some(&self.waiting).filter(|waiting| !waiting.is_empty());
        waiting
            .into_iter()
            .flat_map(move |w| w.range(..=position))
            .copied()
    }

    pub(crate) fn get(&self, position: Position) -> Option<&Arc<T>> {
        let index = self.items.find(position).ok()?;
        self.items.get(index)
    }
}
