//! What is shown of a list: items at their places.

use std::iter::Rev;
use std::num::NonZeroI64;
use std::slice;
use std::sync::Arc;

use imbl::Vector;
use imbl::shared_ptr::DefaultSharedPtr;

/// The place of an item in its list: by time, then by the server's order. It is never used for
/// another item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) time: i64,
    /// Never zero: so an `Option` of a place is no larger.
    pub(crate) tie: NonZeroI64,
}

impl Position {
    /// Behind every item.
    pub(crate) const LAST: Self = Self {
        time: i64::MAX,
        tie: NonZeroI64::MAX,
    };

    /// Whether an item of this time would lie behind the place.
    pub(crate) fn is_before(self, time: i64) -> bool {
        self.time < time
    }

    pub(crate) fn is_at(self, time: i64) -> bool {
        self.time == time
    }
}

/// How many items may stand in front, apart from the rest.
const MAX_FRONT: usize = 16;

/// Items in the order of their places.
///
/// A clone is cheap, and shares what does not change. Nearly every change is in front, and a
/// snapshot holds what was there before: the first few items are apart, for to change them a copy
/// of them is made.
#[derive(Debug)]
pub(crate) struct Items<T> {
    /// The last of them is the first of all.
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

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<T>> + ExactSizeIterator {
        Iter {
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

    /// Whether both are the same allocations.
    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.front, &other.front) && self.rest.ptr_eq(&other.rest)
    }

    fn placed(&self, index: usize) -> Option<&Placed<T>> {
        match self.front_index(index) {
            Ok(index) => self.front.get(index),
            Err(index) => self.rest.get(index),
        }
    }

    /// Where the item at `index` is in front, or else in the rest.
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

    /// The places of the items from `index` on.
    pub(crate) fn positions_from(&self, index: usize) -> impl Iterator<Item = Position> {
        (index..self.len()).filter_map(|index| self.position(index))
    }

    /// The index of a place, or the one at which it would be.
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

    /// As [`find`](Self::find), in the rest, of which the end changes most.
    fn find_in_rest(&self, position: Position) -> Result<usize, usize> {
        match self.rest.back() {
            Some(last) if position < last.position => self
                .rest
                .binary_search_by(|placed| placed.position.cmp(&position)),
            Some(last) if position == last.position => Ok(self.rest.len() - 1),
            _ => Err(self.rest.len()),
        }
    }

    /// Puts an item at a place, or another one in the stead of the one that is there.
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

    /// Takes out the item at a place.
    pub(crate) fn remove(&mut self, position: Position) -> Option<Arc<T>> {
        let index = self.find(position).ok()?;
        let placed = match self.front_index(index) {
            Ok(index) => owned(&mut self.front).remove(index),
            Err(index) => self.rest.remove(index),
        };
        Some(placed.item)
    }

    /// The first `count` items.
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

/// The front, copied unless nobody else has it, with room for one more.
fn owned<T>(front: &mut Arc<Vec<Placed<T>>>) -> &mut Vec<Placed<T>> {
    if Arc::get_mut(front).is_none() {
        let mut own = Vec::with_capacity(MAX_FRONT + 1);
        own.extend_from_slice(front);
        *front = Arc::new(own);
    }
    Arc::make_mut(front)
}

struct Iter<'a, T> {
    front: Rev<slice::Iter<'a, Placed<T>>>,
    rest: imbl::vector::Iter<'a, Placed<T>, DefaultSharedPtr>,
}

impl<'a, T> Iterator for Iter<'a, T> {
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

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let placed = self.rest.next_back().or_else(|| self.front.next_back());
        placed.map(|placed| &placed.item)
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroI64;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{Items, Position};

    fn at(time: i64) -> Position {
        Position {
            time,
            tie: NonZeroI64::MIN,
        }
    }

    proptest! {
        /// Whatever is put, set, removed and cut, it is as a sorted map has it, and clones that
        /// were made before stay as they were.
        #[test]
        fn items_are_as_in_a_sorted_map(
            steps in prop::collection::vec((0..4_u8, -40..40_i64), 0..200),
        ) {
            let (mut items, mut model) = (Items::new(), BTreeMap::new());
            let mut clones = Vec::new();
            for (step, (kind, time)) in steps.into_iter().enumerate() {
                clones.push((items.clone(), model.clone()));
                match kind {
                    0 | 1 => {
                        items.put(at(time), Arc::new(step));
                        model.insert(at(time), step);
                    }
                    2 => prop_assert_eq!(items.remove(at(time)).map(|item| *item), model.remove(&at(time))),
                    _ => {
                        let count = usize::try_from(time.unsigned_abs()).unwrap().min(model.len());
                        items = items.take(count);
                        model = model.into_iter().take(count).collect();
                    }
                }
            }
            clones.push((items, model));
            for (items, model) in clones {
                prop_assert_eq!(items.len(), model.len());
                prop_assert_eq!(items.iter().len(), model.len());
                prop_assert!(items.iter().map(|item| **item).eq(model.values().copied()));
                prop_assert!(items.iter().rev().map(|i| **i).eq(model.values().rev().copied()));
                prop_assert_eq!(items.last_position(), model.keys().last().copied());
                for (index, (position, item)) in model.iter().enumerate() {
                    prop_assert_eq!(items.get(index).map(|item| **item), Some(*item));
                    prop_assert_eq!(items.position(index), Some(*position));
                }
                for time in -41..41 {
                    let before = model.range(..at(time)).count();
                    let is_there = model.contains_key(&at(time));
                    let expected = if is_there { Ok(before) } else { Err(before) };
                    prop_assert_eq!(items.find(at(time)), expected);
                }
            }
        }
    }
}
