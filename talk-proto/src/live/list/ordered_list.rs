//! The loaded items of a list in order, and their viewers.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroI64;
use std::sync::Arc;

use super::items::Position;
use super::view::{ListState, ListView};
use super::visible_items::VisibleItems;
use crate::changes::RemovalReason;
use crate::live::key::ViewerId;
use crate::live::sync::paginator::Demand;
use crate::model::MessageId;

/// The place of a new item among the items with an equal time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TieBreak {
    First,
    Last,
}

/// The visible form of an item.
pub(crate) trait ListItem: PartialEq {
    /// The identity of the item.
    type Key: Clone + Ord;

    fn key(&self) -> &Self::Key;

    /// Returns `true` if the item is this message.
    fn is_message(&self, _: &MessageId) -> bool {
        false
    }
}

/// The loaded items of a list in order.
///
/// Visible items are in a persistent sequence. A snapshot is a clone of it.
pub(crate) struct OrderedList<T: ListItem> {
    /// Items that wait for nested data, and items without a visible form.
    invisible: BTreeMap<Position, T::Key>,
    /// The positions of items whose state is from before a connection loss. A later page replaces
    /// the state.
    pub(crate) outdated: BTreeSet<Position>,
    /// The number of positions allocated so far.
    ties: i64,
    pub(crate) visible: VisibleItems<T>,
    /// The views are boxed because a map allocates space for several values, and most lists have
    /// one viewer.
    pub(crate) views: BTreeMap<ViewerId, Box<ListView<T>>>,
}

/// The state of a list without viewers and with at most one item, which is visible. The item itself
/// is elsewhere.
pub(crate) struct PackedList {
    /// The number of positions allocated so far.
    ties: i64,
    position: Option<Position>,
}

impl PackedList {
    pub(crate) fn position(&self) -> Option<Position> {
        self.position
    }
}

impl<T: ListItem> OrderedList<T> {
    /// Returns the compact form of the list, or `None` while it has state beyond that.
    pub(crate) fn pack(&self) -> Option<PackedList> {
        let is_plain = self.views.is_empty()
            && self.visible.items.len() <= 1
            && self.visible.waiting.is_empty()
            && self.invisible.is_empty()
            && self.outdated.is_empty();
        is_plain.then(|| PackedList {
            ties: self.ties,
            position: self.visible.items.position(0),
        })
    }

    /// Returns the list as it was before it was packed.
    pub(crate) fn unpack(packed: &PackedList, item: Option<&Arc<T>>) -> Self {
        let mut list = Self {
            ties: packed.ties,
            ..Self::new()
        };
        if let (Some(position), Some(item)) = (packed.position, item) {
            list.visible.items.put(position, Arc::clone(item));
        }
        list
    }

    pub(crate) fn new() -> Self {
        Self {
            invisible: BTreeMap::new(),
            outdated: BTreeSet::new(),
            ties: 0,
            visible: VisibleItems::new(),
            views: BTreeMap::new(),
        }
    }

    /// Returns the part of the list to load for all viewers. Items without a visible form are not
    /// counted.
    pub(crate) fn demand(&self, state: ListState) -> Demand {
        let views = self.views.values();
        let demands = views.map(|view| view.demand(&self.visible, state));
        let mut demand = demands.fold(Demand::NONE, Demand::max);
        if state.full_until.is_some() {
            demand.count = demand.count.min(self.visible.len());
        }
        demand
    }

    /// Returns the number of items, including invisible ones.
    pub(crate) fn len(&self) -> usize {
        self.visible.items.len() + self.invisible.len()
    }

    pub(crate) fn first_position(&self) -> Option<Position> {
        let visible = self.visible.items.position(0);
        let invisible = self.invisible.keys().next().copied();
        visible.into_iter().chain(invisible).min()
    }

    /// Returns the last item, visible or not.
    pub(crate) fn last(&self) -> Option<(Position, &T::Key)> {
        let items = &self.visible.items;
        let visible = items.last_position().zip(items.last());
        let visible = visible.map(|(position, item)| (position, item.key()));
        let invisible = self.invisible.last_key_value().map(|(p, k)| (*p, k));
        let both = visible.into_iter().chain(invisible);
        both.max_by_key(|(position, _)| *position)
    }

    pub(crate) fn last_position(&self) -> Option<Position> {
        self.last().map(|(position, _)| position)
    }

    /// Returns the key of the item at a position.
    pub(crate) fn key_at(&self, position: Position) -> Option<&T::Key> {
        let visible = self.visible.get(position).map(|item| item.key());
        visible.or_else(|| self.invisible.get(&position))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &T::Key> {
        let visible = self.visible.items.iter().map(|item| item.key());
        visible.chain(self.invisible.values())
    }

    /// Allocates a position for a new item.
    pub(crate) fn allocate(&mut self, time: i64, tie_break: TieBreak) -> Position {
        self.ties += 1;
        let tie = match tie_break {
            TieBreak::First => -self.ties,
            TieBreak::Last => self.ties,
        };
        // `ties` is at least one here, so the fallback is unreachable.
        let tie = NonZeroI64::new(tie).unwrap_or(NonZeroI64::MAX);
        Position { time, tie }
    }

    /// Adds an item that viewers wait for until [`show`](Self::show) is called. A visible item is
    /// not changed.
    pub(crate) fn insert(&mut self, position: Position, key: T::Key) {
        if self.visible.items.find(position).is_err() {
            self.invisible.insert(position, key);
            self.visible.waiting.insert(position);
        }
    }

    /// Shows an item, or another version of it.
    pub(crate) fn show(&mut self, position: Position, item: Arc<T>) {
        self.remove_invisible(position);
        self.visible.items.put(position, item);
        self.mark_changed(position);
    }

    /// Makes an item invisible, and ends the wait for it.
    pub(crate) fn hide(&mut self, position: Position) {
        self.visible.waiting.remove(&position);
        if let Some(item) = self.visible.items.remove(position) {
            self.invisible.insert(position, item.key().clone());
            for view in self.views.values_mut() {
                view.mark_removed(position, RemovalReason::Deleted);
            }
        }
    }

    pub(crate) fn remove(&mut self, position: Position, reason: RemovalReason) {
        self.forget(position);
        if self.visible.items.remove(position).is_some() {
            for view in self.views.values_mut() {
                view.mark_removed(position, reason);
            }
        }
    }

    /// Removes an item that moves to another position.
    pub(crate) fn take_out(&mut self, position: Position) {
        self.forget(position);
        if self.visible.items.remove(position).is_some() {
            self.mark_changed(position);
        }
    }

    fn forget(&mut self, position: Position) {
        self.outdated.remove(&position);
        self.remove_invisible(position);
    }

    fn remove_invisible(&mut self, position: Position) {
        self.invisible.remove(&position);
        self.visible.waiting.remove(&position);
    }

    fn mark_changed(&mut self, position: Position) {
        for view in self.views.values_mut() {
            view.mark_changed(position);
        }
    }
}
