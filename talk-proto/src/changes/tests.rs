//! Changes: composition and application.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Changes, ListChanges, Removal, RemovalReason};

/// An edit of a list: its kind, and its place in thousandths of the length.
type Edit = (u8, u16);

/// The list after `edits`, and its changes. Items are (identity, version).
fn edit(list: &[(u32, u32)], edits: &[Edit], next: &mut u32) -> (Vec<(u32, u32)>, ListChanges) {
    let mut after = list.to_vec();
    for (kind, place) in edits {
        let at = usize::from(*place) * (after.len() + 1) / 1000;
        *next += 1;
        match kind {
            0 => after.insert(at.min(after.len()), (*next, 0)),
            1 if at < after.len() => drop(after.remove(at)),
            _ if at < after.len() => after[at].1 = *next,
            _ => {}
        }
    }
    let position = |list: &[(u32, u32)], id: u32| list.iter().position(|(other, _)| *other == id);
    let changes = ListChanges {
        removed: (0..list.len())
            .filter(|&i| position(&after, list[i].0).is_none())
            .map(|i| Removal::new(i, RemovalReason::Deleted))
            .collect(),
        inserted: (0..after.len())
            .filter(|&i| position(list, after[i].0).is_none())
            .collect(),
        updated: (0..after.len())
            .filter(|&i| position(list, after[i].0).is_some_and(|old| list[old] != after[i]))
            .collect(),
    };
    (after, changes)
}

proptest! {
    #[test]
    fn changes_then_leads_from_the_last_seen_list(
        history in vec((vec((0..3_u8, 0..1000_u16), 0..6), any::<bool>()), 1..12),
    ) {
        let mut next = 0;
        let mut now: Vec<(u32, u32)> = Vec::new();
        let mut seen = now.clone();
        let mut pending = ListChanges::default();
        for (edits, polled) in history {
            let (after, changes) = edit(&now, &edits, &mut next);
            prop_assert_eq!(&changes.apply(&now, &after), &after);
            pending = pending.then(&changes);
            now = after;
            prop_assert_eq!(&pending.apply(&seen, &now), &now);
            let came = pending.inserted.iter().filter(|i| pending.updated.contains(i));
            prop_assert_eq!(came.count(), 0);
            if polled {
                seen = now.clone();
                pending = ListChanges::default();
            }
        }
    }
}

#[test]
fn changes_then_above_the_limit_is_a_reset() {
    let inserted = |index| {
        Changes::List(ListChanges {
            inserted: vec![index],
            ..ListChanges::default()
        })
    };
    assert_ne!(inserted(0).then(inserted(1), 2), Changes::Reset);
    assert_eq!(inserted(0).then(inserted(1), 1), Changes::Reset);
    assert_eq!(Changes::Reset.then(inserted(1), 9), Changes::Reset);
    assert_eq!(inserted(1).then(Changes::Reset, 9), Changes::Reset);
}

#[test]
fn move_then_change_keeps_the_final_reason() {
    let moved = |from, to| ListChanges {
        removed: vec![Removal::new(from, RemovalReason::Moved { to })],
        inserted: vec![to],
        updated: Vec::new(),
    };
    let deleted = ListChanges {
        removed: vec![Removal::new(0, RemovalReason::Deleted)],
        ..ListChanges::default()
    };
    let both = moved(3, 0).then(&deleted);
    assert_eq!(both.removed, [Removal::new(3, RemovalReason::Deleted)]);
    assert!(both.inserted.is_empty());
    assert_eq!(
        moved(3, 0).then(&moved(2, 0)).removed,
        [
            Removal::new(1, RemovalReason::Moved { to: 0 }),
            Removal::new(3, RemovalReason::Moved { to: 1 }),
        ]
    );
    assert_eq!(moved(3, 0).then(&moved(0, 2)), moved(3, 2));
}

#[test]
fn apply_indices_out_of_bounds_are_skipped() {
    let changes = ListChanges {
        removed: vec![Removal::new(7, RemovalReason::Left)],
        inserted: vec![1, 9],
        updated: vec![12],
    };
    assert_eq!(changes.apply(&[1, 2], &[1]), [1]);
}
