//! The window of a viewer in a list.

use std::collections::BTreeSet;
use std::num::NonZeroI64;
use std::ops::Bound;
use std::sync::Arc;

use super::items::{Items, Position};
use super::ordered_list::ListItem;
use super::visible_items::VisibleItems;
use crate::changes::{Changes, ListChanges, Removal, RemovalReason};
use crate::command::RequestId;
use crate::fault_injection::FaultInjection;
use crate::live::sync::paginator::Demand;
use crate::model::MessageId;
use crate::outbox::{Entry, Pending, Settled};
use crate::snapshot::Window;
use crate::timestamp::Timestamp;

/// The window of a viewer: the loaded items up to an end position.
///
/// The end is a position and not a count, so that new items at the front widen the window. An
/// update waits for the nested data of the items that were new when the wait began. Later items do
/// not extend the wait, so a stream of messages by unknown users delays a window by only one fetch.
pub(crate) struct ListView<T> {
    /// The last visible position, or `None` until the items of the first snapshot are loaded.
    end: Option<Position>,
    /// The cached window that the first snapshot replaces.
    cached: Option<Box<CachedRange>>,
    /// The number of items requested beyond `end`.
    more: usize,
    requests: Vec<RequestId>,
    /// The new items that the next update waits for.
    awaited: Option<BTreeSet<Position>>,
    /// Positions whose item may differ from the one in `last`.
    changed: Vec<Position>,
    /// The reasons for removals of items in `last`.
    removed: Vec<(Position, RemovalReason)>,
    /// Set if the window has lost a part of its range since the last snapshot.
    has_gap: bool,
    last: LastSeen<T>,
    /// The echoes in the last snapshot.
    pending: Pending,
}

/// The range of a cached window.
#[derive(Clone, Copy)]
pub(crate) struct CachedRange {
    /// The sort key of the first item.
    first: i64,
    /// The sort key of the last item.
    last: i64,
    /// The number of items.
    len: usize,
}

impl CachedRange {
    /// Creates the range of a window whose newest item is first.
    pub(crate) fn newest_first(first: Timestamp, last: Timestamp, len: usize) -> Self {
        let key = |time: Timestamp| time.as_millis().saturating_neg();
        let (first, last) = (key(first), key(last));
        Self { first, last, len }
    }
}

/// An echo, and the position of its message if that is known.
pub(crate) struct PlacedEcho<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) position: Option<Position>,
}

/// The window and the changes of an update. The window of an absent list is `None`.
type WindowUpdate<T> = (Option<Window<T>>, Changes);

/// The last snapshot that the viewer received.
enum LastSeen<T> {
    Nothing,
    Absent,
    List {
        items: Items<T>,
        loaded_all: bool,
        has_outdated: bool,
    },
}

/// The state of the list behind a window.
#[derive(Clone, Copy)]
pub(crate) struct ListState {
    /// Set if the list is loaded to its end.
    pub(crate) complete: bool,
    /// The last position, also of an invisible item, if no more items may be loaded.
    pub(crate) full_until: Option<Position>,
    /// The number of items in a first window.
    pub(crate) initial: usize,
    /// The position behind which items are outdated, if there are any.
    pub(crate) frontier: Option<Position>,
}

/// The difference between a list and the viewer's last snapshot of it.
pub(crate) struct ViewDiff<T> {
    /// The new snapshot, if it differs from the last one.
    pub(crate) update: Option<WindowUpdate<T>>,
    /// The requests for more items that the snapshot satisfies.
    pub(crate) resolved: Vec<RequestId>,
}

impl<T> Default for ViewDiff<T> {
    fn default() -> Self {
        Self {
            update: None,
            resolved: Vec::new(),
        }
    }
}

impl<T: ListItem> ListView<T> {
    pub(crate) fn new() -> Self {
        Self {
            end: None,
            cached: None,
            more: 0,
            requests: Vec::new(),
            awaited: None,
            changed: Vec::new(),
            removed: Vec::new(),
            has_gap: false,
            last: LastSeen::Nothing,
            pending: Pending::default(),
        }
    }

    /// Returns the part of the list that the window needs loaded.
    pub(crate) fn demand(&self, visible: &VisibleItems<T>, state: ListState) -> Demand {
        let Some(end) = self.end else {
            let initial = self.initial(visible, state);
            return Demand {
                count: initial.saturating_add(self.more),
                ..Demand::NONE
            };
        };
        let seen = visible.count_until(end) + visible.waiting_until(end).count();
        // The number of items in a complete list is unknown after a connection loss.
        let least = if end == Position::LAST {
            state.initial
        } else {
            0
        };
        Demand {
            count: seen.max(least).saturating_add(self.more),
            until: end.time,
        }
    }

    /// Sets the cached window that the first snapshot replaces.
    pub(crate) fn set_cached(&mut self, range: CachedRange) {
        if matches!(self.last, LastSeen::Nothing) {
            self.cached = Some(Box::new(range));
        }
    }

    /// Returns the number of items in the first window. It covers the range of the cached window,
    /// unless the loaded items show that the ranges do not overlap.
    fn initial(&self, visible: &VisibleItems<T>, state: ListState) -> usize {
        let Some(cached) = &self.cached else {
            return state.initial;
        };
        let count_until = |time| {
            let tie = NonZeroI64::MAX;
            let position = Position { time, tie };
            visible.count_until(position) + visible.waiting_until(position).count()
        };
        let covered = match visible.last() {
            Some(last) if last.is_before(cached.first) => 0,
            Some(last) if !last.is_before(cached.last) => count_until(cached.last),
            _ => cached.len + count_until(cached.first.saturating_sub(1)),
        };
        state.initial.max(covered)
    }

    /// Requests `count` more items than are visible.
    pub(crate) fn load_more(&mut self, request: RequestId, count: usize) {
        self.more = self.more.max(count);
        self.requests.push(request);
    }

    /// Discards a request for more items.
    pub(crate) fn cancel(&mut self, request: RequestId) {
        self.requests.retain(|other| *other != request);
        if self.requests.is_empty() {
            self.more = 0;
        }
    }

    /// Returns and discards the pending requests for more items.
    pub(crate) fn take_requests(&mut self) -> Vec<RequestId> {
        std::mem::take(&mut self.requests)
    }

    /// Moves the end of the window to the last position of an incomplete list. If the list
    /// `is_cut`, the window loses the items beyond it.
    pub(crate) fn clamp(&mut self, last: Option<Position>, is_cut: bool) {
        if let Some(end) = self.end
            && last < Some(end)
        {
            self.end = last;
            self.has_gap |= is_cut;
        }
    }

    /// Reports that the list is absent. A later list starts with a new window.
    pub(crate) fn update_absent(&mut self) -> ViewDiff<T> {
        let update = match self.last {
            LastSeen::Absent => None,
            LastSeen::Nothing | LastSeen::List { .. } => Some((None, Changes::Reset)),
        };
        let resolved = self.take_requests();
        *self = Self {
            last: LastSeen::Absent,
            ..Self::new()
        };
        ViewDiff { update, resolved }
    }

    /// Compares the list with the last snapshot.
    pub(crate) fn update(
        &mut self,
        visible: &mut VisibleItems<T>,
        state: ListState,
    ) -> ViewDiff<T> {
        let nothing = ViewDiff::default();
        if self.end.is_none() || !matches!(self.last, LastSeen::List { .. }) {
            let initial = self.initial(visible, state);
            let state = ListState { initial, ..state };
            let is_short =
                visible.len() < state.initial && !state.complete && state.full_until.is_none();
            if is_short {
                self.end = None;
                self.awaited = None;
                return nothing;
            }
            // The end is set before the wait for nested data, so that the items that arrive during
            // the wait widen the window.
            self.end = self.end.max(Some(first_end(visible, state)));
        }
        if self.is_awaiting(visible) {
            return nothing;
        }
        let mut end = self.end.unwrap_or(Position::LAST);
        let resolved = self.extend(&mut end, visible, state);
        if state.complete && visible.last().is_none_or(|last| last <= end) {
            end = Position::LAST;
        }
        self.end = Some(end);
        ViewDiff {
            update: self.snapshot(end, visible, state),
            resolved,
        }
    }

    pub(crate) fn mark_changed(&mut self, position: Position) {
        if !matches!(self.last, LastSeen::List { .. }) || self.changed.last() == Some(&position) {
            return;
        }
        // Deduplicate before growing, so that the memory is bounded by the number of items.
        if self.changed.len() == self.changed.capacity() {
            self.changed.sort_unstable();
            self.changed.dedup();
        }
        self.changed.push(position);
    }

    /// Records the removal of an item. A removal without a record moves or evicts the item.
    pub(crate) fn mark_removed(&mut self, position: Position, reason: RemovalReason) {
        self.mark_changed(position);
        if let LastSeen::List { items, .. } = &self.last
            && items.find(position).is_ok()
        {
            self.removed.push((position, reason));
        }
    }

    /// Returns `true` if the window waits for the nested data of new items.
    fn is_awaiting(&mut self, visible: &VisibleItems<T>) -> bool {
        let end = self.end.unwrap_or(Position::LAST);
        let waiting = || visible.waiting_until(end);
        if waiting().next().is_none() {
            self.awaited = None;
            return false;
        }
        let awaited = self.awaited.get_or_insert_with(|| waiting().collect());
        if awaited.iter().any(|p| visible.waiting.contains(p)) {
            return true;
        }
        self.awaited = Some(waiting().collect());
        false
    }

    /// Moves the end beyond the requested items once all of them are loaded.
    fn extend(
        &mut self,
        end: &mut Position,
        visible: &VisibleItems<T>,
        state: ListState,
    ) -> Vec<RequestId> {
        if self.more == 0 {
            return self.take_requests();
        }
        let from = visible.count_until(*end);
        let wanted = from.saturating_add(self.more);
        let new_end = match visible.items.position(wanted - 1) {
            Some(position) => position,
            None if state.complete => Position::LAST,
            None => match state.full_until {
                Some(last) => last,
                None => return Vec::new(),
            },
        };
        // A full list may end before the window, because the last items of the window were removed.
        let new_end = new_end.max(*end);
        let beyond = (Bound::Excluded(*end), Bound::Included(new_end));
        if visible.waiting.range(beyond).next().is_some() {
            return Vec::new();
        }
        for position in visible.items.positions_from(from).take(self.more) {
            self.mark_changed(position);
        }
        *end = new_end;
        self.more = 0;
        self.take_requests()
    }

    fn snapshot(
        &mut self,
        end: Position,
        visible: &mut VisibleItems<T>,
        state: ListState,
    ) -> Option<WindowUpdate<T>> {
        let hidden = usize::from(FaultInjection::OffByOneWindow.is_on());
        let count = visible.count_until(end).saturating_sub(hidden);
        let loaded_all = state.complete && end == Position::LAST;
        let has_outdated = state.frontier.is_some_and(|frontier| end > frontier);
        let has_gap = std::mem::take(&mut self.has_gap);
        let changes = self.changes(count, visible);
        if let (
            Changes::List(changes),
            LastSeen::List {
                loaded_all: last,
                has_outdated: had_outdated,
                ..
            },
        ) = (&changes, &self.last)
            && changes.is_empty()
            && *last == loaded_all
            && (has_outdated || !had_outdated)
        {
            return None;
        }
        let items = visible.items.take(count);
        self.cached = None;
        self.last = LastSeen::List {
            items: items.clone(),
            loaded_all,
            has_outdated,
        };
        let window = Window::new(items, loaded_all, has_outdated);
        let changes = if has_gap { Changes::Gap } else { changes };
        Some((Some(window), changes))
    }

    /// Adds the echoes to an update: the entries whose message is not among the items of the
    /// window. Without an update, the result consists of changed echoes only. Also returns the
    /// entries that became messages in this update.
    pub(crate) fn add_echoes(
        &mut self,
        mut update: Option<WindowUpdate<T>>,
        echoes: &[PlacedEcho<'_>],
    ) -> (Option<WindowUpdate<T>>, Vec<Settled>) {
        let LastSeen::List {
            items,
            loaded_all,
            has_outdated,
        } = &self.last
        else {
            self.pending = Pending::default();
            return (update, Vec::new());
        };
        // The snapshot can be older than the list, which may have moved or lost the message.
        let has = |message: &MessageId| items.iter().any(|item| item.is_message(message));
        let is_item = |echo: &&PlacedEcho<'_>| {
            let is_there = |position| items.find(position).is_ok();
            (echo.position.is_some_and(is_there) || echo.entry.message().is_some_and(has))
                && !FaultInjection::KeptEcho.is_on()
        };
        let (shown, pending): (Vec<_>, Vec<_>) = echoes.iter().partition(is_item);
        let pending = pending.into_iter().map(|placed| placed.entry);
        let has_changed = !pending.clone().eq(self.pending.entries());
        let settled = shown.into_iter().filter_map(|placed| {
            let entry = placed.entry;
            let mut before = self.pending.entries().iter();
            let was_pending = before.any(|before| before.id == entry.id);
            let message = entry.message().filter(|_| was_pending)?.clone();
            Some((entry.id.clone(), message))
        });
        let settled = settled.collect();
        if has_changed {
            self.pending = Pending::new(pending.cloned().collect());
            update = update.or_else(|| {
                let window = Window::new(items.clone(), *loaded_all, *has_outdated);
                Some((Some(window), Changes::List(ListChanges::default())))
            });
        }
        if let Some((Some(window), _)) = &mut update {
            window.set_pending(self.pending.clone());
        }
        (update, settled)
    }

    /// Returns `true` if the window does not show an item that belongs to it. The item has no
    /// position if it has not arrived. The first snapshot of a window may precede the item.
    pub(crate) fn awaits(&self, position: Option<Position>) -> bool {
        let items = match &self.last {
            LastSeen::Nothing => None,
            LastSeen::Absent => return false,
            LastSeen::List { items, .. } => Some(items),
        };
        position.is_none_or(|position| {
            let is_shown = items.is_some_and(|items| items.find(position).is_ok());
            !is_shown && self.end.is_none_or(|end| position <= end)
        })
    }

    /// Returns the changes from the last snapshot to the first `count` items.
    fn changes(&mut self, count: usize, visible: &mut VisibleItems<T>) -> Changes {
        let LastSeen::List { items, .. } = &self.last else {
            self.changed.clear();
            return Changes::Reset;
        };
        let mut changes = ListChanges::default();
        self.changed.sort_unstable();
        self.changed.dedup();
        for position in self.changed.drain(..) {
            let before = items.find(position).ok();
            let after = visible.items.find(position).ok();
            match (before, after.filter(|index| *index < count)) {
                (Some(before), Some(after)) => {
                    let (Some(old), Some(new)) = (items.get(before), visible.items.get(after))
                    else {
                        continue;
                    };
                    if Arc::ptr_eq(old, new) {
                    } else if old == new {
                        // The item equals the previous one: keep the allocation of the snapshot.
                        visible.items.set(after, Arc::clone(old));
                    } else {
                        changes.updated.push(after);
                    }
                }
                (Some(before), None) => {
                    let removed = self.removed.iter().find(|(at, _)| *at == position);
                    let reason = removed.map_or(RemovalReason::Evicted, |(_, reason)| *reason);
                    changes.removed.push(Removal::new(before, reason));
                }
                (None, Some(after)) => changes.inserted.push(after),
                (None, None) => {}
            }
        }
        self.removed.clear();
        for removal in &mut changes.removed {
            let key = items.get(removal.index).map(|item| item.key());
            let is_same = |index: &&usize| visible.items.get(**index).map(|item| item.key()) == key;
            if let Some(to) = changes.inserted.iter().find(is_same) {
                removal.reason = RemovalReason::Moved { to: *to };
            }
        }
        // An item that was removed and inserted again may have another position at the same index.
        let removed = changes.removed.iter().map(|removal| &removal.index);
        if removed.eq(&changes.inserted) {
            changes.removed.retain(|removal| {
                let index = removal.index;
                match (items.get(index), visible.items.get(index)) {
                    (Some(old), Some(new)) if old == new => {
                        visible.items.set(index, Arc::clone(old));
                        false
                    }
                    _ => true,
                }
            });
            changes.inserted = changes
                .removed
                .iter()
                .map(|removal| removal.index)
                .collect();
        }
        Changes::List(changes)
    }
}

/// Returns the end of a first window. Items that still wait belong to the window as well. If a full
/// list has too few of both, so do invisible items, which may become visible later.
fn first_end<T>(visible: &VisibleItems<T>, state: ListState) -> Position {
    let items = visible.items.positions_from(0).take(state.initial);
    let mut first: Vec<_> = items.chain(visible.waiting.iter().copied()).collect();
    first.sort_unstable();
    first.truncate(state.initial);
    match first.last() {
        Some(last) if first.len() == state.initial => *last,
        _ if state.complete => Position::LAST,
        _ => state.full_until.unwrap_or(Position::LAST),
    }
}
