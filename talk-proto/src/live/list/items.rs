//! A persistent sequence of items at ordered positions.

use std::num::NonZeroI64;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

use super::tree::{Placed, Tree, replaced};

/// The position of an item in its list, ordered by time and then by the server's order. A list
/// never reuses a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) time: i64,
    /// Never zero, so that an `Option<Position>` needs no extra space.
    pub(crate) tie: NonZeroI64,
}

impl Position {
    /// The position after every item.
    pub(crate) const LAST: Self = Self {
        time: i64::MAX,
        tie: NonZeroI64::MAX,
    };

    /// Returns the position after every item of this time.
    pub(crate) fn last_at(time: i64) -> Self {
        Self {
            time,
            tie: NonZeroI64::MAX,
        }
    }

    /// Returns `true` if the position precedes every item of this time.
    pub(crate) fn is_before(self, time: i64) -> bool {
        self.time < time
    }

    pub(crate) fn is_at(self, time: i64) -> bool {
        self.time == time
    }
}

/// The maximum number of items in the front.
const MAX_FRONT: usize = 16;

/// Items ordered by position.
///
/// A clone is cheap and shares unchanged parts. Nearly all changes are at the front, while a
/// snapshot holds the old version. Therefore the first few items are stored separately: a change
/// copies only them.
#[derive(Debug)]
pub(crate) struct Items<T> {
    front: Arc<[Placed<T>]>,
    rest: Tree<T>,
}

impl<T> Clone for Items<T> {
    fn clone(&self) -> Self {
        Self {
            front: Arc::clone(&self.front),
            rest: self.rest.clone(),
        }
    }
}

/// Compares the items without their positions.
impl<T: PartialEq> PartialEq for Items<T> {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Arc<T>, &Arc<T>)| Arc::ptr_eq(a, b) || a == b;
        self.len() == other.len() && (self.ptr_eq(other) || self.iter().zip(other.iter()).all(same))
    }
}

impl<T> Items<T> {
    pub(crate) fn new() -> Self {
        Self {
            front: Arc::new([]),
            rest: Tree::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.front.len() + self.rest.len()
    }

    pub(crate) fn iter(&self) -> WindowIter<'_, T> {
        WindowIter {
            items: self,
            range: 0..self.len(),
            next: [].iter(),
            next_back: [].iter(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Arc<T>> {
        self.placed(index).map(|placed| &placed.item)
    }

    pub(crate) fn first(&self) -> Option<&Arc<T>> {
        self.get(0)
    }

    pub(crate) fn last(&self) -> Option<&Arc<T>> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Returns `true` if both are the same allocations.
    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.front, &other.front) && self.rest.ptr_eq(&other.rest)
    }

    fn placed(&self, index: usize) -> Option<&Placed<T>> {
        match index.checked_sub(self.front.len()) {
            None => self.front.get(index),
            Some(index) => self.rest.get(index),
        }
    }

    /// Returns the contiguous items around `index`, and the index within them.
    fn slice(&self, index: usize) -> Option<(&[Placed<T>], usize)> {
        match index.checked_sub(self.front.len()) {
            None => Some((&self.front, index)),
            Some(index) => self.rest.leaf(index),
        }
    }

    pub(crate) fn position(&self, index: usize) -> Option<Position> {
        self.placed(index).map(|placed| placed.position)
    }

    pub(crate) fn last_position(&self) -> Option<Position> {
        let front = || self.front.last().map(|placed| placed.position);
        self.rest.last_position().or_else(front)
    }

    /// Returns the positions of the items from `index` on.
    pub(crate) fn positions_from(&self, index: usize) -> impl Iterator<Item = Position> {
        (index..self.len()).filter_map(|index| self.position(index))
    }

    /// Returns the index of a position, or the index at which to insert it.
    pub(crate) fn find(&self, position: Position) -> Result<usize, usize> {
        match self.front.first() {
            Some(first) if position < first.position => return Err(0),
            Some(first) if position == first.position => return Ok(0),
            _ => {}
        }
        match self.front.last() {
            Some(last) if position <= last.position => self
                .front
                .binary_search_by(|placed| placed.position.cmp(&position)),
            _ => {
                let len = self.front.len();
                let found = self.rest.find(position);
                found.map(|i| i + len).map_err(|i| i + len)
            }
        }
    }

    /// Inserts or replaces the item at a position.
    pub(crate) fn put(&mut self, position: Position, item: Arc<T>) {
        match self.find(position) {
            Ok(index) => self.set(index, item),
            Err(index) => self.insert(index, Placed { position, item }),
        }
    }

    fn insert(&mut self, index: usize, placed: Placed<T>) {
        if index > self.front.len() {
            return self.rest.insert(placed);
        }
        let front = replaced(&self.front, index..index, Some(placed));
        self.front = if front.len() > MAX_FRONT {
            let (front, older) = front.split_at(MAX_FRONT / 2);
            self.rest.prepend(older);
            Arc::from(front)
        } else {
            front
        };
    }

    /// Replaces the item at `index`.
    pub(crate) fn set(&mut self, index: usize, item: Arc<T>) {
        match index.checked_sub(self.front.len()) {
            None => {
                if let Some(placed) = Arc::make_mut(&mut self.front).get_mut(index) {
                    placed.item = item;
                }
            }
            Some(index) => self.rest.set(index, item),
        }
    }

    /// Removes and returns the item at a position.
    pub(crate) fn remove(&mut self, position: Position) -> Option<Arc<T>> {
        let index = self.find(position).ok()?;
        if let Some(index) = index.checked_sub(self.front.len()) {
            return self.rest.remove(index);
        }
        let item = self.get(index).cloned();
        self.front = replaced(&self.front, index..index + 1, None);
        item
    }

    /// Returns the first `count` items.
    pub(crate) fn take(&self, count: usize) -> Self {
        match self.front.get(..count) {
            Some(front) if count < self.front.len() => Self {
                front: Arc::from(front),
                rest: Tree::new(),
            },
            _ => Self {
                front: Arc::clone(&self.front),
                rest: self.rest.take(count - self.front.len()),
            },
        }
    }
}

/// An iterator over the items of a [`Window`](crate::Window), or over the
/// [hits](crate::search::Hits) of a search.
pub struct WindowIter<'a, T> {
    items: &'a Items<T>,
    /// The indices of the remaining items.
    range: Range<usize>,
    /// Items from the start of `range` on.
    next: slice::Iter<'a, Placed<T>>,
    /// Items up to the end of `range`.
    next_back: slice::Iter<'a, Placed<T>>,
}

impl<'a, T> Iterator for WindowIter<'a, T> {
    type Item = &'a Arc<T>;

    fn next(&mut self) -> Option<&'a Arc<T>> {
        let index = self.range.next()?;
        let placed = self.next.next().or_else(|| {
            let (slice, at) = self.items.slice(index)?;
            self.next = slice.get(at..)?.iter();
            self.next.next()
        });
        placed.map(|placed| &placed.item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl<T> DoubleEndedIterator for WindowIter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let index = self.range.next_back()?;
        let placed = self.next_back.next_back().or_else(|| {
            let (slice, at) = self.items.slice(index)?;
            self.next_back = slice.get(..=at)?.iter();
            self.next_back.next_back()
        });
        placed.map(|placed| &placed.item)
    }
}

impl<T> ExactSizeIterator for WindowIter<'_, T> {}
