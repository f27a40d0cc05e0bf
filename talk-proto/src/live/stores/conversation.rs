//! Conversations, as the current user sees them, each with its last message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entity::NoParameters;
use super::list_filter::ListFilter;
use super::messages::{LastMessage, MessageStore};
use super::store::{Response, Store, ViewUpdate};
use crate::command::RequestId;
use crate::error::TransportError;
use crate::live::key::{StoreKey, ViewerId};
use crate::live::list::items::Position;
use crate::live::store_cx::StoreCx;
use crate::live::sync::state::{Stage, SyncState, is_absence};
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot, Side, UserId};
use crate::snapshot::Snapshot;
use crate::wire::ServerEvent;

/// The store of one conversation.
///
/// Its snapshot waits for the nested data of a new last message, but for no message that came
/// after the waiting began.
pub(crate) struct ConversationStore {
    sync: SyncState,
    side: Option<Arc<Side>>,
    /// The new last message that held back what is shown.
    held: Option<Position>,
    /// Whether what is shown is all that is known.
    is_current: bool,
    /// What is shown; `None` until that is known.
    current: Option<Option<Arc<ConversationSnapshot>>>,
    views: BTreeMap<ViewerId, Option<Option<Arc<ConversationSnapshot>>>>,
    /// The lists that hold it. They are told of it, and feed it.
    lists: BTreeSet<ListFilter>,
    /// Whether a list would know it, and no page will tell.
    is_watched: bool,
    conversation: ConversationId,
}

impl ConversationStore {
    pub(crate) fn new(conversation: ConversationId) -> Self {
        Self {
            sync: SyncState::new(StoreKey::Conversation(conversation.clone())),
            side: None,
            held: None,
            is_current: false,
            current: None,
            views: BTreeMap::new(),
            lists: BTreeSet::new(),
            is_watched: false,
            conversation,
        }
    }

    pub(crate) fn conversation(&self) -> &ConversationId {
        &self.conversation
    }

    /// The conversation, if it is known for certain.
    pub(crate) fn side(&self) -> Option<&Arc<Side>> {
        let is_loaded = self.sync.stage == Stage::Loaded;
        self.side.as_ref().filter(|_| is_loaded)
    }

    /// What is shown, if it is all that is known.
    pub(crate) fn snapshot(&self) -> Option<Option<&Arc<ConversationSnapshot>>> {
        let current = self.current.as_ref().filter(|_| self.is_current)?;
        Some(current.as_ref())
    }

    /// The lists that hold it.
    pub(crate) fn lists(&self) -> &BTreeSet<ListFilter> {
        &self.lists
    }

    /// A list shows the conversation.
    pub(crate) fn add_list(&mut self, list: ListFilter) {
        self.lists.insert(list);
    }

    /// A list shows the conversation no more.
    pub(crate) fn remove_list(&mut self, list: &ListFilter, cx: &mut StoreCx) {
        self.lists.remove(list);
        cx.unreferenced.insert(self.sync.key().clone());
    }

    /// Takes what a list was told, unless more is known.
    pub(crate) fn feed(&mut self, side: Side, cx: &mut StoreCx) {
        if self.sync.stage == Stage::Loaded {
            cx.changed.insert(self.sync.key().clone());
            return;
        }
        self.sync.drop_load(cx);
        self.take(Some(side), cx);
        self.open(cx);
    }

    /// OneShotReads the conversation, unless it is known or will be told.
    pub(crate) fn watch(&mut self, cx: &mut StoreCx) {
        self.is_watched = true;
        cx.attend_to(self.sync.key());
    }

    /// Brings what is shown up to date with the messages of the conversation.
    pub(crate) fn refresh(&mut self, messages: Option<&MessageStore>) {
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
                Some(ConversationSnapshot { side, last_message })
            }
        };
        self.is_current = true;
        let shown = self.current.as_ref().map(|shown| shown.as_deref());
        if shown != Some(current.as_ref()) {
            self.current = Some(current.map(Arc::new));
        }
    }

    /// The last message to show, unless it is to be waited for.
    fn last_message(&mut self, messages: &MessageStore) -> Option<Option<Arc<MessageSnapshot>>> {
        match messages.last_message() {
            LastMessage::Unknown => None,
            LastMessage::Known(message) => {
                self.held = None;
                Some(message)
            }
            LastMessage::Waiting(position) => {
                let held = self.held.replace(position)?;
                if messages.is_waiting(held) {
                    self.held = Some(held);
                    return None;
                }
                Some(messages.newest_shown())
            }
        }
    }

    /// Takes `side` as what the server holds, and what came since.
    fn take(&mut self, side: Option<Side>, cx: &mut StoreCx) {
        let side = fold(side, self.sync.log(), &cx.me);
        self.sync.clear_log();
        self.set(side, cx);
    }

    fn set(&mut self, side: Option<Arc<Side>>, cx: &mut StoreCx) {
        self.sync.stage = match side {
            Some(_) => Stage::Loaded,
            None => Stage::Absent,
        };
        if self.side != side {
            self.side = side;
        }
        cx.changed.insert(self.sync.key().clone());
    }
}

/// Changes the current user's view of a conversation, where `None` = they have none.
pub(crate) fn apply(side: &mut Option<Arc<Side>>, event: &ServerEvent, me: &UserId) {
    match (event, side) {
        (ServerEvent::SideCreated { state, .. }, side) => {
            *side = Some(Arc::new(Side::clone(state)));
        }
        (ServerEvent::SideDeleted { .. }, side) => *side = None,
        (ServerEvent::SideEdited { diff, .. }, Some(side)) => {
            Arc::make_mut(side).apply_side(diff.clone());
        }
        (ServerEvent::ConversationEdited { diff, .. }, Some(side)) => {
            Arc::make_mut(side).apply_conversation(diff.clone());
        }
        (ServerEvent::ParticipantEdited { user_id, diff, .. }, Some(side)) if user_id == me => {
            Arc::make_mut(side).apply_participant(diff.clone());
        }
        _ => {}
    }
}

/// What the server holds, given its answer and the events that came before it.
///
/// Joining is told to whoever is subscribed to any part of the conversation, also before the
/// subscription that tells of later changes: an answer that knows of it is newer.
pub(crate) fn fold<'a>(
    answer: Option<Side>,
    events: impl IntoIterator<Item = &'a ServerEvent, IntoIter: Clone>,
    me: &UserId,
) -> Option<Arc<Side>> {
    let events = events.into_iter();
    let joined_at = answer.as_ref().map(|side| side.joined_at);
    let is_known = |event: &ServerEvent| match event {
        ServerEvent::SideCreated { state, .. } => Some(state.joined_at) <= joined_at,
        _ => false,
    };
    let known = events.clone().zip(1..).filter(|(event, _)| is_known(event));
    let skipped = known.map(|(_, count)| count).last().unwrap_or(0);
    let mut side = answer.map(Arc::new);
    for event in events.skip(skipped) {
        apply(&mut side, event, me);
    }
    side
}

impl Store for ConversationStore {
    fn open(&mut self, cx: &mut StoreCx) {
        if self.needs_subscription() {
            self.sync.open(cx);
        }
    }

    fn lost(&mut self) {
        self.sync.lost();
        self.is_watched = false;
    }

    fn close(&mut self, cx: &mut StoreCx) {
        self.sync.close(cx);
    }

    fn sync(&mut self) -> &mut SyncState {
        &mut self.sync
    }

    fn is_wanted(&self) -> bool {
        !self.views.is_empty() || !self.lists.is_empty()
    }

    fn needs_subscription(&self) -> bool {
        !self.views.is_empty()
    }

    fn fetch(&mut self, cx: &mut StoreCx) {
        let is_fed = !self.needs_subscription();
        if self.sync.should_load(cx) || is_fed && self.is_watched && self.sync.can_load(cx) {
            let fetch = cx.requests.load(self.sync.key(), &NoParameters {});
            self.sync.fetch = Some(fetch);
        }
    }

    fn answer(&mut self, answer: Response<'_>, cx: &mut StoreCx) {
        self.sync.fetch = None;
        match answer {
            Ok(body) => {
                let side = body.and_then(|body| serde_json::from_str::<Side>(body.get()).ok());
                let side = side.filter(|side| side.id == self.conversation);
                if side.is_some() {
                    self.take(side, cx);
                } else {
                    let malformed = TransportError::Malformed.into();
                    cx.failed.push_back((self.sync.key().clone(), malformed));
                }
            }
            Err(error) if is_absence(&error) => self.take(None, cx),
            Err(error) => cx.failed.push_back((self.sync.key().clone(), error)),
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
            self.set(side, cx);
        }
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.views.keys().copied().collect()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx) {
        self.views.insert(viewer, None);
        self.sync.open(cx);
        cx.changed.insert(self.sync.key().clone());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.views.remove(&viewer);
        Vec::new()
    }

    fn review(&mut self, _: &StoreCx, news: &mut Vec<ViewUpdate>) {
        let (true, Some(current)) = (self.is_current, &self.current) else {
            return;
        };
        for (viewer, seen) in &mut self.views {
            if seen.as_ref() != Some(current) {
                *seen = Some(current.clone());
                news.push(ViewUpdate::of(
                    *viewer,
                    Snapshot::Conversation(current.clone()),
                ));
            }
        }
    }
}
