//! The list of the current user's conversations, the most recently active in front.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::value::RawValue;

use super::conversation::{SideStore, fold};
use super::list_filter::ListFilter;
use super::store::{Answer, Growth, List, News, Store};
use crate::command::RequestId;
use crate::live::key::{StoreKey, ViewerId};
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{End, Face, Listing};
use crate::live::list::view::ListState;
use crate::live::store_cx::{Context, Listed};
use crate::live::sync::paginator::{Cursor, Feed, Loaded};
use crate::live::sync::state::{Stage, Sync};
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
    feed: Feed<Side>,
    filter: ListFilter,
    listing: Listing<ConversationSnapshot>,
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
            feed: Feed::new(Sync::new(key), PAGE),
            filter,
            listing: Listing::new(),
            places: BTreeMap::new(),
            edge: Position::LAST,
            candidates: BTreeSet::new(),
            refreshing: BTreeSet::new(),
        }
    }

    fn key(&self) -> &StoreKey {
        self.feed.sync.key()
    }

    fn state(&self, cap: usize) -> ListState {
        ListState {
            complete: self.feed.is_complete(),
            full: self.listing.len() >= cap,
            initial: FIRST_WINDOW.min(cap),
        }
    }

    /// Judges a conversation that is known. Whether it belongs here.
    pub(crate) fn consider(&mut self, side: &Side, cx: &mut Context) -> bool {
        if self.places.contains_key(&side.id) {
            return true;
        }
        let is_behind = self.edge.is_before(time(side)) && !self.feed.is_complete();
        let belongs = self.candidates.remove(&side.id) && self.filter.matches(side);
        if is_behind || !belongs {
            self.remove(&side.id, cx);
            return false;
        }
        let position = self.listing.place(time(side), End::Front);
        self.places.insert(side.id.clone(), position);
        self.listing.insert(position, side.id.clone());
        cx.changed.insert(self.key().clone());
        true
    }

    /// Whether the conversation is in the list.
    pub(crate) fn shows(&self, id: &ConversationId) -> bool {
        self.places.contains_key(id)
    }

    /// Lets go of a conversation that cannot be known. Whether it was not yet shown.
    pub(crate) fn drop_candidate(&mut self, id: &ConversationId, cx: &mut Context) -> bool {
        let was_candidate = self.candidates.contains(id);
        if was_candidate {
            self.remove(id, cx);
        }
        was_candidate
    }

    /// A conversation has changed.
    pub(crate) fn side_changed(&mut self, store: &SideStore, cx: &mut Context) {
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
    fn put(&mut self, snapshot: &Arc<ConversationSnapshot>, cx: &mut Context) {
        let id = &snapshot.side.id;
        let time = time(&snapshot.side);
        let old = self.places.get(id).copied();
        let position = match old {
            Some(old) if old.is_at(time) => old,
            _ => self.listing.place(time, End::Front),
        };
        if position > self.edge && !self.feed.is_complete() {
            return self.remove(id, cx);
        }
        if old != Some(position) {
            if let Some(old) = old {
                self.listing.remove(old);
            }
            self.places.insert(id.clone(), position);
            self.listing.insert(position, id.clone());
        }
        let shown = self.listing.shown.get(position);
        if shown.is_none_or(|shown| !Arc::ptr_eq(shown, snapshot)) {
            self.listing.show(position, Arc::clone(snapshot));
        }
        self.trim(cx);
    }

    fn remove(&mut self, id: &ConversationId, cx: &mut Context) {
        if let Some(position) = self.places.remove(id) {
            self.listing.remove(position);
            cx.changed.insert(self.key().clone());
        }
        self.candidates.remove(id);
        self.refreshing.remove(id);
        cx.listed
            .push_back(Listed::Release(self.filter.clone(), id.clone()));
    }

    fn trim(&mut self, cx: &mut Context) {
        while self.listing.len() > cx.limits.window.max(1)
            && let Some((_, id)) = self.listing.last()
        {
            let id = id.clone();
            self.remove(&id, cx);
            self.feed.cursor = Cursor::Unknown;
            self.edge = self.listing.last().map_or(Position::LAST, |(last, _)| last);
        }
    }

    /// Makes the list these conversations.
    fn replace(&mut self, mut sides: Vec<Side>, cx: &mut Context) {
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
                        self.listing.remove(old);
                    }
                    self.place(side)
                }
            };
            before = Some(position);
        }
        self.finish(sides, cx);
    }

    fn append(&mut self, sides: Vec<Side>, cx: &mut Context) {
        for side in &sides {
            if !self.places.contains_key(&side.id) {
                self.place(side);
            }
        }
        self.finish(sides, cx);
    }

    fn place(&mut self, side: &Side) -> Position {
        let position = self.listing.place(time(side), End::Back);
        self.places.insert(side.id.clone(), position);
        self.listing.insert(position, side.id.clone());
        position
    }

    /// Lets the conversations of a page be known.
    fn finish(&mut self, sides: Vec<Side>, cx: &mut Context) {
        self.edge = match self.listing.last() {
            Some((last, _)) if !self.feed.is_complete() => last,
            _ => Position::LAST,
        };
        for side in sides {
            self.candidates.remove(&side.id);
            cx.listed
                .push_back(Listed::Feed(self.filter.clone(), Box::new(side)));
        }
    }

    /// What came while a page was awaited: brings its conversations up to date, and returns those
    /// that are not in it.
    fn replay(&self, sides: &mut Vec<Side>, me: &UserId) -> Vec<Listed> {
        let mut events: BTreeMap<ConversationId, Vec<&ServerEvent>> = BTreeMap::new();
        for event in self.feed.sync.log() {
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
                    others.push(Listed::Feed(self.filter.clone(), side));
                }
                None if events.iter().any(|event| self.concerns(event)) => {
                    others.push(Listed::Watch(self.filter.clone(), id));
                }
                None => {}
            }
        }
        others
    }

    /// Takes up conversations that may belong here, and are not here yet.
    fn consider_all(&mut self, others: Vec<Listed>, cx: &mut Context) {
        for other in others {
            let id = match &other {
                Listed::Feed(_, side) => &side.id,
                Listed::Watch(_, id) | Listed::Release(_, id) => id,
            };
            if !self.places.contains_key(id) {
                self.candidates.insert(id.clone());
                cx.listed.push_back(other);
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
            Some(at) if !self.feed.is_complete() => {
                if self.edge.is_before(at.0.saturating_neg()) {
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
    side.last_message_at.0.saturating_neg()
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

impl Face for ConversationSnapshot {
    type Key = ConversationId;

    fn key(&self) -> &ConversationId {
        &self.side.id
    }
}

impl Store for ConversationList {
    fn open(&mut self, cx: &mut Context) {
        self.feed.sync.open(cx);
    }

    fn lost(&mut self) {
        self.feed.sync.lost();
    }

    fn close(&mut self, cx: &mut Context) {
        self.feed.sync.close(cx);
        let all = self.places.keys().chain(&self.candidates);
        for id in all.cloned().collect::<BTreeSet<_>>() {
            self.remove(&id, cx);
        }
    }

    fn sync(&mut self) -> &mut Sync {
        &mut self.feed.sync
    }

    fn is_wanted(&self) -> bool {
        !self.listing.views.is_empty()
    }

    fn fetch(&mut self, cx: &mut Context) {
        let cap = cx.limits.window.max(1);
        let state = self.state(cap);
        if let Some((wanted, loaded)) = self.listing.wants(state) {
            let filter: Option<&RawValue> = Some(self.filter.json());
            self.feed.fetch(wanted.min(cap), loaded, filter, cx);
        }
    }

    fn answer(&mut self, answer: Answer<'_>, cx: &mut Context) {
        let (mut sides, all) = match self.feed.take_answer(answer, cx) {
            Loaded::Nothing => return,
            // The user does not exist yet, and is in no conversation.
            Loaded::Absent => {
                self.feed.sync.stage = Stage::Loaded;
                self.feed.cursor = Cursor::End;
                (Vec::new(), true)
            }
            Loaded::All(sides) => (sides, true),
            Loaded::More(sides) => (sides, false),
        };
        let others = self.replay(&mut sides, &cx.me);
        if all {
            self.replace(sides, cx);
        } else {
            self.append(sides, cx);
        }
        self.consider_all(others, cx);
        self.trim(cx);
        let last = self.listing.last().map(|(position, _)| position);
        for view in self.listing.views.values_mut() {
            view.clamp(last, self.feed.is_complete());
        }
        self.feed.sync.clear_log();
        cx.attend_to(self.feed.sync.key());
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut Context) {
        let Some(id) = conversation(event) else {
            return;
        };
        if let ServerEvent::ParticipantEdited { user_id, .. } = event
            && *user_id != cx.me
        {
            return;
        }
        let is_loaded = self.feed.sync.admit(event, false, cx);
        if !is_loaded || self.places.contains_key(id) || self.candidates.contains(id) {
            return;
        }
        let filter = self.filter.clone();
        let listed = match event {
            ServerEvent::SideCreated { state, .. } => Listed::Feed(filter, state.clone()),
            ServerEvent::SideDeleted { .. } => return,
            _ if self.concerns(event) => Listed::Watch(filter, id.clone()),
            _ => return,
        };
        self.consider_all(vec![listed], cx);
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.listing.viewers()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut Context) {
        self.listing.add_viewer(viewer);
        cx.attend_to(self.key());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.listing.remove_viewer(viewer)
    }

    fn list(&mut self) -> Option<(&mut dyn List, Growth)> {
        let growth = Growth {
            max: PAGE,
            default: MORE,
        };
        Some((&mut self.listing, growth))
    }

    fn review(&mut self, cx: &Context, news: &mut Vec<News>) {
        if self.feed.sync.stage != Stage::Loaded || !self.refreshing.is_empty() {
            return;
        }
        let state = self.state(cx.limits.window.max(1));
        for (viewer, view) in &mut self.listing.views {
            let review = view.see(&mut self.listing.shown, state);
            news.push(News {
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
