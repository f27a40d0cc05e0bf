//! Two steps of a list taken as one.

use talk_proto::{Changes, ListChanges};

/// How a list of `len` items came to be, given the steps before and after the list in between. More
/// steps than there are items are no help: they are a reset.
pub(crate) fn compose(before: Changes, after: Changes, len: usize) -> Changes {
    let (Changes::List(before), Changes::List(after)) = (before, after) else {
        return Changes::Reset;
    };
    let changes = compose_lists(&before, &after);
    let steps = changes.removed.len() + changes.inserted.len() + changes.updated.len();
    if steps > len.max(1) {
        return Changes::Reset;
    }
    Changes::List(changes)
}

/// Whether the changes name nothing that changed: a reset never does.
pub(crate) fn names_nothing(changes: &Changes) -> bool {
    match changes {
        Changes::Reset => true,
        Changes::List(list) => {
            list.removed.is_empty() && list.inserted.is_empty() && list.updated.is_empty()
        }
        _ => false,
    }
}

/// The cost depends on the number of steps, not on the lists.
fn compose_lists(before: &ListChanges, after: &ListChanges) -> ListChanges {
    let mut changes = ListChanges::default();

    // What went in the second step and had not come in the first was in the first list.
    let mut origin = Undo::new(&before.inserted, &before.removed);
    changes.removed = merge(
        &before.removed,
        after
            .removed
            .iter()
            .filter_map(|&index| origin.before(index)),
    );

    let mut target = Follow::new(&after.removed, &after.inserted);
    changes.inserted = merge(
        &after.inserted,
        before
            .inserted
            .iter()
            .filter_map(|&index| target.after(index)),
    );

    let mut target = Follow::new(&after.removed, &after.inserted);
    changes.updated = merge(
        &after.updated,
        before
            .updated
            .iter()
            .filter_map(|&index| target.after(index)),
    );
    // What was inserted by the first step and updated by the second is new all the same.
    let inserted = &changes.inserted;
    changes
        .updated
        .retain(|index| inserted.binary_search(index).is_err());
    changes
}

/// Where items stood before a step. Indices are asked for in ascending order.
struct Undo<'a> {
    inserted: Pass<'a>,
    removed: Pass<'a>,
}

impl<'a> Undo<'a> {
    fn new(inserted: &'a [usize], removed: &'a [usize]) -> Self {
        Self {
            inserted: Pass::new(inserted),
            removed: Pass::new(removed),
        }
    }

    /// `None` when the item came with the step.
    fn before(&mut self, index: usize) -> Option<usize> {
        let kept = self.inserted.take_out(index)?;
        Some(self.removed.put_in(kept))
    }
}

/// Where items stand after a step. Indices are asked for in ascending order.
struct Follow<'a> {
    removed: Pass<'a>,
    inserted: Pass<'a>,
}

impl<'a> Follow<'a> {
    fn new(removed: &'a [usize], inserted: &'a [usize]) -> Self {
        Self {
            removed: Pass::new(removed),
            inserted: Pass::new(inserted),
        }
    }

    /// `None` when the item went with the step.
    fn after(&mut self, index: usize) -> Option<usize> {
        let kept = self.removed.take_out(index)?;
        Some(self.inserted.put_in(kept))
    }
}

/// One way through ascending indices.
struct Pass<'a> {
    indices: &'a [usize],
    passed: usize,
}

impl<'a> Pass<'a> {
    fn new(indices: &'a [usize]) -> Self {
        Self { indices, passed: 0 }
    }

    /// Where `index` stands in a list without the items at the indices; `None` when it is one of
    /// them.
    fn take_out(&mut self, index: usize) -> Option<usize> {
        while self
            .indices
            .get(self.passed)
            .is_some_and(|&taken| taken < index)
        {
            self.passed += 1;
        }
        (self.indices.get(self.passed) != Some(&index)).then_some(index - self.passed)
    }

    /// Where `index` stands in a list into which items were put so that they are at the indices.
    fn put_in(&mut self, index: usize) -> usize {
        while self
            .indices
            .get(self.passed)
            .is_some_and(|&put| put <= index + self.passed)
        {
            self.passed += 1;
        }
        index + self.passed
    }
}

/// Two ascending sequences as one, without repetition.
fn merge(left: &[usize], right: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut merged: Vec<_> = left.iter().copied().chain(right).collect();
    merged.sort_unstable();
    merged.dedup();
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An item: what it is, and its version.
    type Item = (u32, u32);

    /// Makes the step that `seed` describes, on a list and in words.
    fn step(list: &[Item], seed: &[(u8, u8)], next_id: &mut u32) -> (Vec<Item>, ListChanges) {
        let mut changes = ListChanges::default();
        let fate = |index: usize| seed.get(index % seed.len().max(1)).map_or(0, |s| s.0 % 4);
        let mut next = Vec::new();
        for (index, item) in list.iter().enumerate() {
            match fate(index) {
                0 => changes.removed.push(index),
                1 => next.push((item.0, item.1 + 1, false)),
                _ => next.push((item.0, item.1, false)),
            }
        }
        for &(_, place) in seed.iter().take(3) {
            let place = usize::from(place) % (next.len() + 1);
            next.insert(place, (*next_id, 0, true));
            *next_id += 1;
        }
        for (index, &(id, version, new)) in next.iter().enumerate() {
            if new {
                changes.inserted.push(index);
            } else if !list.contains(&(id, version)) {
                changes.updated.push(index);
            }
        }
        let next = next.iter().map(|&(id, version, _)| (id, version)).collect();
        (next, changes)
    }

    /// Applies changes as a consumer would, with `after` as the list to take items from.
    fn apply(before: &[Item], changes: &ListChanges, after: &[Item]) -> Vec<Item> {
        let mut list = before.to_vec();
        for &index in changes.removed.iter().rev() {
            list.remove(index);
        }
        for &index in &changes.inserted {
            list.insert(index, after[index]);
        }
        for &index in &changes.updated {
            assert_eq!(list[index].0, after[index].0, "another item was updated");
            list[index] = after[index];
        }
        list
    }

    proptest! {
        #[test]
        fn composed_changes_lead_where_the_steps_led(
            len in 0_u32..12,
            steps in prop::collection::vec(prop::collection::vec(any::<(u8, u8)>(), 0..6), 1..6),
        ) {
            let mut next_id = len;
            let first: Vec<Item> = (0..len).map(|id| (id, 0)).collect();
            let mut list = first.clone();
            let mut composed = ListChanges::default();
            for seed in &steps {
                let (next, changes) = step(&list, seed, &mut next_id);
                composed = compose_lists(&composed, &changes);
                list = next;
            }
            prop_assert_eq!(apply(&first, &composed, &list), list);
        }
    }

    #[test]
    fn more_steps_than_items_are_a_reset() {
        let removing = |removed: Vec<usize>| {
            let mut changes = ListChanges::default();
            changes.removed = removed;
            Changes::List(changes)
        };
        let both = compose(removing(vec![0]), removing(vec![0]), 2);
        assert_eq!(both, removing(vec![0, 1]));
        let both = compose(removing(vec![0]), removing(vec![0]), 1);
        assert_eq!(both, Changes::Reset);
    }

    #[test]
    fn what_came_and_went_is_not_told() {
        let mut come = ListChanges::default();
        come.inserted = vec![1];
        let mut go = ListChanges::default();
        go.removed = vec![1];
        assert_eq!(compose_lists(&come, &go), ListChanges::default());
    }
}
