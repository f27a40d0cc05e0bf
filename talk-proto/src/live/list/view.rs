//! What one viewer sees of a list.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::items::{Items, Position};
use super::ordered_list::VisibleItems;
use crate::changes::{Changes, ListChanges};
use crate::command::RequestId;
use crate::fault_injection::FaultInjection;
use crate::snapshot::Window;

/// The window of one viewer: the loaded items up to one of them.
///
/// A window is bounded by a place, not by a number, so that new items in front widen it. An
/// update waits for the nested data of every new item in it, but no longer than for those that
/// were new when the waiting began: a stream of messages by unknown users delays a window by one
/// fetch and no more.
pub(crate) struct ListView<T> {
    /// The last place that is shown; `None` until the first window is there.
    end: Option<Position>,
    /// How many more are wanted behind it.
    ahead: usize,
    requests: Vec<RequestId>,
    held: Option<BTreeSet<Position>>,
    /// Places that may show another item than in `last`.
    touched: Vec<Position>,
    last: Last<T>,
}

/// What the viewer was shown last.
enum Last<T> {
    Nothing,
    Absent,
    List { items: Items<T>, loaded_all: bool },
}

/// The state of the list that a window is cut from.
#[derive(Clone, Copy)]
pub(crate) struct ListState {
    /// Whether there is nothing behind the loaded items.
    pub(crate) complete: bool,
    /// Whether no more items may be loaded.
    pub(crate) full: bool,
    /// How many items a first window has.
    pub(crate) initial: usize,
}

/// What comes of looking at a list anew.
pub(crate) struct ViewDiff<T> {
    /// The new snapshot, if it differs from the one before.
    pub(crate) update: Option<(Option<Window<T>>, Changes)>,
    /// LiveRequests for more that are satisfied.
    pub(crate) resolved: Vec<RequestId>,
}

impl<T: PartialEq> ListView<T> {
    pub(crate) fn new() -> Self {
        Self {
            end: None,
            ahead: 0,
            requests: Vec::new(),
            held: None,
            touched: Vec::new(),
            last: Last::Nothing,
        }
    }

    /// How many items must be loaded to show what is wanted.
    pub(crate) fn wants(&self, shown: &VisibleItems<T>, state: ListState) -> usize {
        let Some(end) = self.end else {
            return state.initial.saturating_add(self.ahead);
        };
        let waiting = shown.waiting_until(end).count();
        let seen = shown.count_until(end) + waiting;
        // Who saw everything is not to see less of a list that has grown while nobody was told.
        let least = if end == Position::LAST {
            state.initial
        } else {
            0
        };
        seen.max(least).saturating_add(self.ahead)
    }

    /// Asks for `count` items more than are shown.
    pub(crate) fn load_more(&mut self, request: RequestId, count: usize) {
        self.ahead = self.ahead.max(count);
        self.requests.push(request);
    }

    /// Forgets a request for more.
    pub(crate) fn cancel(&mut self, request: RequestId) {
        self.requests.retain(|other| *other != request);
        if self.requests.is_empty() {
            self.ahead = 0;
        }
    }

    /// The requests for more that are still open.
    pub(crate) fn take_requests(&mut self) -> Vec<RequestId> {
        std::mem::take(&mut self.requests)
    }

    /// Keeps the window within a list that was loaded anew.
    pub(crate) fn clamp(&mut self, last: Option<Position>, complete: bool) {
        if !complete && self.end.is_some() {
            self.end = self.end.min(last);
        }
    }

    /// The list is not there: what follows, if anything, is another list.
    pub(crate) fn see_absence(&mut self) -> ViewDiff<T> {
        let update = match self.last {
            Last::Absent => None,
            Last::Nothing | Last::List { .. } => Some((None, Changes::Reset)),
        };
        self.last = Last::Absent;
        self.end = None;
        self.ahead = 0;
        self.held = None;
        self.touched.clear();
        ViewDiff {
            update,
            resolved: self.take_requests(),
        }
    }

    /// Looks at the list anew.
    pub(crate) fn see(&mut self, shown: &mut VisibleItems<T>, state: ListState) -> ViewDiff<T> {
        let nothing = ViewDiff {
            update: None,
            resolved: Vec::new(),
        };
        let is_short = shown.len() < state.initial && !state.complete && !state.full;
        if self.end.is_none() && is_short {
            self.held = None;
            return nothing;
        }
        if self.is_held(shown) {
            return nothing;
        }
        let mut end = self.end.unwrap_or_else(|| first_end(shown, state));
        let resolved = self.extend(&mut end, shown, state);
        if state.complete && shown.last().is_none_or(|last| last <= end) {
            end = Position::LAST;
        }
        self.end = Some(end);
        ViewDiff {
            update: self.update(end, shown, state),
            resolved,
        }
    }

    pub(crate) fn touch(&mut self, position: Position) {
        if !matches!(self.last, Last::List { .. }) || self.touched.last() == Some(&position) {
            return;
        }
        // Places may be there several times, but do not take up room for ever.
        if self.touched.len() == self.touched.capacity() {
            self.touched.sort_unstable();
            self.touched.dedup();
        }
        self.touched.push(position);
    }

    /// Whether new items in the window keep it from being shown.
    fn is_held(&mut self, shown: &VisibleItems<T>) -> bool {
        let end = self.end.unwrap_or(Position::LAST);
        let waiting = || shown.waiting_until(end);
        if waiting().next().is_none() {
            self.held = None;
            return false;
        }
        let held = self.held.get_or_insert_with(|| waiting().collect());
        if held.iter().any(|position| shown.waiting.contains(position)) {
            return true;
        }
        self.held = Some(waiting().collect());
        false
    }

    /// Moves the end behind what was asked for, once it is all there.
    fn extend(
        &mut self,
        end: &mut Position,
        shown: &VisibleItems<T>,
        state: ListState,
    ) -> Vec<RequestId> {
        if self.ahead == 0 {
            return self.take_requests();
        }
        let from = shown.count_until(*end);
        let wanted = from.saturating_add(self.ahead);
        let new_end = match shown.items.position(wanted - 1) {
            Some(position) => position,
            None if state.complete || state.full => Position::LAST,
            None => return Vec::new(),
        };
        let behind = (Bound::Excluded(*end), Bound::Included(new_end));
        if shown.waiting.range(behind).next().is_some() {
            return Vec::new();
        }
        for position in shown.items.positions_from(from).take(self.ahead) {
            self.touch(position);
        }
        let last = shown.items.last_position();
        *end = new_end.min(last.unwrap_or(*end).max(*end));
        self.ahead = 0;
        self.take_requests()
    }

    fn update(
        &mut self,
        end: Position,
        shown: &mut VisibleItems<T>,
        state: ListState,
    ) -> Option<(Option<Window<T>>, Changes)> {
        let hidden = usize::from(FaultInjection::OffByOneWindow.is_on());
        let visible = shown.count_until(end).saturating_sub(hidden);
        let loaded_all = state.complete && end == Position::LAST;
        let changes = self.changes(visible, shown);
        if let (
            Changes::List(changes),
            Last::List {
                loaded_all: last, ..
            },
        ) = (&changes, &self.last)
            && changes.is_empty()
            && *last == loaded_all
        {
            return None;
        }
        let items = shown.items.take(visible);
        self.last = Last::List {
            items: items.clone(),
            loaded_all,
        };
        Some((Some(Window::new(items, loaded_all)), changes))
    }

    /// What the touched places tell about the way from the last list to the first `visible`
    /// items.
    fn changes(&mut self, visible: usize, shown: &mut VisibleItems<T>) -> Changes {
        let Last::List { items, .. } = &self.last else {
            self.touched.clear();
            return Changes::Reset;
        };
        let mut changes = ListChanges::default();
        self.touched.sort_unstable();
        self.touched.dedup();
        for position in self.touched.drain(..) {
            let before = items.find(position).ok();
            let after = shown.items.find(position).ok();
            match (before, after.filter(|index| *index < visible)) {
                (Some(before), Some(after)) => {
                    let (Some(old), Some(new)) = (items.get(before), shown.items.get(after)) else {
                        continue;
                    };
                    if Arc::ptr_eq(old, new) {
                    } else if old == new {
                        // There and back again: it stays the allocation that was shown.
                        shown.items.set(after, Arc::clone(old));
                    } else {
                        changes.updated.push(after);
                    }
                }
                (Some(before), None) => changes.removed.push(before),
                (None, Some(after)) => changes.inserted.push(after),
                (None, None) => {}
            }
        }
        // Taken out and put back at once, perhaps at a place that sorts the same.
        if changes.removed == changes.inserted {
            let mut stays = |index: usize| match (items.get(index), shown.items.get(index)) {
                (Some(old), Some(new)) if old == new => {
                    shown.items.set(index, Arc::clone(old));
                    true
                }
                _ => false,
            };
            changes.inserted.retain(|index| !stays(*index));
            changes.removed.clone_from(&changes.inserted);
        }
        Changes::List(changes)
    }
}

/// The end of a first window.
fn first_end<T>(shown: &VisibleItems<T>, state: ListState) -> Position {
    match shown.items.position(state.initial - 1) {
        Some(position) => position,
        None if state.complete => Position::LAST,
        None => shown.items.last_position().unwrap_or(Position::LAST),
    }
}
