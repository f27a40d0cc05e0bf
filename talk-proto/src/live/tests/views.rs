//! Windows of viewers, apart from their stores.

use std::num::NonZeroI64;
use std::sync::Arc;

use crate::changes::Changes;
use crate::live::list::items::Position;
use crate::live::list::ordered_list::ListItem;
use crate::live::list::view::{ListState, ListView};
use crate::live::list::visible_items::VisibleItems;

#[derive(PartialEq)]
struct Item(i64);

impl ListItem for Item {
    type Key = i64;

    fn key(&self) -> &i64 {
        &self.0
    }
}

fn at(time: i64) -> Position {
    let tie = NonZeroI64::MIN;
    Position { time, tie }
}

#[test]
fn gap_without_visible_items_is_not_reported() {
    let mut visible = VisibleItems::new();
    visible.items.put(at(1), Arc::new(Item(1)));
    // The item at the end of the full list is invisible.
    let state = ListState {
        complete: false,
        full_until: Some(at(2)),
        initial: 2,
        frontier: None,
    };
    let mut view = ListView::new();
    let first = view.update(&mut visible, state).update;
    assert!(matches!(first, Some((Some(_), Changes::Reset))));
    view.clamp(Some(at(1)), true);
    assert!(view.update(&mut visible, state).update.is_none());
}
