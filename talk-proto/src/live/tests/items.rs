//! The persistent sequence behind lists.

use std::collections::BTreeMap;
use std::num::NonZeroI64;
use std::sync::Arc;

use proptest::prelude::*;

use crate::live::list::items::{Items, Position};

fn at(time: i64) -> Position {
    Position {
        time,
        tie: NonZeroI64::MIN,
    }
}

proptest! {
    /// Any sequence of operations matches a sorted map, and earlier clones do not change.
    #[test]
    fn items_match_a_sorted_map(
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
                2 => {
                    let removed = items.remove(at(time)).map(|item| *item);
                    prop_assert_eq!(removed, model.remove(&at(time)));
                }
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
