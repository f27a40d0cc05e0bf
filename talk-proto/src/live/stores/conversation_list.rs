//! The list of the current user's conversations, the most recently active in front.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::value::RawValue;

use super::conversation::{ConversationStore, fold};
use super::list_filter::ListFilter;
use super::store::{List, PageSizes, Response, Store, ViewUpdate};
use crate::command::RequestId;
use crate::live::key::{StoreKey, ViewerId};
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{End, ListItem, OrderedList};
use crate::live::list::view::ListState;
use crate::live::store_cx::{ListAction, StoreCx};
use crate::live::sync::paginator::{Cursor, PageOutcome, Paginator};
use crate::live::sync::state::{Stage, SyncState};
use crate::model::{ConversationId, ConversationSnapshot, Side, UserId};
use crate::snapshot::{Snapshot, Update};
use crate::wire::ServerEvent;

/// The conversations that a window begins with, the most that one request gives, and how many it
/// grows by unless asked otherwise, as documented.
const FIRST_WINDOW: usize = 20;
const PAGE: usize = 30;
const MORE: usize = 20;

/// One list of conversations: those that match a filter.
///
/// It holds places; the conversations are in their own stores, which it feeds with what its pages
/// tell and which tell it when they change.
pub(crate) struct ConversationList {
    pages: Paginator<Side>,
    filter: ListFilter,
    list: OrderedList<ConversationSnapshot>,
    places: BTreeMap<ConversationId, Position>,
    /// The place up to which every conversation is loaded.
    edge: Position,
    /// Conversations that may belong here, once they are known.
    candidates: BTreeSet<ConversationId>,
    /// Conversations that are shown as they were before a loss.
    refreshing: BTreeSet<ConversationId>,
}

impl ConversationList {
    pub(crate) fn new(filter: ListFilter) -> Self {
        let key = StoreKey::Conversations(filter.clone());
        Self {
            pages: Paginator::new(SyncState::new(key), PAGE),
            filter,
            list: OrderedList::new(),
            places: BTreeMap::new(),
            edge: Position::LAST,
            candidates: BTreeSet::new(),
            refreshing: BTreeSet::new(),
        }
    }

    fn key(&self) -> &StoreKey {
        self.pages.sync.key()
    }

    fn state(&self, cap: usize) -> ListState {
        ListState {
            complete: self.pages.is_complete(),
            full: self.list.len() >= cap,
            initial: FIRST_WINDOW.min(cap),
        }
    }

    /// Judges a conversation that is known. Whether it belongs here.
    pub(crate) fn consider(&mut self, side: &Side, cx: &mut StoreCx) -> bool {
        if self.places.contains_key(&side.id) {
            return true;
        }
        let is_behind = self.edge.is_before(time(side)) && !self.pages.is_complete();
        let belongs = self.candidates.remove(&side.id) && self.filter.matches(side);
        if is_behind || !belongs {
            self.remove(&side.id, cx);
            return false;
        }
        let position = self.list.place(time(side), End::Front);
        self.places.insert(side.id.clone(), position);
        self.list.insert(position, side.id.clone());
        cx.changed.insert(self.key().clone());
        true
    }

    /// Whether the conversation is in the list.
    pub(crate) fn shows(&self, id: &ConversationId) -> bool {
        self.places.contains_key(id)
    }

    /// Lets go of a conversation that cannot be known. Whether it was not yet shown.
    pub(crate) fn drop_candidate(&mut self, id: &ConversationId, cx: &mut StoreCx) -> bool {
        let was_candidate = self.candidates.contains(id);
        if was_candidate {
            self.remove(id, cx);
        }
        was_candidate
    }

    /// A conversation has changed.
    pub(crate) fn side_changed(&mut self, store: &ConversationStore, cx: &mut StoreCx) {
        let id = store.conversation();
        let Some(snapshot) = store.snapshot() else {
            return;
        };
        self.refreshing.remove(id);
        match snapshot {
            Some(snapshot) if self.filter.matches(&snapshot.side) => self.put(snapshot, cx),
            _ => self.remove(id, cx),
        }
        cx.changed.insert(self.key().clone());
    }

    /// Shows a conversation at its place, if that is loaded.
    fn put(&mut self, snapshot: &Arc<ConversationSnapshot>, cx: &mut StoreCx) {
        let id = &snapshot.side.id;
        let time = time(&snapshot.side);
        let old = self.places.get(id).copied();
        let position = match old {
            Some(old) if old.is_at(time) => old,
            _ => self.list.place(time, End::Front),
        };
        if position > self.edge && !self.pages.is_complete() {
            return self.remove(id, cx);
        }
        if old != Some(position) {
            if let Some(old) = old {
                self.list.remove(old);
            }
            self.places.insert(id.clone(), position);
            self.list.insert(position, id.clone());
        }
        let shown = self.list.shown.get(position);
        if shown.is_none_or(|shown| !Arc::ptr_eq(shown, snapshot)) {
            self.list.show(position, Arc::clone(snapshot));
        }
        self.trim(cx);
    }

    fn remove(&mut self, id: &ConversationId, cx: &mut StoreCx) {
        if let Some(position) = self.places.remove(id) {
            self.list.remove(position);
            cx.changed.insert(self.key().clone());
        }
        self.candidates.remove(id);
        self.refreshing.remove(id);
        cx.list_actions
            .push_back(ListAction::Release(self.filter.clone(), id.clone()));
    }

    fn trim(&mut self, cx: &mut StoreCx) {
        while self.list.len() > cx.limits.window.max(1)
            && let Some((_, id)) = self.list.last()
        {
            let id = id.clone();
            self.remove(&id, cx);
            self.pages.cursor = Cursor::Unknown;
            self.edge = self.list.last().map_or(Position::LAST, |(last, _)| last);
        }
    }

    /// Makes the list these conversations.
    fn replace(&mut self, mut sides: Vec<Side>, cx: &mut StoreCx) {
        sides.sort_by_key(time);
        let kept: BTreeSet<&ConversationId> = sides.iter().map(|side| &side.id).collect();
        let gone: Vec<ConversationId> = self
            .places
            .keys()
            .chain(&self.candidates)
            .filter(|id| !kept.contains(id))
            .cloned()
            .collect();
        for id in gone {
            self.remove(&id, cx);
        }
        self.refreshing = self.places.keys().cloned().collect();
        let mut before = None;
        for side in &sides {
            let position = match self.places.get(&side.id).copied() {
                Some(old) if old.is_at(time(side)) && before < Some(old) => old,
                old => {
                    if let Some(old) = old {
                        self.list.remove(old);
                    }
                    self.place(side)
                }
            };
            before = Some(position);
        }
        self.finish(sides, cx);
    }

    fn append(&mut self, sides: Vec<Side>, cx: &mut StoreCx) {
        for side in &sides {
            if !self.places.contains_key(&side.id) {
                self.place(side);
            }
        }
        self.finish(sides, cx);
    }

    fn place(&mut self, side: &Side) -> Position {
        let position = self.list.place(time(side), End::Back);
        self.places.insert(side.id.clone(), position);
        self.list.insert(position, side.id.clone());
        position
    }

    /// Lets the conversations of a page be known.
    fn finish(&mut self, sides: Vec<Side>, cx: &mut StoreCx) {
        self.edge = match self.list.last() {
            Some((last, _)) if !self.pages.is_complete() => last,
            _ => Position::LAST,
        };
        for side in sides {
            self.candidates.remove(&side.id);
            cx.list_actions
                .push_back(ListAction::Feed(self.filter.clone(), Box::new(side)));
        }
    }

    /// What came while a page was awaited: brings its conversations up to date, and returns those
    /// that are not in it.
    fn replay(&self, sides: &mut Vec<Side>, me: &UserId) -> Vec<ListAction> {
        let mut events: BTreeMap<ConversationId, Vec<&ServerEvent>> = BTreeMap::new();
        for event in self.pages.sync.log() {
            if let Some(id) = conversation(event) {
                events.entry(id.clone()).or_default().push(event);
            }
        }
        sides.retain_mut(|side| {
            let Some(events) = events.remove(&side.id) else {
                return true;
            };
            match fold(Some(side.clone()), events, me) {
                Some(now) => *side = Arc::unwrap_or_clone(now),
                None => return false,
            }
            true
        });
        let mut others = Vec::new();
        for (id, events) in events {
            match fold(None, events.iter().copied(), me) {
                Some(side) => {
                    let side = Box::new(Arc::unwrap_or_clone(side));
                    others.push(ListAction::Feed(self.filter.clone(), side));
                }
                None if events.iter().any(|event| self.concerns(event)) => {
                    others.push(ListAction::Watch(self.filter.clone(), id));
                }
                None => {}
            }
        }
        others
    }

    /// Takes up conversations that may belong here, and are not here yet.
    fn consider_all(&mut self, others: Vec<ListAction>, cx: &mut StoreCx) {
        for other in others {
            let id = match &other {
                ListAction::Feed(_, side) => &side.id,
                ListAction::Watch(_, id) | ListAction::Release(_, id) => id,
            };
            if !self.places.contains_key(id) {
                self.candidates.insert(id.clone());
                cx.list_actions.push_back(other);
            }
        }
    }

    /// Whether a change of a conversation that is not here may bring it here.
    fn concerns(&self, event: &ServerEvent) -> bool {
        if let ServerEvent::SideDeleted { .. } = event {
            return false;
        }
        let last_message_at = match event {
            ServerEvent::SideEdited { diff, .. } => diff.last_message_at,
            _ => None,
        };
        // One that is not here does not match, or lies behind: it must change what it is, or where.
        let comes_near = match last_message_at {
            Some(at) if !self.pages.is_complete() => {
                if self.edge.is_before(at.as_millis().saturating_neg()) {
                    return false;
                }
                true
            }
            _ => false,
        };
        (comes_near || self.filter.mentions(event)) && self.filter.may_match(event)
    }
}

/// The order of conversations: the most recently active first.
fn time(side: &Side) -> i64 {
    side.last_message_at.as_millis().saturating_neg()
}

/// The conversation of which an event tells the current user's view.
fn conversation(event: &ServerEvent) -> Option<&ConversationId> {
    match event {
        ServerEvent::SideCreated {
            conversation_id, ..
        }
        | ServerEvent::SideEdited {
            conversation_id, ..
        }
        | ServerEvent::SideDeleted { conversation_id }
        | ServerEvent::ConversationEdited {
            conversation_id, ..
        }
        | ServerEvent::ParticipantEdited {
            conversation_id, ..
        } => Some(conversation_id),
        _ => None,
    }
}

impl ListItem for ConversationSnapshot {
    type Key = ConversationId;

    fn key(&self) -> &ConversationId {
        &self.side.id
    }
}

impl Store for ConversationList {
    fn open(&mut self, cx: &mut StoreCx) {
        self.pages.sync.open(cx);
    }

    fn lost(&mut self) {
        self.pages.sync.lost();
    }

    fn close(&mut self, cx: &mut StoreCx) {
        self.pages.sync.close(cx);
        let all = self.places.keys().chain(&self.candidates);
        for id in all.cloned().collect::<BTreeSet<_>>() {
            self.remove(&id, cx);
        }
    }

    fn sync(&mut self) -> &mut SyncState {
        &mut self.pages.sync
    }

    fn is_wanted(&self) -> bool {
        !self.list.views.is_empty()
    }

    fn fetch(&mut self, cx: &mut StoreCx) {
        let cap = cx.limits.window.max(1);
        let state = self.state(cap);
        if let Some((wanted, loaded)) = self.list.wants(state) {
            let filter: Option<&RawValue> = Some(self.filter.json());
            self.pages.fetch(wanted.min(cap), loaded, filter, cx);
        }
    }

    fn answer(&mut self, answer: Response<'_>, cx: &mut StoreCx) {
        let (mut sides, all) = match self.pages.take_answer(answer, cx) {
            PageOutcome::Pending => return,
            // The user does not exist yet, and is in no conversation.
            PageOutcome::Absent => {
                self.pages.sync.stage = Stage::Loaded;
                self.pages.cursor = Cursor::End;
                (Vec::new(), true)
            }
            PageOutcome::Reset(sides) => (sides, true),
            PageOutcome::Next(sides) => (sides, false),
        };
        let others = self.replay(&mut sides, &cx.me);
        if all {
            self.replace(sides, cx);
        } else {
            self.append(sides, cx);
        }
        self.consider_all(others, cx);
        self.trim(cx);
        let last = self.list.last().map(|(position, _)| position);
        for view in self.list.views.values_mut() {
            view.clamp(last, self.pages.is_complete());
        }
        self.pages.sync.clear_log();
        cx.attend_to(self.pages.sync.key());
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        let Some(id) = conversation(event) else {
            return;
        };
        if let ServerEvent::ParticipantEdited { user_id, .. } = event
            && *user_id != cx.me
        {
            return;
        }
        let is_loaded = self.pages.sync.admit(event, false, cx);
        if !is_loaded || self.places.contains_key(id) || self.candidates.contains(id) {
            return;
        }
        let filter = self.filter.clone();
        let listed = match event {
            ServerEvent::SideCreated { state, .. } => ListAction::Feed(filter, state.clone()),
            ServerEvent::SideDeleted { .. } => return,
            _ if self.concerns(event) => ListAction::Watch(filter, id.clone()),
            _ => return,
        };
        self.consider_all(vec![listed], cx);
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.list.viewers()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx) {
        self.list.add_viewer(viewer);
        cx.attend_to(self.key());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.list.remove_viewer(viewer)
    }

    fn list(&mut self) -> Option<(&mut dyn List, PageSizes)> {
        let growth = PageSizes {
            max: PAGE,
            default: MORE,
        };
        Some((&mut self.list, growth))
    }

    fn review(&mut self, cx: &StoreCx, news: &mut Vec<ViewUpdate>) {
        if self.pages.sync.stage != Stage::Loaded || !self.refreshing.is_empty() {
            return;
        }
        let state = self.state(cx.limits.window.max(1));
        for (viewer, view) in &mut self.list.views {
            let review = view.see(&mut self.list.shown, state);
            news.push(ViewUpdate {
                viewer: *viewer,
                update: review.update.and_then(|(window, changes)| {
                    let snapshot = Snapshot::Conversations(window?);
                    Some(Update { snapshot, changes })
                }),
                resolved: review.resolved,
                refusal: None,
            });
        }
    }
}
