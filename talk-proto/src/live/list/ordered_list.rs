//! An ordered list of items, as much of it as is loaded, and those who look at it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroI64;
use std::sync::Arc;

use super::items::{Items, Position};
use super::view::{ListState, ListView};
use crate::command::RequestId;
use crate::live::key::ViewerId;
use crate::live::stores::store::List;

/// Which of the items with an equal time a new one goes before, or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Front,
    Back,
}

/// What is shown of an item.
pub(crate) trait ListItem: PartialEq {
    /// What the item is found by.
    type Key: Clone;

    fn key(&self) -> &Self::Key;
}

/// The loaded items in order.
///
/// Those whose nested data is known are in a persistent vector, of which a snapshot is a clone.
pub(crate) struct OrderedList<T: ListItem> {
    /// Items without a face: those that wait for nested data, and those that have nothing to show.
    faceless: BTreeMap<Position, T::Key>,
    /// How many places were made.
    ties: i64,
    pub(crate) shown: VisibleItems<T>,
    /// Boxed, as [`Stores`](crate::live::stores::table::Stores) are.
    pub(crate) views: BTreeMap<ViewerId, Box<ListView<T>>>,
}

/// What can be shown of a list.
pub(crate) struct VisibleItems<T> {
    pub(crate) items: Items<T>,
    /// Items whose nested data is not yet known.
    pub(crate) waiting: BTreeSet<Position>,
}

impl<T> VisibleItems<T> {
    /// How many items there are, those aside that have nothing to show.
    pub(crate) fn len(&self) -> usize {
        self.items.len() + self.waiting.len()
    }

    /// The place of the last item, whether or not its nested data is known.
    pub(crate) fn last(&self) -> Option<Position> {
        let shown = self.items.last_position();
        shown.max(self.waiting.last().copied())
    }

    /// How many items there are up to and including `position`.
    pub(crate) fn count_until(&self, position: Position) -> usize {
        if position == Position::LAST {
            return self.items.len();
        }
        match self.items.find(position) {
            Ok(index) => index + 1,
            Err(index) => index,
        }
    }

    /// The items up to and including `position` that are waited for. Mostly none are anywhere.
    pub(crate) fn waiting_until(&self, position: Position) -> impl Iterator<Item = Position> {
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

impl<T: ListItem> List for OrderedList<T> {
    fn load_more(&mut self, viewer: ViewerId, request: RequestId, count: usize) {
        if let Some(view) = self.views.get_mut(&viewer) {
            view.load_more(request, count);
        }
    }

    fn cancel_more(&mut self, viewer: ViewerId, request: RequestId) {
        if let Some(view) = self.views.get_mut(&viewer) {
            view.cancel(request);
        }
    }
}

impl<T: ListItem> OrderedList<T> {
    pub(crate) fn new() -> Self {
        Self {
            faceless: BTreeMap::new(),
            ties: 0,
            shown: VisibleItems {
                items: Items::new(),
                waiting: BTreeSet::new(),
            },
            views: BTreeMap::new(),
        }
    }

    pub(crate) fn viewers(&self) -> Vec<ViewerId> {
        self.views.keys().copied().collect()
    }

    pub(crate) fn add_viewer(&mut self, viewer: ViewerId) {
        self.views.insert(viewer, Box::new(ListView::new()));
    }

    /// Returns the requests for more that the viewer had open.
    pub(crate) fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        let view = self.views.remove(&viewer);
        view.map_or_else(Vec::new, |mut view| view.take_requests())
    }

    /// How many items must be loaded to show all who look what they want, and how many are; `None`
    /// when nobody looks. Those that have nothing to show do not count.
    pub(crate) fn wants(&self, state: ListState) -> Option<(usize, usize)> {
        let views = self.views.values();
        let wanted = views.map(|view| view.wants(&self.shown, state)).max()?;
        let loaded = self.shown.len();
        Some(if state.full {
            (wanted.min(loaded), loaded)
        } else {
            (wanted, loaded)
        })
    }

    /// How many items there are, those without a face included.
    pub(crate) fn len(&self) -> usize {
        self.shown.items.len() + self.faceless.len()
    }

    pub(crate) fn first(&self) -> Option<(Position, &T::Key)> {
        let shown = self.item(0);
        let faceless = self.faceless.first_key_value().map(|(p, k)| (*p, k));
        let both = shown.into_iter().chain(faceless);
        both.min_by_key(|(position, _)| *position)
    }

    pub(crate) fn last(&self) -> Option<(Position, &T::Key)> {
        let last = self.shown.items.len().checked_sub(1);
        let shown = last.and_then(|last| self.item(last));
        let faceless = self.faceless.last_key_value().map(|(p, k)| (*p, k));
        let both = shown.into_iter().chain(faceless);
        both.max_by_key(|(position, _)| *position)
    }

    fn item(&self, index: usize) -> Option<(Position, &T::Key)> {
        let items = &self.shown.items;
        Some((items.position(index)?, items.get(index)?.key()))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &T::Key> {
        let shown = self.shown.items.iter().map(|item| item.key());
        shown.chain(self.faceless.values())
    }

    /// A place for an item that is not in the list, at one end of those with its time.
    pub(crate) fn place(&mut self, time: i64, end: End) -> Position {
        self.ties += 1;
        let tie = match end {
            End::Front => -self.ties,
            End::Back => self.ties,
        };
        // There was one before: it is not zero.
        let tie = NonZeroI64::new(tie).unwrap_or(NonZeroI64::MAX);
        Position { time, tie }
    }

    /// Takes up an item; it is shown when [`OrderedList::show`] gives it a face.
    pub(crate) fn insert(&mut self, position: Position, key: T::Key) {
        self.faceless.insert(position, key);
        self.shown.waiting.insert(position);
    }

    /// Takes up an item unless it is shown by now.
    pub(crate) fn insert_unless_shown(&mut self, position: Position, key: T::Key) {
        if self.shown.items.find(position).is_err() {
            self.insert(position, key);
        }
    }

    /// Shows a new item, or another version of it.
    pub(crate) fn show(&mut self, position: Position, item: Arc<T>) {
        self.forget_faceless(position);
        self.shown.items.put(position, item);
        self.touch(position);
    }

    /// Shows the item no more and waits for it no more, but knows its place.
    pub(crate) fn hide(&mut self, position: Position) {
        self.shown.waiting.remove(&position);
        if let Some(item) = self.shown.items.remove(position) {
            self.faceless.insert(position, item.key().clone());
            self.touch(position);
        }
    }

    pub(crate) fn remove(&mut self, position: Position) {
        self.forget_faceless(position);
        if self.shown.items.remove(position).is_some() {
            self.touch(position);
        }
    }

    fn forget_faceless(&mut self, position: Position) {
        self.faceless.remove(&position);
        self.shown.waiting.remove(&position);
    }

    fn touch(&mut self, position: Position) {
        for view in self.views.values_mut() {
            view.touch(position);
        }
    }
}
