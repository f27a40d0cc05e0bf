//! A persistent tree of items at ordered positions.

use std::sync::Arc;

use super::items::Position;

/// The maximum number of entries in a node. Trees are deep in unit tests.
const MAX: usize = if cfg!(test) { 4 } else { 32 };

/// An item at its position.
#[derive(Debug)]
pub(crate) struct Placed<T> {
    pub(crate) position: Position,
    pub(crate) item: Arc<T>,
}

impl<T> Clone for Placed<T> {
    fn clone(&self) -> Self {
        Self {
            position: self.position,
            item: Arc::clone(&self.item),
        }
    }
}

/// A B+ tree that counts its items. A clone shares all nodes, and a change copies the path to one
/// leaf.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    root: Option<Arc<Part<T>>>,
}

/// Consecutive items, at least one.
#[derive(Debug)]
struct Part<T> {
    len: usize,
    /// The position of the last item.
    last: Position,
    node: Node<T>,
}

#[derive(Debug)]
enum Node<T> {
    Leaf(Arc<[Placed<T>]>),
    Branch(Arc<[Part<T>]>),
}

impl<T> Clone for Tree<T> {
    fn clone(&self) -> Self {
        Self {
            root: self.root.clone(),
        }
    }
}

impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        let node = match &self.node {
            Node::Leaf(items) => Node::Leaf(Arc::clone(items)),
            Node::Branch(parts) => Node::Branch(Arc::clone(parts)),
        };
        Self { node, ..*self }
    }
}

impl<T> Tree<T> {
    pub(crate) const fn new() -> Self {
        Self { root: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.root.as_ref().map_or(0, |root| root.len)
    }

    pub(crate) fn last_position(&self) -> Option<Position> {
        self.root.as_ref().map(|root| root.last)
    }

    /// Returns `true` if both are the same allocation.
    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        match (&self.root, &other.root) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        }
    }

    /// Returns the items of the leaf that contains `index`, and the index within them.
    pub(crate) fn leaf(&self, mut index: usize) -> Option<(&[Placed<T>], usize)> {
        let mut part = &**self.root.as_ref()?;
        loop {
            match &part.node {
                Node::Leaf(items) => return Some((items, index)),
                Node::Branch(parts) => {
                    let at = locate(parts, &mut index)?;
                    part = parts.get(at)?;
                }
            }
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Placed<T>> {
        let (items, index) = self.leaf(index)?;
        items.get(index)
    }

    /// Returns the index of a position, or the index at which to insert it.
    pub(crate) fn find(&self, position: Position) -> Result<usize, usize> {
        let mut before = 0;
        let mut part = match &self.root {
            Some(root) if root.last < position => return Err(root.len),
            Some(root) => &**root,
            None => return Err(0),
        };
        loop {
            match &part.node {
                Node::Leaf(items) => {
                    let found = items.binary_search_by(|placed| placed.position.cmp(&position));
                    return found.map(|at| before + at).map_err(|at| before + at);
                }
                Node::Branch(parts) => {
                    let at = parts.partition_point(|part| part.last < position);
                    let (earlier, rest) = parts.split_at(at);
                    before += earlier.iter().map(|part| part.len).sum::<usize>();
                    // The last position of the whole is not before `position`.
                    let Some(first) = rest.first() else {
                        return Err(before);
                    };
                    part = first;
                }
            }
        }
    }

    /// Inserts an item at its position, at which there is none.
    pub(crate) fn insert(&mut self, placed: Placed<T>) {
        match &mut self.root {
            None => self.root = Part::leaf(Arc::new([placed])).map(Arc::new),
            Some(root) => {
                let second = Arc::make_mut(root).insert(placed);
                self.grow(second);
            }
        }
    }

    /// Adds items before all others.
    pub(crate) fn prepend(&mut self, items: &[Placed<T>]) {
        match &mut self.root {
            None => self.root = Part::leaf(Arc::from(items)).map(Arc::new),
            Some(root) => {
                let second = Arc::make_mut(root).prepend(items);
                self.grow(second);
            }
        }
    }

    /// Adds the second half of a root that was split.
    fn grow(&mut self, second: Option<Part<T>>) {
        if let Some(second) = second
            && let Some(first) = self.root.take()
        {
            let parts = Arc::new([Arc::unwrap_or_clone(first), second]);
            self.root = Part::branch(parts).map(Arc::new);
        }
    }

    /// Replaces the item at `index`.
    pub(crate) fn set(&mut self, mut index: usize, item: Arc<T>) {
        let Some(root) = &mut self.root else { return };
        let mut part = Arc::make_mut(root);
        loop {
            match &mut part.node {
                Node::Leaf(items) => {
                    if let Some(placed) = Arc::make_mut(items).get_mut(index) {
                        placed.item = item;
                    }
                    return;
                }
                Node::Branch(parts) => {
                    let at = locate(parts, &mut index);
                    let Some(next) = at.and_then(|at| Arc::make_mut(parts).get_mut(at)) else {
                        return;
                    };
                    part = next;
                }
            }
        }
    }

    /// Removes and returns the item at `index`.
    pub(crate) fn remove(&mut self, index: usize) -> Option<Arc<T>> {
        let root = self.root.as_mut().filter(|root| index < root.len)?;
        let root = Arc::make_mut(root);
        let item = root.remove(index);
        match &root.node {
            _ if root.len == 0 => self.root = None,
            Node::Branch(parts) if parts.len() == 1 => {
                self.root = parts.first().cloned().map(Arc::new);
            }
            _ => {}
        }
        item
    }

    /// Returns the first `count` items.
    pub(crate) fn take(&self, count: usize) -> Self {
        let root = match &self.root {
            Some(root) if count >= root.len => Some(Arc::clone(root)),
            Some(root) => root.take(count).map(Arc::new),
            None => None,
        };
        Self { root }
    }
}

impl<T> Part<T> {
    fn leaf(items: Arc<[Placed<T>]>) -> Option<Self> {
        Some(Self {
            len: items.len(),
            last: items.last()?.position,
            node: Node::Leaf(items),
        })
    }

    fn branch(parts: Arc<[Self]>) -> Option<Self> {
        Some(Self {
            len: parts.iter().map(|part| part.len).sum(),
            last: parts.last()?.last,
            node: Node::Branch(parts),
        })
    }

    /// Inserts an item. Returns the second half of a node that was full.
    fn insert(&mut self, placed: Placed<T>) -> Option<Self> {
        let second = match &mut self.node {
            Node::Leaf(items) => {
                let at = items.partition_point(|other| other.position < placed.position);
                insert(items, at, placed).and_then(Self::leaf)
            }
            Node::Branch(parts) => {
                let at = parts.partition_point(|part| part.last < placed.position);
                let at = at.min(parts.len().saturating_sub(1));
                let child = Arc::make_mut(parts).get_mut(at);
                let second = child.and_then(|child| child.insert(placed));
                second.and_then(|second| insert(parts, at + 1, second).and_then(Self::branch))
            }
        };
        self.update(1, second.as_ref());
        second
    }

    /// Adds items before all others. Returns the second half of a node that was full.
    fn prepend(&mut self, items: &[Placed<T>]) -> Option<Self> {
        let second = match &mut self.node {
            Node::Leaf(own) if own.len() + items.len() <= MAX => {
                *own = items.iter().chain(&**own).cloned().collect();
                None
            }
            Node::Leaf(own) => Self::leaf(std::mem::replace(own, Arc::from(items))),
            Node::Branch(parts) => {
                let child = Arc::make_mut(parts).first_mut();
                let second = child.and_then(|child| child.prepend(items));
                second.and_then(|second| insert(parts, 1, second).and_then(Self::branch))
            }
        };
        self.update(items.len(), second.as_ref());
        second
    }

    /// Updates the counts after `added` items were added and `second` was split off.
    fn update(&mut self, added: usize, second: Option<&Self>) {
        self.len = (self.len + added).saturating_sub(second.map_or(0, |second| second.len));
        self.update_last();
    }

    fn update_last(&mut self) {
        let last = match &self.node {
            Node::Leaf(items) => items.last().map(|placed| placed.position),
            Node::Branch(parts) => parts.last().map(|part| part.last),
        };
        self.last = last.unwrap_or(self.last);
    }

    /// Removes and returns the item at `index`. The part may be left without items.
    fn remove(&mut self, mut index: usize) -> Option<Arc<T>> {
        let item = match &mut self.node {
            Node::Leaf(items) => {
                let item = Arc::clone(&items.get(index)?.item);
                *items = replaced(items, index..index + 1, None);
                item
            }
            Node::Branch(parts) => {
                let at = locate(parts, &mut index)?;
                let child = Arc::make_mut(parts).get_mut(at)?;
                let item = child.remove(index)?;
                if child.len == 0 {
                    *parts = replaced(parts, at..at + 1, None);
                } else {
                    merge(parts, at);
                }
                item
            }
        };
        self.len -= 1;
        self.update_last();
        Some(item)
    }

    /// Returns the first `count` items, or `None` if these are none.
    fn take(&self, count: usize) -> Option<Self> {
        match &self.node {
            Node::Leaf(items) => Self::leaf(Arc::from(items.get(..count)?)),
            Node::Branch(parts) => {
                let mut index = count.checked_sub(1)?;
                let at = locate(parts, &mut index)?;
                let (whole, rest) = parts.split_at(at);
                let part = rest.first()?.take(index + 1)?;
                Self::branch(whole.iter().cloned().chain([part]).collect())
            }
        }
    }

    /// Returns both parts as one node, if they are small.
    fn joined(&self, next: &Self) -> Option<Self> {
        const SMALL: usize = MAX / 2;
        match (&self.node, &next.node) {
            (Node::Leaf(a), Node::Leaf(b)) if a.len() + b.len() <= SMALL => {
                Self::leaf(a.iter().chain(&**b).cloned().collect())
            }
            (Node::Branch(a), Node::Branch(b)) if a.len() + b.len() <= SMALL => {
                Self::branch(a.iter().chain(&**b).cloned().collect())
            }
            _ => None,
        }
    }
}

/// Returns the index of the part that contains item `index`, and makes `index` relative to it.
fn locate<T>(parts: &[Part<T>], index: &mut usize) -> Option<usize> {
    parts.iter().position(|part| {
        let is_here = *index < part.len;
        if !is_here {
            *index -= part.len;
        }
        is_here
    })
}

/// Joins a part with a neighbour if both are small, so that the tree stays flat.
fn merge<T>(parts: &mut Arc<[Part<T>]>, at: usize) {
    for first in [Some(at), at.checked_sub(1)].into_iter().flatten() {
        if let Some([a, b, ..]) = parts.get(first..)
            && let Some(both) = a.joined(b)
        {
            *parts = replaced(parts, first..first + 2, Some(both));
            return;
        }
    }
}

/// Inserts an entry. Returns the second half of a node that was full.
fn insert<E: Clone>(entries: &mut Arc<[E]>, at: usize, entry: E) -> Option<Arc<[E]>> {
    if entries.len() < MAX {
        *entries = replaced(entries, at..at, Some(entry));
        return None;
    }
    // Most entries arrive at an end. A split there leaves a full node behind.
    let half = match at {
        0 | MAX => at,
        _ => MAX / 2,
    };
    let (first, second) = entries.split_at(half);
    let (first, second) = match at.checked_sub(half.max(1)) {
        None => (replaced(first, at..at, Some(entry)), Arc::from(second)),
        Some(at) => (Arc::from(first), replaced(second, at..at, Some(entry))),
    };
    *entries = first;
    Some(second)
}

/// Returns a copy of the entries in which `entry` replaces those in `range`.
pub(super) fn replaced<E: Clone>(
    entries: &[E],
    range: std::ops::Range<usize>,
    entry: Option<E>,
) -> Arc<[E]> {
    let before = entries.iter().take(range.start).cloned();
    let after = entries.iter().skip(range.end).cloned();
    before.chain(entry).chain(after).collect()
}
