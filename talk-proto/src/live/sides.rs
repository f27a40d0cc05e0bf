//! Conversations, as the current user sees them, each with its last message.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::FetchId;
use super::context::Context;
use super::key::{Dependent, StoreKey, ViewerId};
use super::listing::Position;
use super::messages::{LastMessage, MessageStore};
use super::single::NoParameters;
use super::store::{Answer, News, Store};
use super::sync::{Stage, Sync, is_absence};
use crate::command::RequestId;
use crate::error::TransportError;
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot, Side, UserId};
use crate::snapshot::Snapshot;
use crate::wire::ServerEvent;

/// The store of one conversation.
///
/// Its snapshot waits for the nested data of a new last message, but for no message that came
/// after the waiting began.
pub(super) struct SideStore {
    sync: Sync,
    side: Option<Arc<Side>>,
    /// The new last message that held back what is shown.
    held: Option<Position>,
    /// Whether what is shown is all that is known.
    is_current: bool,
    /// What is shown; `None` until that is known.
    current: Option<Option<Arc<ConversationSnapshot>>>,
    views: BTreeMap<ViewerId, Option<Option<Arc<ConversationSnapshot>>>>,
}

impl SideStore {
    pub(super) fn new(conversation: ConversationId) -> Self {
        Self {
            sync: Sync::new(StoreKey::Side(conversation)),
            side: None,
            held: None,
            is_current: false,
            current: None,
            views: BTreeMap::new(),
        }
    }

    /// Brings what is shown up to date with the messages of the conversation.
    pub(super) fn refresh(&mut self, messages: &MessageStore) {
        self.is_current = false;
        let current = match (self.sync.stage, &self.side) {
            (Stage::Unloaded, _) => return,
            (Stage::Absent, _) | (Stage::Loaded, None) => None,
            (Stage::Loaded, Some(side)) => {
                let side = Arc::clone(side);
                let Some(last_message) = self.last_message(messages) else {
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

    fn apply(side: &mut Option<Arc<Side>>, event: &ServerEvent, me: &UserId) {
        match (event, side) {
            (ServerEvent::SideCreated { state, .. }, side) => *side = Some(Arc::new(state.clone())),
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

    /// Takes `side` as what the server holds, and what came since.
    fn take(&mut self, side: Option<Side>, cx: &mut Context) {
        let mut side = side.map(Arc::new);
        for event in self.sync.log() {
            Self::apply(&mut side, event, &cx.me);
        }
        self.sync.clear_log();
        self.set(side, cx);
    }

    fn set(&mut self, side: Option<Arc<Side>>, cx: &mut Context) {
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

impl Store for SideStore {
    fn open(&mut self, cx: &mut Context) {
        self.sync.open(cx);
    }

    fn lost(&mut self) {
        self.sync.lost();
    }

    fn close(&mut self, cx: &mut Context) {
        self.sync.close(cx);
    }

    fn is_open(&self, cx: &Context) -> bool {
        self.sync.is_open(cx)
    }

    fn is_wanted(&self) -> bool {
        !self.views.is_empty()
    }

    fn fetch(&mut self, cx: &mut Context) {
        if self.sync.should_load(cx) {
            let fetch = cx.requests.load(self.sync.key(), &NoParameters {});
            self.sync.fetch = Some(fetch);
        }
    }

    fn answer(&mut self, fetch: FetchId, answer: Answer<'_>, cx: &mut Context) {
        if self.sync.fetch != Some(fetch) {
            return;
        }
        self.sync.fetch = None;
        match answer {
            Ok(body) => {
                let side = body.and_then(|body| serde_json::from_str::<Side>(body.get()).ok());
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

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut Context) {
        if self.sync.stage == Stage::Unloaded {
            self.sync.admit(event, false, cx);
            return;
        }
        let mut side = self.side.clone();
        Self::apply(&mut side, event, &cx.me);
        if side != self.side {
            self.set(side, cx);
        }
    }

    fn user_changed(&mut self, _: &Dependent, _: &mut Context) {}

    fn viewers(&self) -> Vec<ViewerId> {
        self.views.keys().copied().collect()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut Context) {
        self.views.insert(viewer, None);
        cx.changed.insert(self.sync.key().clone());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.views.remove(&viewer);
        Vec::new()
    }

    fn review(&mut self, _: &Context, news: &mut Vec<News>) {
        let (true, Some(current)) = (self.is_current, &self.current) else {
            return;
        };
        for (viewer, seen) in &mut self.views {
            if seen.as_ref() != Some(current) {
                *seen = Some(current.clone());
                news.push(News::of(*viewer, Snapshot::Conversation(current.clone())));
            }
        }
    }
}
