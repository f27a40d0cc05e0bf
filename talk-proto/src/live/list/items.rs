//! A persistent sequence of items at ordered positions.

use std::iter::Rev;
use std::num::NonZeroI64;
use std::slice;
use std::sync::Arc;

use imbl::Vector;
use imbl::shared_ptr::DefaultSharedPtr;

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
    /// The first items in reverse order.
    front: Arc<Vec<Placed<T>>>,
    rest: Vector<Placed<T>>,
}

#[derive(Debug)]
struct Placed<T> {
    position: Position,
    item: Arc<T>,
}

impl<T> Clone for Placed<T> {
    fn clone(&self) -> Self {
        Self {
            position: self.position,
            item: Arc::clone(&self.item),
        }
    }
}

impl<T> Clone for Items<T> {
    fn clone(&self) -> Self {
        Self {
            front: Arc::clone(&self.front),
            rest: self.rest.clone(),
        }
    }
}

impl<T> Items<T> {
    pub(crate) fn new() -> Self {
        Self {
            front: Arc::default(),
            rest: Vector::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.front.len() + self.rest.len()
    }

    pub(crate) fn iter(&self) -> WindowIter<'_, T> {
        WindowIter {
            front: self.front.iter().rev(),
            rest: self.rest.iter(),
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
        match self.front_index(index) {
            Ok(index) => self.front.get(index),
            Err(index) => self.rest.get(index),
        }
    }

    /// Returns `Ok` with the index in `front`, or `Err` with the index in `rest`.
    fn front_index(&self, index: usize) -> Result<usize, usize> {
        match index.checked_sub(self.front.len()) {
            None => Ok(self.front.len() - 1 - index),
            Some(index) => Err(index),
        }
    }

    pub(crate) fn position(&self, index: usize) -> Option<Position> {
        self.placed(index).map(|placed| placed.position)
    }

    pub(crate) fn last_position(&self) -> Option<Position> {
        let last = self.rest.back().or_else(|| self.front.first());
        last.map(|placed| placed.position)
    }

    /// Returns the positions of the items from `index` on.
    pub(crate) fn positions_from(&self, index: usize) -> impl Iterator<Item = Position> {
        (index..self.len()).filter_map(|index| self.position(index))
    }

    /// Returns the index of a position, or the index at which to insert it.
    pub(crate) fn find(&self, position: Position) -> Result<usize, usize> {
        match self.front.last() {
            Some(first) if position < first.position => return Err(0),
            Some(first) if position == first.position => return Ok(0),
            _ => {}
        }
        let len = self.front.len();
        match self.rest.front() {
            Some(first) if first.position <= position => {
                let found = self.find_in_rest(position);
                found.map(|i| i + len).map_err(|i| i + len)
            }
            _ => {
                let found = self
                    .front
                    .binary_search_by(|placed| position.cmp(&placed.position));
                found.map(|i| len - 1 - i).map_err(|i| len - i)
            }
        }
    }

    /// Searches `rest`. The last item is compared first, because most changes of `rest` are at its
    /// end.
    fn find_in_rest(&self, position: Position) -> Result<usize, usize> {
        match self.rest.back() {
            Some(last) if position < last.position => self
                .rest
                .binary_search_by(|placed| placed.position.cmp(&position)),
            Some(last) if position == last.position => Ok(self.rest.len() - 1),
            _ => Err(self.rest.len()),
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
        match index.checked_sub(self.front.len()) {
            Some(index) if index > 0 => self.rest.insert(index, placed),
            _ => {
                let front = owned(&mut self.front);
                let at = front.len().saturating_sub(index);
                front.insert(at, placed);
                if front.len() > MAX_FRONT {
                    let older = front.drain(..MAX_FRONT / 2);
                    for placed in older {
                        self.rest.push_front(placed);
                    }
                }
            }
        }
    }

    /// Replaces the item at `index`.
    pub(crate) fn set(&mut self, index: usize, item: Arc<T>) {
        let placed = match self.front_index(index) {
            Ok(index) => owned(&mut self.front).get_mut(index),
            Err(index) => self.rest.get_mut(index),
        };
        if let Some(placed) = placed {
            placed.item = item;
        }
    }

    /// Removes and returns the item at a position.
    pub(crate) fn remove(&mut self, position: Position) -> Option<Arc<T>> {
        let index = self.find(position).ok()?;
        let placed = match self.front_index(index) {
            Ok(index) => owned(&mut self.front).remove(index),
            Err(index) => self.rest.remove(index),
        };
        Some(placed.item)
    }

    /// Returns the first `count` items.
    pub(crate) fn take(&self, count: usize) -> Self {
        if count == self.len() {
            return self.clone();
        }
        match self.front.len().checked_sub(count) {
            Some(older) => Self {
                front: Arc::new(self.front[older..].to_vec()),
                rest: Vector::new(),
            },
            None => Self {
                front: Arc::clone(&self.front),
                rest: self.rest.take(count - self.front.len()),
            },
        }
    }
}

/// Returns the front, copied if it is shared, with capacity for one more item.
fn owned<T>(front: &mut Arc<Vec<Placed<T>>>) -> &mut Vec<Placed<T>> {
    if Arc::get_mut(front).is_none() {
        let mut own = Vec::with_capacity(MAX_FRONT + 1);
        own.extend_from_slice(front);
        *front = Arc::new(own);
    }
    Arc::make_mut(front)
}

/// An iterator over the items of a [`Window`](crate::Window).
pub struct WindowIter<'a, T> {
    front: Rev<slice::Iter<'a, Placed<T>>>,
    rest: imbl::vector::Iter<'a, Placed<T>, DefaultSharedPtr>,
}

impl<'a, T> Iterator for WindowIter<'a, T> {
    type Item = &'a Arc<T>;

    fn next(&mut self) -> Option<&'a Arc<T>> {
        let placed = self.front.next().or_else(|| self.rest.next());
        placed.map(|placed| &placed.item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.front.len() + self.rest.len();
        (len, Some(len))
    }
}

impl<T> DoubleEndedIterator for WindowIter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let placed = self.rest.next_back().or_else(|| self.front.next_back());
        placed.map(|placed| &placed.item)
    }
}

impl<T> ExactSizeIterator for WindowIter<'_, T> {}
