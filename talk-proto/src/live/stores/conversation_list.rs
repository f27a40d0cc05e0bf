//! Lists of the current user's conversations, the most recently active first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::conversation::{ConversationStore, fold};
use super::list_filter::ListFilter;
use super::list_pages::ListPages;
use super::paged_list::{GoneItems, ListStore, PageSizes, PagedList};
use crate::changes::RemovalReason;
use crate::collections::HashMap;
use crate::fault_injection::FaultInjection;
use crate::live::key::StoreKey;
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{ListItem, TieBreak};
use crate::live::store_cx::{ListAction, StoreCx};
use crate::live::sync::state::Stage;
use crate::model::{ConversationId, ConversationSnapshot, UserId};
use crate::snapshot::{Snapshot, Window};
use crate::wire::ServerEvent;

/// The conversations that match a filter.
///
/// The list stores only positions. Each conversation has its own store, which receives its state
/// from the list's pages and notifies the list of changes.
pub(crate) struct ConversationList {
    paged: PagedList<ConversationSnapshot, ConversationSnapshot>,
    filter: ListFilter,
    positions: HashMap<ConversationId, Position>,
    /// Conversations that may belong to the list, once their state is known.
    candidates: BTreeSet<ConversationId>,
    /// The new times of conversations that have moved to the front, until their new state is shown.
    moving: BTreeMap<ConversationId, i64>,
    /// Conversations that are shown in their state from before a connection loss.
    refreshing: BTreeSet<ConversationId>,
    /// The number of items and candidates when the refresh began.
    refreshing_len: usize,
}

impl ConversationList {
    pub(crate) fn new(filter: ListFilter) -> Self {
        let key = StoreKey::Conversations(filter.clone());
        Self {
            paged: PagedList::new(key, &Self::SIZES),
            filter,
            positions: HashMap::default(),
            candidates: BTreeSet::new(),
            moving: BTreeMap::new(),
            refreshing: BTreeSet::new(),
            refreshing_len: 0,
        }
    }

    /// Returns `true` if the conversation is in the list.
    pub(crate) fn contains(&self, id: &ConversationId) -> bool {
        self.positions.contains_key(id)
    }

    /// Adds a candidate with a known state if it belongs to the list, and drops it otherwise.
    /// Returns `true` if the conversation is in the list.
    pub(crate) fn consider(&mut self, side: &ConversationSnapshot, cx: &mut StoreCx) -> bool {
        if self.contains(&side.id) {
            return true;
        }
        let belongs = self.candidates.remove(&side.id) && self.filter.matches(side);
        let position = self
            .paged
            .items
            .allocate(Self::time_of(side), TieBreak::First);
        if !belongs || self.paged.is_beyond(position) {
            self.remove(&side.id, RemovalReason::Filtered, cx);
            return false;
        }
        self.add(&side.id, position);
        cx.changed.insert(self.paged.key().clone());
        true
    }

    /// Drops a candidate whose state cannot be fetched. Returns `true` if the conversation was a
    /// candidate.
    pub(crate) fn drop_candidate(&mut self, id: &ConversationId, cx: &mut StoreCx) -> bool {
        let was_candidate = self.candidates.contains(id);
        if was_candidate {
            self.remove(id, RemovalReason::Left, cx);
            self.trim(cx);
        }
        was_candidate
    }

    /// Handles a change of a conversation.
    pub(crate) fn conversation_changed(
        &mut self,
        id: &ConversationId,
        store: &ConversationStore,
        cx: &mut StoreCx,
    ) {
        let Some(snapshot) = store.snapshot() else {
            return;
        };
        self.moving.remove(id);
        self.refreshing.remove(id);
        match snapshot {
            Some(snapshot) if self.filter.matches(snapshot) => self.show(snapshot, cx),
            Some(_) => self.remove(id, RemovalReason::Filtered, cx),
            None => self.remove(id, RemovalReason::Left, cx),
        }
        self.trim(cx);
        cx.changed.insert(self.paged.key().clone());
    }

    /// Shows a conversation at its position, if that part of the list is loaded.
    fn show(&mut self, snapshot: &Arc<ConversationSnapshot>, cx: &mut StoreCx) {
        let id = &snapshot.id;
        let time = Self::time_of(snapshot);
        let old = self.positions.get(id).copied();
        let position = match old {
            Some(old) if old.is_at(time) => old,
            _ => self.paged.items.allocate(time, TieBreak::First),
        };
        if self.paged.is_beyond(position) {
            return self.remove(id, RemovalReason::Evicted, cx);
        }
        if old != Some(position) {
            self.add(id, position);
        }
        self.paged.items.outdated.remove(&position);
        let visible = self.paged.items.visible.get(position);
        if visible.is_none_or(|visible| !Arc::ptr_eq(visible, snapshot)) {
            self.paged.items.show(position, Arc::clone(snapshot));
        }
    }

    /// Adds a conversation at a position, or moves it there.
    fn add(&mut self, id: &ConversationId, position: Position) {
        if let Some(old) = self.positions.insert(id.clone(), position) {
            self.paged.items.take_out(old);
        }
        self.paged.items.insert(position, id.clone());
    }

    /// Makes a conversation a candidate, unless it is in the list.
    fn add_candidate(&mut self, id: &ConversationId, action: ListAction, cx: &mut StoreCx) {
        if !self.contains(id) {
            self.candidates.insert(id.clone());
            cx.list_actions.push_back(action);
        }
    }

    /// Fetches a conversation that the loaded list does not contain, to decide if it belongs to the
    /// list.
    pub(crate) fn check(&mut self, id: &ConversationId, cx: &mut StoreCx) {
        if self.paged.pages.sync.stage == Stage::Loaded {
            let filter = self.filter.clone();
            self.add_candidate(id, ListAction::Watch(filter, id.clone()), cx);
        }
    }

    /// Fetches a conversation that is shown in its state from before a connection loss, and whose
    /// page was not loaded yet. Returns `true` if it is one.
    fn refresh_outdated(&mut self, id: &ConversationId, cx: &mut StoreCx) -> bool {
        let position = self.position_of(id);
        let outdated = &mut self.paged.items.outdated;
        let is_outdated = position.is_some_and(|position| outdated.remove(&position));
        if is_outdated {
            let filter = self.filter.clone();
            let action = ListAction::Watch(filter, id.clone());
            cx.list_actions.push_back(action);
        }
        is_outdated
    }

    /// Returns the log, grouped by conversation.
    fn events_by_conversation(&self) -> BTreeMap<ConversationId, Vec<ServerEvent>> {
        let mut events: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in self.paged.pages.sync.log() {
            if let Some(id) = event.conversation_id() {
                events.entry(id.clone()).or_default().push(event.clone());
            }
        }
        events
    }

    /// Returns `true` if an event may bring a conversation into the list. `while_paging` is set if
    /// a page that should contain the conversation may have been read before the event.
    fn may_enter(&self, event: &ServerEvent, while_paging: bool) -> bool {
        if let ServerEvent::SideDeleted { .. } = event {
            return false;
        }
        let is_complete = self.paged.pages.is_complete();
        let time = new_time(event);
        if !is_complete && time.is_some_and(|time| self.paged.edge.is_before(time)) {
            return false;
        }
        // A conversation outside of the list does not match the filter or is beyond the edge,
        // unless it has moved from a page that was not read yet to a page that was. An event can
        // bring it in by changing its position, or an attribute in the filter. A matching
        // conversation that is missing from a complete list was missed before.
        let may_move = while_paging && !FaultInjection::LostMove.is_on();
        let moves_in = time.is_some() && (!is_complete || may_move);
        let is_missed = is_complete && self.filter.matches_change(event);
        (moves_in || is_missed || self.filter.mentions(event)) && self.filter.may_match(event)
    }
}

/// Returns the sort key of a conversation after an event that changes it.
fn new_time(event: &ServerEvent) -> Option<i64> {
    match event {
        ServerEvent::SideEdited { diff, .. } => {
            let at = diff.last_message_at?;
            Some(at.as_millis().saturating_neg())
        }
        _ => None,
    }
}

/// Returns `true` if an event may change a conversation as the current user sees it in lists.
pub(crate) fn concerns_lists(event: &ServerEvent, me: &UserId) -> bool {
    match event {
        ServerEvent::SideCreated { .. }
        | ServerEvent::SideEdited { .. }
        | ServerEvent::SideDeleted { .. }
        | ServerEvent::ConversationEdited { .. } => true,
        ServerEvent::ParticipantEdited { user_id, .. } => user_id == me,
        _ => false,
    }
}

impl ListItem for ConversationSnapshot {
    type Key = ConversationId;

    fn key(&self) -> &ConversationId {
        &self.id
    }
}

impl ListStore for ConversationList {
    type Raw = ConversationSnapshot;
    type Item = ConversationSnapshot;

    const SIZES: PageSizes = PageSizes {
        first_window: 20,
        first_load: 0,
        page: 30,
        more: 20,
    };
    const GONE: RemovalReason = RemovalReason::Left;

    fn paged(&self) -> &PagedList<ConversationSnapshot, ConversationSnapshot> {
        &self.paged
    }

    fn paged_mut(&mut self) -> &mut PagedList<ConversationSnapshot, ConversationSnapshot> {
        &mut self.paged
    }

    fn key_of(side: &ConversationSnapshot) -> &ConversationId {
        &side.id
    }

    /// The most recently active conversation is first.
    fn time_of(side: &ConversationSnapshot) -> i64 {
        side.last_message_at.as_millis().saturating_neg()
    }

    fn position_of(&self, id: &ConversationId) -> Option<Position> {
        self.positions.get(id).copied()
    }

    fn put(&mut self, position: Position, side: ConversationSnapshot, cx: &mut StoreCx) {
        if self.position_of(&side.id) != Some(position) {
            self.add(&side.id, position);
        }
        self.candidates.remove(&side.id);
        let filter = self.filter.clone();
        cx.list_actions
            .push_back(ListAction::Supply(filter, Box::new(side)));
    }

    fn remove(&mut self, id: &ConversationId, reason: RemovalReason, cx: &mut StoreCx) {
        if let Some(position) = self.positions.remove(id) {
            self.paged.items.remove(position, reason);
            cx.changed.insert(self.paged.key().clone());
        }
        self.candidates.remove(id);
        self.moving.remove(id);
        self.refreshing.remove(id);
        let filter = self.filter.clone();
        cx.list_actions
            .push_back(ListAction::Release(filter, id.clone()));
    }

    /// Removes the last conversation. If it has moved to the front and its new state is not shown
    /// yet, it moves there and waits.
    fn evict(&mut self, id: &ConversationId, cx: &mut StoreCx) {
        match self.moving.remove(id) {
            Some(time) => {
                let position = self.paged.items.allocate(time, TieBreak::First);
                self.add(id, position);
            }
            None => self.remove(id, RemovalReason::Evicted, cx),
        }
    }

    fn apply(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        let Some(id) = event.conversation_id() else {
            return;
        };
        if self.contains(id) {
            if let Some(time) = new_time(event) {
                self.moving.insert(id.clone(), time);
            }
            self.refresh_outdated(id, cx);
            return;
        }
        if self.candidates.contains(id) {
            return;
        }
        let filter = self.filter.clone();
        if let ServerEvent::SideCreated { state, .. } = event {
            self.add_candidate(id, ListAction::Supply(filter, state.clone()), cx);
        } else if self.may_enter(event, false) {
            self.add_candidate(id, ListAction::Watch(filter, id.clone()), cx);
        }
    }

    fn wrap(window: Option<Window<ConversationSnapshot>>) -> Option<Snapshot> {
        Some(Snapshot::Conversations(window?))
    }

    fn filter(&self) -> Option<ListFilter> {
        Some(self.filter.clone())
    }

    fn is_refreshing(&self) -> bool {
        !self.refreshing.is_empty()
    }

    fn outdated_len(&self) -> usize {
        if self.is_refreshing() {
            self.refreshing_len
        } else {
            0
        }
    }

    fn remove_all(&mut self, cx: &mut StoreCx) {
        let all = self.positions.keys().chain(&self.candidates);
        for id in all.cloned().collect::<BTreeSet<_>>() {
            self.remove(&id, Self::GONE, cx);
        }
    }

    fn begin_reset(&mut self, cx: &mut StoreCx) {
        for id in std::mem::take(&mut self.candidates) {
            self.remove(&id, Self::GONE, cx);
        }
        let outdated = &self.paged.items.outdated;
        let current = self.positions.iter();
        let current = current.filter(|(_, position)| !outdated.contains(position));
        self.refreshing = current.map(|(id, _)| id.clone()).collect();
    }

    fn remove_gone(&mut self, gone: GoneItems<Self>, cx: &mut StoreCx) {
        // A conversation that is missing from the pages has left the list or has moved between
        // pages. If there are at most as many as on one page, they are fetched, and stay visible
        // until their state is known.
        // Of more, some may be on a page of the rest.
        let has_rest = self.paged.pages.has_rest();
        let is_verified = gone.len() <= Self::SIZES.page
            && (self.paged.pages.is_complete() || has_rest)
            && !FaultInjection::LostMove.is_on();
        for (id, reason) in gone {
            let position = self.position_of(&id);
            match position {
                Some(position) if is_verified && reason != RemovalReason::Evicted => {
                    self.paged.items.outdated.remove(&position);
                    let filter = self.filter.clone();
                    cx.list_actions.push_back(ListAction::Watch(filter, id));
                }
                Some(position) if has_rest && reason != RemovalReason::Evicted => {
                    self.refreshing.remove(&id);
                    self.paged.items.outdated.insert(position);
                }
                _ => self.remove(&id, reason, cx),
            }
        }
    }

    /// Applies the event log to the conversations of a page.
    fn prepare_page(&mut self, page: &mut Vec<ConversationSnapshot>, cx: &mut StoreCx) {
        let events = self.events_by_conversation();
        page.retain_mut(|side| {
            let Some(events) = events.get(&side.id) else {
                return true;
            };
            let current = fold(Some(side.clone()), events, &cx.me);
            let exists = current.is_some();
            if let Some(current) = current {
                *side = Arc::unwrap_or_clone(current);
            }
            exists
        });
    }

    /// Adds the conversations from the event log that no page contains.
    fn replay(&mut self, cx: &mut StoreCx) {
        for (id, events) in self.events_by_conversation() {
            if self.refresh_outdated(&id, cx) {
                continue;
            }
            let filter = self.filter.clone();
            if let Some(side) = fold(None, &events, &cx.me) {
                let side = Box::new(Arc::unwrap_or_clone(side));
                self.add_candidate(&id, ListAction::Supply(filter, side), cx);
            } else if events.iter().any(|event| self.may_enter(event, true)) {
                self.add_candidate(&id, ListAction::Watch(filter, id.clone()), cx);
            }
        }
        self.refreshing_len = self.positions.len() + self.candidates.len();
    }
}
