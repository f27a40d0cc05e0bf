//! The list of results of a search.

use std::num::NonZeroI64;
use std::ops::Index;
use std::sync::Arc;
use std::vec;

use serde::{Serialize, Serializer};

use crate::live::list::items::{Items, Position};
use crate::snapshot::WindowIter;

/// The results of a search so far, newest first. Serialises as a list.
///
/// A clone shares the results, so that each update of a long search is cheap.
///
/// ```
/// # fn example(hits: &talk_proto::search::Hits<talk_proto::search::MessageHit>) {
/// for hit in hits {
///     println!("{}", hit.message.plaintext());
/// }
/// # }
/// ```
#[derive(Debug, PartialEq)]
pub struct Hits<T> {
    items: Items<T>,
}

impl<T> Hits<T> {
    pub(super) fn new() -> Self {
        Self {
            items: Items::new(),
        }
    }

    /// Adds a result after the last one.
    pub(super) fn push(&mut self, hit: Arc<T>) {
        let next = Position {
            time: i64::try_from(self.len()).unwrap_or(i64::MAX),
            tie: NonZeroI64::MIN,
        };
        self.items.put(next, hit);
    }

    /// Keeps the first results, at most `count`.
    pub(super) fn truncate(&mut self, count: usize) {
        if count < self.len() {
            self.items = self.items.take(count);
        }
    }

    /// Returns an iterator over the results.
    pub fn iter(&self) -> WindowIter<'_, T> {
        self.items.iter()
    }

    /// Returns the result at `index`, counted from the newest.
    pub fn get(&self, index: usize) -> Option<&Arc<T>> {
        self.items.get(index)
    }

    /// Returns the newest result.
    pub fn first(&self) -> Option<&Arc<T>> {
        self.items.first()
    }

    /// Returns the last result.
    pub fn last(&self) -> Option<&Arc<T>> {
        self.items.last()
    }

    /// Returns the number of results.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns `true` if there are no results.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Hits<T> {
    fn clone(&self) -> Self {
        Self {
            items: self.items.clone(),
        }
    }
}

impl<T> Default for Hits<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, T> IntoIterator for &'a Hits<T> {
    type Item = &'a Arc<T>;
    type IntoIter = WindowIter<'a, T>;

    fn into_iter(self) -> WindowIter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Hits<T> {
    type Item = Arc<T>;
    type IntoIter = vec::IntoIter<Arc<T>>;

    fn into_iter(self) -> vec::IntoIter<Arc<T>> {
        self.iter().cloned().collect::<Vec<_>>().into_iter()
    }
}

/// # Panics
/// If the index is out of bounds, as for a slice.
impl<T> Index<usize> for Hits<T> {
    type Output = Arc<T>;

    #[expect(clippy::expect_used, reason = "the contract of indexing")]
    fn index(&self, index: usize) -> &Arc<T> {
        self.get(index).expect("the index is within the results")
    }
}

impl<T: Serialize> Serialize for Hits<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Op {
        Push(u32),
        Truncate(usize),
        Keep,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            8 => any::<u32>().prop_map(Op::Push),
            1 => (0..60usize).prop_map(Op::Truncate),
            1 => Just(Op::Keep),
        ]
    }

    proptest! {
        #[test]
        fn hits_behave_as_vector(ops in prop::collection::vec(op(), 0..200)) {
            let (mut hits, mut model) = (Hits::new(), Vec::new());
            let mut kept = Vec::new();
            for op in ops {
                match op {
                    Op::Push(value) => {
                        hits.push(Arc::new(value));
                        model.push(value);
                    }
                    Op::Truncate(count) => {
                        hits.truncate(count);
                        model.truncate(count);
                    }
                    Op::Keep => kept.push((hits.clone(), model.clone())),
                }
            }
            kept.push((hits, model));
            for (hits, model) in kept {
                prop_assert_eq!(hits.len(), model.len());
                prop_assert_eq!(hits.is_empty(), model.is_empty());
                prop_assert_eq!(hits.first().map(|hit| **hit), model.first().copied());
                prop_assert_eq!(hits.last().map(|hit| **hit), model.last().copied());
                prop_assert_eq!(hits.get(model.len()), None);
                for (index, value) in model.iter().enumerate() {
                    prop_assert_eq!(*hits[index], *value);
                }
                let shown: Vec<_> = hits.iter().map(|hit| **hit).collect();
                prop_assert_eq!(&shown, &model);
                let owned: Vec<_> = hits.clone().into_iter().map(|hit| *hit).collect();
                prop_assert_eq!(&owned, &model);
                let json = serde_json::to_value(&hits).map_err(|error| error.to_string());
                prop_assert_eq!(json, Ok(serde_json::json!(model)));
            }
        }
    }

    #[test]
    fn hits_are_equal_by_value() {
        let of = |values: &[u8]| {
            let mut hits = Hits::new();
            values.iter().for_each(|&value| hits.push(Arc::new(value)));
            hits
        };
        assert_eq!(of(&[1, 2]), of(&[1, 2]));
        assert_ne!(of(&[1, 2]), of(&[1, 3]));
        assert_ne!(of(&[1, 2]), of(&[1]));
        let hits = of(&[1]);
        assert_eq!(hits.clone(), hits);
    }
}
