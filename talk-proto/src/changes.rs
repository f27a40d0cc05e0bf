//! The changes between two snapshots.

use std::collections::BTreeMap;
use std::iter::Peekable;

use serde::Serialize;

#[cfg(test)]
mod tests;

/// The changes from the previous snapshot to the next one.
///
/// Serialises as `"reset"`, `"gap"` or
/// `{"list": {"removed": […], "inserted": […], "updated": […]}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Changes {
    /// Unspecified changes: replace the previous snapshot. Snapshots other than lists always
    /// change in this way.
    Reset,
    /// A window has lost a part of its range: after a connection loss it had more than
    /// [`Limits::refetch`](crate::Limits::refetch) items to fetch again. Show the new snapshot as
    /// it is. Items between the old window and the new one may be missing.
    Gap,
    /// The steps by which a list changed.
    List(ListChanges),
}

impl Changes {
    /// Returns these changes followed by `next`. More than `limit` steps become a
    /// [`Changes::Reset`], so that a slow consumer costs a bounded amount of memory. The length of
    /// the newer list is a good limit.
    ///
    /// ```
    /// use talk_proto::changes::{Changes, ListChanges};
    ///
    /// let mut insert = ListChanges::default();
    /// insert.inserted.push(0);
    /// let twice = Changes::List(insert.clone()).then(Changes::List(insert), 10);
    /// let Changes::List(twice) = twice else { unreachable!() };
    /// assert_eq!(twice.inserted, [0, 1]);
    /// ```
    #[must_use]
    pub fn then(self, next: Self, limit: usize) -> Self {
        match (self, next) {
            (Self::List(first), Self::List(next)) => {
                let both = first.then(&next);
                if both.len() > limit {
                    Self::Reset
                } else {
                    Self::List(both)
                }
            }
            (Self::Gap, _) | (_, Self::Gap) => Self::Gap,
            (Self::Reset, _) | (_, Self::Reset) => Self::Reset,
        }
    }
}

/// The steps from one list to the next: remove, insert, then update items. The items themselves
/// are in the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListChanges {
    /// Removed items, ascending by their indices in the previous list.
    pub removed: Vec<Removal>,
    /// Indices in the next list, ascending.
    pub inserted: Vec<usize>,
    /// Indices in the next list, ascending, without the inserted ones.
    pub updated: Vec<usize>,
}

/// An item that is no longer at its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removal {
    /// The index in the previous list.
    pub index: usize,
    /// The reason.
    pub reason: RemovalReason,
}

impl Removal {
    /// Creates a removal.
    pub fn new(index: usize, reason: RemovalReason) -> Self {
        Self { index, reason }
    }
}

/// The reason for the removal of an item from a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RemovalReason {
    /// The item was deleted.
    Deleted,
    /// The participant left the conversation, or the current user did.
    Left,
    /// The item no longer matches the filter of the list.
    Filtered,
    /// The window no longer reaches to the item, which still exists.
    Evicted,
    /// The item has moved.
    Moved {
        /// Its index in the next list, which is among the inserted ones.
        to: usize,
    },
}

impl ListChanges {
    /// Returns the number of steps.
    pub fn len(&self) -> usize {
        self.removed.len() + self.inserted.len() + self.updated.len()
    }

    /// Returns `true` if there is no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns these steps followed by `next`, in time proportional to the number of steps.
    ///
    /// ```
    /// use talk_proto::changes::{ListChanges, Removal, RemovalReason};
    ///
    /// let mut came = ListChanges::default();
    /// came.inserted.push(0);
    /// let mut went = ListChanges::default();
    /// went.removed.push(Removal::new(0, RemovalReason::Deleted));
    /// assert!(came.then(&went).is_empty(), "it came and went");
    /// ```
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        // An item removed by `next` was either in the first list, or was inserted by `self` and
        // never visible.
        let self_removed = indices(&self.removed);
        let next_removed = indices(&next.removed);
        let before = counterparts(&next_removed, &self.inserted, &self_removed);
        let removed = next.removed.iter().zip(before);
        let mut removed: Vec<Removal> = removed
            .filter_map(|(removal, index)| Some(Removal::new(index?, removal.reason)))
            .collect();
        let moves = self.moves_after(next, &next_removed);
        removed.extend(self.removed.iter().map(|removal| match removal.reason {
            RemovalReason::Moved { to } => Removal {
                reason: moves.get(&to).copied().unwrap_or(removal.reason),
                ..*removal
            },
            _ => *removal,
        }));
        removed.sort_unstable_by_key(|removal| removal.index);
        removed.dedup_by_key(|removal| removal.index);
        let after = |indices| counterparts(indices, &next_removed, &next.inserted);
        let mut inserted = after(&self.inserted).into_iter().flatten().collect();
        merge(&mut inserted, &next.inserted);
        let mut updated = after(&self.updated).into_iter().flatten().collect();
        merge(&mut updated, &next.updated);
        let mut new = inserted.iter().peekable();
        updated.retain(|&index| !contains(&mut new, index));

        Self {
            removed,
            inserted,
            updated,
        }
    }

    /// Returns the reason that each move of these steps has after `next`, by the index in between.
    fn moves_after(&self, next: &Self, next_removed: &[usize]) -> BTreeMap<usize, RemovalReason> {
        let mut targets: Vec<usize> = self
            .removed
            .iter()
            .filter_map(|removal| match removal.reason {
                RemovalReason::Moved { to } => Some(to),
                _ => None,
            })
            .collect();
        targets.sort_unstable();
        let after = counterparts(&targets, next_removed, &next.inserted);
        let reason = |(target, after): (&usize, Option<usize>)| {
            let removed = next_removed.binary_search(target).ok();
            let removed = removed.and_then(|at| next.removed.get(at));
            let moved = after.map(|to| RemovalReason::Moved { to });
            Some((*target, removed.map(|removal| removal.reason).or(moved)?))
        };
        targets.iter().zip(after).filter_map(reason).collect()
    }

    /// Applies the steps to a copy of `before`, taking new items from `after`.
    ///
    /// If the steps lead from `before` to `after`, the result equals `after`. Indices out of bounds
    /// are skipped.
    ///
    /// ```
    /// use talk_proto::changes::{ListChanges, Removal, RemovalReason};
    ///
    /// let mut changes = ListChanges::default();
    /// changes.removed.push(Removal::new(1, RemovalReason::Moved { to: 0 }));
    /// changes.inserted.push(0);
    /// assert_eq!(changes.apply(&["b", "a"], &["c", "b"]), ["c", "b"]);
    /// ```
    pub fn apply<T: Clone>(&self, before: &[T], after: &[T]) -> Vec<T> {
        let removed = indices(&self.removed);
        let mut removed = removed.iter().peekable();
        let mut inserted = self.inserted.iter().peekable();
        let mut updated = self.updated.iter().peekable();
        let mut kept = before
            .iter()
            .enumerate()
            .filter(|(index, _)| !contains(&mut removed, *index))
            .map(|(_, item)| item);
        let mut list = Vec::with_capacity(after.len());
        loop {
            let index = list.len();
            let item = if contains(&mut inserted, index) {
                after.get(index)
            } else {
                let old = kept.next();
                if contains(&mut updated, index) {
                    after.get(index)
                } else {
                    old
                }
            };
            let Some(item) = item else { return list };
            list.push(item.clone());
        }
    }
}

fn indices(removals: &[Removal]) -> Vec<usize> {
    removals.iter().map(|removal| removal.index).collect()
}

/// Returns the counterparts of ascending `indices` on the other side of a step. `absent` are the
/// indices on the near side without a counterpart, `extra` those on the far side.
fn counterparts(indices: &[usize], absent: &[usize], extra: &[usize]) -> Vec<Option<usize>> {
    let (mut absent, mut extra) = (absent.iter().peekable(), extra.iter().peekable());
    let (mut absent_before, mut extra_before) = (0, 0);
    let counterpart = |&index: &usize| {
        while absent.next_if(|&&absent| absent < index).is_some() {
            absent_before += 1;
        }
        if absent.peek() == Some(&&index) {
            return None;
        }
        let rank = index.saturating_sub(absent_before);
        while extra
            .next_if(|&&extra| extra <= rank + extra_before)
            .is_some()
        {
            extra_before += 1;
        }
        Some(rank + extra_before)
    };
    indices.iter().map(counterpart).collect()
}

/// Merges one ascending list into another without duplicates.
fn merge(into: &mut Vec<usize>, other: &[usize]) {
    into.extend_from_slice(other);
    into.sort_unstable();
    into.dedup();
}

/// Returns `true` if `index` is in an ascending list. Successive calls pass ascending indices.
fn contains<'a>(list: &mut Peekable<impl Iterator<Item = &'a usize>>, index: usize) -> bool {
    while list.next_if(|&&other| other < index).is_some() {}
    list.peek().is_some_and(|&&other| other == index)
}
