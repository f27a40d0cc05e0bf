//! Conversations as the current user sees them, each with its last message.

use std::sync::Arc;

use super::list_filter::ListFilter;
use super::messages::{LastMessage, MessageStore};
use super::store::Store;
use super::view_update::ViewUpdate;
use super::viewers::Viewers;
use crate::command::RequestId;
use crate::error::TransportError;
use crate::live::key::{StoreKey, ViewerId};
use crate::live::list::items::Position;
use crate::live::store_cx::StoreCx;
use crate::live::sync::response::Response;
use crate::live::sync::state::{Stage, SyncState};
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot, UserId};
use crate::snapshot::Snapshot;
use crate::wire::ServerEvent;

/// The store of a conversation.
///
/// A snapshot waits for the nested data of a new last message. Messages that arrive during the wait
/// do not extend it.
pub(crate) struct ConversationStore {
    sync: SyncState,
    /// The loaded state. It lacks the last message until the first refresh, and is the snapshot
    /// afterwards.
    side: Option<Arc<ConversationSnapshot>>,
    /// The new last message that the next snapshot waits for.
    awaited: Option<Position>,
    /// Set if `current` reflects all known data.
    is_current: bool,
    /// The last snapshot; `None` before the first.
    current: Option<Option<Arc<ConversationSnapshot>>>,
    viewers: Viewers<Option<Arc<ConversationSnapshot>>>,
    /// The lists that contain or may contain the conversation, sorted. They supply its state. Most
    /// conversations are in one list, and a set would allocate space for several.
    lists: Vec<ListFilter>,
    /// Set if a list needs the conversation's state and no page will supply it. It has no effect
    /// while the state is loaded.
    is_watched: bool,
}

impl ConversationStore {
    pub(crate) fn new(conversation: ConversationId) -> Self {
        Self {
            sync: SyncState::new(StoreKey::Conversation(conversation)),
            side: None,
            awaited: None,
            is_current: false,
            current: None,
            viewers: Viewers::new(),
            lists: Vec::new(),
            is_watched: false,
        }
    }

    /// Creates the store of a conversation that only lists show.
    pub(super) fn listed(snapshot: Arc<ConversationSnapshot>, lists: Vec<ListFilter>) -> Self {
        let mut store = Self::new(snapshot.id.clone());
        store.sync.stage = Stage::Loaded;
        store.side = Some(Arc::clone(&snapshot));
        store.current = Some(Some(snapshot));
        store.is_current = true;
        store.lists = lists;
        store
    }

    /// Returns the snapshot if only lists show the conversation, and the store has no other state.
    pub(super) fn plain_snapshot(&self) -> Option<&Arc<ConversationSnapshot>> {
        let snapshot = self.current.as_ref()?.as_ref()?;
        let is_plain = self.is_current
            && self
                .side
                .as_ref()
                .is_some_and(|side| Arc::ptr_eq(side, snapshot))
            && self.awaited.is_none()
            && self.viewers.is_empty()
            && !self.lists.is_empty()
            && !self.sync.is_subscribed()
            && self.sync.is_settled();
        Some(snapshot).filter(|_| is_plain)
    }

    /// Returns the conversation if it is loaded.
    pub(crate) fn side(&self) -> Option<&Arc<ConversationSnapshot>> {
        let is_loaded = self.sync.stage == Stage::Loaded;
        self.side.as_ref().filter(|_| is_loaded)
    }

    /// Returns the last snapshot if it reflects all known data.
    pub(crate) fn snapshot(&self) -> Option<Option<&Arc<ConversationSnapshot>>> {
        let current = self.current.as_ref().filter(|_| self.is_current)?;
        Some(current.as_ref())
    }

    /// Returns the lists that contain or may contain the conversation.
    pub(crate) fn lists(&self) -> &[ListFilter] {
        &self.lists
    }

    pub(crate) fn add_list(&mut self, list: ListFilter) {
        if let Err(at) = self.lists.binary_search(&list) {
            self.lists.reserve_exact(1);
            self.lists.insert(at, list);
        }
    }

    pub(crate) fn remove_list(&mut self, list: &ListFilter, cx: &mut StoreCx) {
        self.lists.retain(|other| other != list);
        cx.unreferenced.insert(self.sync.key().clone());
    }

    /// Stores the state that a list has received, unless a newer state is known.
    pub(crate) fn supply(&mut self, side: ConversationSnapshot, cx: &mut StoreCx) {
        if self.sync.stage == Stage::Loaded {
            cx.changed.insert(self.sync.key().clone());
            return;
        }
        self.set_loaded(Some(side), cx);
        self.open(cx);
    }

    /// Fetches the conversation for a list, unless it is known.
    pub(crate) fn watch(&mut self, cx: &mut StoreCx) {
        self.is_watched = true;
        cx.mark_dirty(self.sync.key());
    }

    /// Updates the snapshot with the messages of the conversation.
    pub(crate) fn refresh(&mut self, messages: Option<&MessageStore>, cx: &StoreCx) {
        self.is_current = false;
        let current = match (self.sync.stage, &self.side) {
            (Stage::Unloaded, _) => return,
            (Stage::Absent, _) | (Stage::Loaded, None) => None,
            (Stage::Loaded, Some(side)) => {
                let side = Arc::clone(side);
                let last_message = messages.and_then(|messages| self.last_message(messages));
                let Some(last_message) = last_message else {
                    return;
                };
                Some(ConversationSnapshot {
                    last_message,
                    ..ConversationSnapshot::clone(&side)
                })
            }
        };
        self.is_current = true;
        let latest = self.current.as_ref().map(|latest| latest.as_deref());
        if latest != Some(current.as_ref()) {
            let cached = match (&cx.cached, &current) {
                (Some(cached), Some(current)) => cached.conversation(current),
                _ => None,
            };
            self.current = Some(cached.or_else(|| current.map(Arc::new)));
        }
        // The loaded state has no last message, and nothing reads one from it. So the snapshot can
        // take its place, and the conversation is in memory once.
        self.side = self.current.clone().flatten();
    }

    /// Returns the last message to show, or `None` while the snapshot waits for it.
    fn last_message(&mut self, messages: &MessageStore) -> Option<Option<Arc<MessageSnapshot>>> {
        match messages.last_message() {
            LastMessage::Unknown => None,
            LastMessage::Known(message) => {
                self.awaited = None;
                Some(message)
            }
            LastMessage::Waiting(position) => {
                let awaited = self.awaited.replace(position)?;
                if messages.is_waiting(awaited) {
                    self.awaited = Some(awaited);
                    return None;
                }
                Some(messages.newest_visible())
            }
        }
    }

    /// Stores a loaded state and applies the log to it.
    fn set_loaded(&mut self, side: Option<ConversationSnapshot>, cx: &mut StoreCx) {
        let side = fold(side, self.sync.log(), &cx.me);
        self.publish(side, cx);
    }

    /// Marks a state as current and schedules updates.
    fn publish(&mut self, side: Option<Arc<ConversationSnapshot>>, cx: &mut StoreCx) {
        let stage = match side {
            Some(_) => Stage::Loaded,
            None => Stage::Absent,
        };
        self.sync.set_stage(stage, cx);
        if self.side != side {
            self.side = side;
        }
        cx.changed.insert(self.sync.key().clone());
    }
}

/// Applies an event to the current user's view of a conversation, where `None` is an absent one.
pub(crate) fn apply(
    side: &mut Option<Arc<ConversationSnapshot>>,
    event: &ServerEvent,
    me: &UserId,
) {
    match (event, side) {
        (ServerEvent::SideCreated { state, .. }, side) => {
            *side = Some(Arc::new(ConversationSnapshot::clone(state)));
        }
        (ServerEvent::SideDeleted { .. }, side) => *side = None,
        (ServerEvent::SideEdited { diff, .. }, Some(side)) => {
            Arc::make_mut(side).apply_read_state(diff);
        }
        (ServerEvent::ConversationEdited { diff, .. }, Some(side)) => {
            Arc::make_mut(side).apply(diff.clone());
        }
        (ServerEvent::ParticipantEdited { user_id, diff, .. }, Some(side)) if user_id == me => {
            Arc::make_mut(side).apply_participant(diff.clone());
        }
        _ => {}
    }
}

/// Applies the events that arrived before a response to the state in it.
///
/// The server reports a join to every subscription of a part of the conversation, including
/// subscriptions that precede the one for later changes. A response with the same or a later join
/// time is newer than that event.
pub(crate) fn fold<'a>(
    response: Option<ConversationSnapshot>,
    events: impl IntoIterator<Item = &'a ServerEvent, IntoIter: Clone>,
    me: &UserId,
) -> Option<Arc<ConversationSnapshot>> {
    let events = events.into_iter();
    let joined_at = response.as_ref().map(|side| side.joined_at);
    let is_known = |event: &ServerEvent| match event {
        ServerEvent::SideCreated { state, .. } => Some(state.joined_at) <= joined_at,
        _ => false,
    };
    let known = events.clone().zip(1..).filter(|(event, _)| is_known(event));
    let skipped = known.map(|(_, count)| count).last().unwrap_or(0);
    let mut side = response.map(Arc::new);
    for event in events.skip(skipped) {
        apply(&mut side, event, me);
    }
    side
}

impl Store for ConversationStore {
    fn sync(&mut self) -> &mut SyncState {
        &mut self.sync
    }

    fn open(&mut self, cx: &mut StoreCx) {
        if self.needs_subscription() {
            self.sync.open(cx);
        }
    }

    fn handle_lost(&mut self, _: &mut StoreCx) {
        self.sync.handle_lost();
        self.is_watched = false;
    }

    fn close(&mut self, cx: &mut StoreCx) {
        self.sync.close(cx);
    }

    fn is_referenced(&self) -> bool {
        !self.viewers.is_empty() || !self.lists.is_empty()
    }

    fn needs_subscription(&self) -> bool {
        !self.viewers.is_empty()
    }

    fn fetch_missing(&mut self, cx: &mut StoreCx) {
        let is_for_list = !self.needs_subscription() && self.is_watched && self.sync.can_load(cx);
        if is_for_list || self.sync.should_load(cx) {
            self.sync.load(cx);
        }
    }

    fn reload(&mut self, cx: &mut StoreCx) {
        self.is_watched = true;
        self.sync.reload(cx);
    }

    fn handle_response(&mut self, response: Response<'_>, cx: &mut StoreCx) {
        match self.sync.decode::<ConversationSnapshot>(response, cx) {
            None => {}
            Some(Ok(side)) if *self.sync.key() == StoreKey::Conversation(side.id.clone()) => {
                self.set_loaded(Some(side), cx);
            }
            Some(Ok(_)) => {
                let malformed = TransportError::Malformed.into();
                cx.failed.push_back((self.sync.key().clone(), malformed));
            }
            Some(Err(_)) => self.set_loaded(None, cx),
        }
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        if self.sync.stage == Stage::Unloaded {
            self.sync.admit(event, false, cx);
            return;
        }
        let mut side = self.side.clone();
        apply(&mut side, event, &cx.me);
        if side != self.side {
            self.publish(side, cx);
        }
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.viewers.ids()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx) {
        self.viewers.add(viewer);
        self.sync.open(cx);
        cx.changed.insert(self.sync.key().clone());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.viewers.remove(viewer);
        Vec::new()
    }

    fn collect_updates(&mut self, _: &StoreCx, updates: &mut Vec<ViewUpdate>) {
        let (true, Some(current)) = (self.is_current, &self.current) else {
            return;
        };
        for viewer in self.viewers.outdated(current) {
            let snapshot = Snapshot::Conversation(current.clone());
            updates.push(ViewUpdate::new(viewer, snapshot));
        }
    }
}
