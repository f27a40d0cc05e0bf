//! The messages of a conversation: a window of them, and the quoted messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::list_pages::ListPages;
use super::message_index::MessageIndex;
use super::paged_list::{GoneItems, ListStore, PageSizes, PagedList};
use crate::changes::RemovalReason;
use crate::live::interface::FetchId;
use crate::live::key::StoreKey;
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{ListItem, TieBreak};
use crate::live::list::view::PlacedEcho;
use crate::live::store_cx::StoreCx;
use crate::live::sync::paginator::Cursor;
use crate::live::sync::response::{Response, decode};
use crate::live::sync::state::Stage;
use crate::model::{ConversationId, MessageDiff, MessageId, MessageSnapshot, UserId};
use crate::outbox::Entry;
use crate::snapshot::{Snapshot, Window};
use crate::timestamp::Timestamp;
use crate::wire::ServerEvent;

/// The messages of one conversation, newest first.
pub(crate) struct MessageStore {
    pub(crate) paged: PagedList<MessageSnapshot, MessageSnapshot>,
    pub(crate) index: MessageIndex,
    /// Quoted messages to fetch.
    pub(crate) quotes_to_fetch: Vec<MessageId>,
    quotes_in_flight: BTreeMap<MessageId, FetchId>,
    /// Quoted messages that are shown in their state from before a connection loss, until the
    /// messages that quote them are fetched again.
    outdated_quotes: BTreeSet<MessageId>,
    /// Quoted messages that are shown in their state from before a connection loss, and that the
    /// next update waits for.
    pub(crate) refreshing: BTreeSet<MessageId>,
    /// Set if the store of the conversation shows the last message.
    shown_as_last: bool,
    pub(crate) conversation: ConversationId,
}

/// The last message of a conversation.
pub(crate) enum LastMessage {
    /// The message is unknown or outdated.
    Unknown,
    /// The message is known, but its nested data is not.
    Waiting(Position),
    /// The message is known; `None` if there is none.
    Known(Option<Arc<MessageSnapshot>>),
}

impl MessageStore {
    pub(crate) fn new(conversation: ConversationId) -> Self {
        let key = StoreKey::Messages(conversation.clone());
        Self {
            paged: PagedList::new(key, &Self::SIZES),
            index: MessageIndex::default(),
            quotes_to_fetch: Vec::new(),
            quotes_in_flight: BTreeMap::new(),
            outdated_quotes: BTreeSet::new(),
            refreshing: BTreeSet::new(),
            shown_as_last: false,
            conversation,
        }
    }

    pub(crate) fn key(&self) -> &StoreKey {
        self.paged.key()
    }

    /// Sets if the store of the conversation shows the last message. If so, the message stays
    /// loaded.
    pub(crate) fn set_shown_as_last(&mut self, shown: bool, cx: &mut StoreCx) {
        self.shown_as_last = shown;
        if shown {
            cx.to_fetch.add(self.key());
        } else {
            cx.unreferenced.insert(self.key().clone());
        }
    }

    pub(crate) fn is_shown_as_last(&self) -> bool {
        self.shown_as_last
    }

    /// Sets that the store of the conversation shows the last message, which is loaded.
    pub(super) fn restore_shown_as_last(&mut self) {
        self.shown_as_last = true;
    }

    /// Returns `true` if the store has no state beyond the list and the last message, which the
    /// store of the conversation shows.
    pub(super) fn is_plain(&self) -> bool {
        self.shown_as_last
            && self.index.is_plain()
            && self.quotes_to_fetch.is_empty()
            && self.quotes_in_flight.is_empty()
            && self.outdated_quotes.is_empty()
            && self.refreshing.is_empty()
    }

    pub(crate) fn last_message(&self) -> LastMessage {
        match self.paged.pages.sync.stage {
            Stage::Unloaded => return LastMessage::Unknown,
            Stage::Absent => return LastMessage::Known(None),
            Stage::Loaded if !self.refreshing.is_empty() => return LastMessage::Unknown,
            Stage::Loaded => {}
        }
        match self.paged.items.first_position() {
            Some(position) if self.is_waiting(position) => LastMessage::Waiting(position),
            Some(_) => LastMessage::Known(self.newest_visible()),
            None if self.paged.pages.is_complete() => LastMessage::Known(None),
            None => LastMessage::Unknown,
        }
    }

    /// Returns `true` if the message at `position` waits for nested data.
    pub(crate) fn is_waiting(&self, position: Position) -> bool {
        self.paged.items.visible.waiting.contains(&position)
    }

    pub(crate) fn newest_visible(&self) -> Option<Arc<MessageSnapshot>> {
        self.paged.items.visible.items.first().cloned()
    }

    /// Handles the response to the request for a quoted message. After a failure the quote is
    /// unavailable.
    pub(crate) fn handle_quote(
        &mut self,
        id: &MessageId,
        response: Response<'_>,
        cx: &mut StoreCx,
    ) {
        self.quotes_in_flight.remove(id);
        self.refreshing.remove(id);
        if self.index.is_quote(id) {
            match decode::<MessageSnapshot>(response, &mut cx.damaged_items) {
                Ok(message) if message.id == *id => {
                    self.set_message(Arc::new(message), cx);
                }
                _ => self.set_unavailable(id, cx),
            }
            for event in self.paged.pages.sync.log().to_vec() {
                if let ServerEvent::MessageEdited { message_id, .. }
                | ServerEvent::MessageDeleted { message_id, .. } = &event
                    && message_id == id
                {
                    self.apply_logged(&event, cx);
                }
            }
        }
        self.finish_response(false, cx);
    }

    /// Applies the event of a new message. Takes ownership of the message, so that adding the
    /// sender needs no copy.
    pub(crate) fn handle_created(&mut self, event: ServerEvent, cx: &mut StoreCx) {
        let has_other_fetches = self.has_other_fetches();
        let sync = &mut self.paged.pages.sync;
        if sync.admit(&event, has_other_fetches, cx)
            && let ServerEvent::MessageCreated { state, .. } = event
        {
            self.add_new(state, TieBreak::First, cx);
        }
    }

    /// Adds a message from an event, unless the window contains it or it is beyond the loaded ones.
    fn add_new(&mut self, message: Arc<MessageSnapshot>, tie_break: TieBreak, cx: &mut StoreCx) {
        let time = sort_key(message.created_at);
        let position = self.paged.items.allocate(time, tie_break);
        if tie_break == TieBreak::Last && self.paged.items.len() == 0 {
            // No message precedes the new last one.
            self.paged.edge = position;
        }
        if !self.paged.is_beyond(position) && self.insert_new(position, message, cx) {
            self.trim(cx);
        }
    }

    /// Applies an event of the log. If the list lacks a deleted message, it was read after the
    /// deletion, or reflects it already. The other messages are then newer than the event.
    fn apply_logged(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        match event {
            ServerEvent::MessageDeleted { message_id, .. }
                if self.index.position(message_id).is_none() =>
            {
                self.delete(message_id, cx);
            }
            _ => self.apply(event, cx),
        }
    }

    fn delete_all(&mut self, cx: &mut StoreCx) {
        for id in self.paged.items.keys() {
            cx.echoes.note_deleted(&self.conversation, id);
        }
        self.remove_all(cx);
        self.paged.pages.cursor = Cursor::End;
        self.paged.pages.end_rest();
        cx.changed.insert(self.key().clone());
    }
}

impl ListItem for MessageSnapshot {
    type Key = MessageId;

    fn key(&self) -> &MessageId {
        &self.id
    }

    fn is_message(&self, message: &MessageId) -> bool {
        self.id == *message
    }
}

/// Returns the sort key of a message. The newest message is first.
fn sort_key(created_at: Timestamp) -> i64 {
    created_at.as_millis().saturating_neg()
}

impl ListStore for MessageStore {
    type Raw = MessageSnapshot;
    type Item = MessageSnapshot;

    const SIZES: PageSizes = PageSizes {
        first_window: 30,
        first_load: 0,
        page: 100,
        more: 30,
    };
    const GONE: RemovalReason = RemovalReason::Deleted;

    fn paged(&self) -> &PagedList<MessageSnapshot, MessageSnapshot> {
        &self.paged
    }

    fn paged_mut(&mut self) -> &mut PagedList<MessageSnapshot, MessageSnapshot> {
        &mut self.paged
    }

    fn key_of(message: &MessageSnapshot) -> &MessageId {
        &message.id
    }

    fn time_of(message: &MessageSnapshot) -> i64 {
        sort_key(message.created_at)
    }

    fn position_of(&self, id: &MessageId) -> Option<Position> {
        self.index.position(id)
    }

    fn put(&mut self, position: Position, mut message: MessageSnapshot, cx: &mut StoreCx) {
        let sender = message.sender_id.take();
        message.sender_id = sender.map(|sender| self.index.senders.interned(sender));
        let message = Arc::new(message);
        if self.index.position(&message.id) == Some(position) {
            self.set_message(message, cx);
        } else {
            self.insert(position, message, cx);
        }
    }

    fn remove(&mut self, id: &MessageId, reason: RemovalReason, cx: &mut StoreCx) {
        let position = self.index.position(id);
        let outdated = &self.paged.items.outdated;
        let is_outdated = position.is_some_and(|position| outdated.contains(&position));
        self.remove_listed(id, reason, cx);
        if is_outdated && self.index.is_quote(id) {
            self.outdated_quotes.insert(id.clone());
        }
    }

    fn apply(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        match event {
            ServerEvent::MessageCreated { state, .. } => {
                self.add_new(Arc::clone(state), TieBreak::First, cx);
            }
            ServerEvent::MessageEdited {
                message_id, diff, ..
            } => {
                if let Some(message) = self.message(message_id) {
                    let mut message = MessageSnapshot::clone(message);
                    message.apply(MessageDiff::clone(diff));
                    self.set_message(Arc::new(message), cx);
                }
            }
            ServerEvent::MessageDeleted {
                message_id,
                new_last_message,
                ..
            } => {
                self.delete(message_id, cx);
                match new_last_message {
                    None => {}
                    Some(Some(message)) => self.add_new(Arc::clone(message), TieBreak::Last, cx),
                    Some(None) => self.delete_all(cx),
                }
            }
            ServerEvent::ConversationCleared { .. } => self.delete_all(cx),
            _ => {}
        }
    }

    fn replay(&mut self, cx: &mut StoreCx) {
        for event in self.paged.pages.sync.log().to_vec() {
            self.apply_logged(&event, cx);
        }
    }

    fn wrap(window: Option<Window<MessageSnapshot>>) -> Option<Snapshot> {
        Some(Snapshot::Messages(window))
    }

    fn echoes<'a>(&self, cx: &'a StoreCx) -> Option<Vec<PlacedEcho<'a>>> {
        if !cx.echoes.is_on() {
            return None;
        }
        let position = |id| self.index.position(id);
        let place = |entry: &'a Arc<Entry>| PlacedEcho {
            entry,
            position: entry.message().and_then(position),
        };
        Some(cx.echoes.of(&self.conversation).map(place).collect())
    }

    fn shown_by(&self) -> Option<StoreKey> {
        let conversation = || StoreKey::Conversation(self.conversation.clone());
        self.shown_as_last.then(conversation)
    }

    fn needed_by_stores(&self) -> usize {
        usize::from(self.shown_as_last)
    }

    /// Without a viewer, a first window is sufficient for the last message.
    fn cap(&self, cx: &StoreCx) -> usize {
        let limit = cx.limits.window.max(1);
        if self.paged.items.views.is_empty() {
            Self::SIZES.first_window.min(limit)
        } else {
            limit
        }
    }

    fn is_refreshing(&self) -> bool {
        !self.refreshing.is_empty()
    }

    fn has_other_fetches(&self) -> bool {
        !self.quotes_in_flight.is_empty()
    }

    fn needs_other_fetches(&self) -> bool {
        !self.quotes_to_fetch.is_empty()
    }

    fn fetch_others(&mut self, cx: &mut StoreCx) {
        for id in std::mem::take(&mut self.quotes_to_fetch) {
            let is_needed = self.index.is_missing(&id) || self.refreshing.contains(&id);
            if is_needed && !self.quotes_in_flight.contains_key(&id) {
                let fetch = cx.requests.quote(&self.conversation, &id);
                self.quotes_in_flight.insert(id, fetch);
            }
        }
    }

    fn cancel_other_fetches(&mut self, cx: &mut StoreCx) {
        for fetch in std::mem::take(&mut self.quotes_in_flight).into_values() {
            cx.requests.forget(fetch);
        }
        self.quotes_to_fetch.clear();
        self.outdated_quotes.clear();
        self.refreshing.clear();
    }

    fn refresh_user(&mut self, user: &UserId, cx: &mut StoreCx) {
        for id in self.index.senders.messages(user) {
            self.refresh(&id, cx);
        }
    }

    fn begin_reset(&mut self, _: &mut StoreCx) {
        self.outdated_quotes = self.index.quotes().into_iter().collect();
    }

    fn remove_gone(&mut self, gone: GoneItems<Self>, cx: &mut StoreCx) {
        for (id, reason) in gone {
            self.remove(&id, reason, cx);
            if self.index.is_quote(&id) {
                self.outdated_quotes.insert(id);
            }
        }
    }

    fn refresh_others(&mut self) {
        let has_rest = self.paged.pages.has_rest();
        for id in std::mem::take(&mut self.outdated_quotes) {
            if !self.index.is_quote(&id) {
                continue;
            }
            let outdated = &self.paged.items.outdated;
            if has_rest
                && self
                    .index
                    .quoting_positions(&id)
                    .all(|at| outdated.contains(&at))
            {
                self.outdated_quotes.insert(id);
                continue;
            }
            if !self.index.is_missing(&id) {
                self.refreshing.insert(id.clone());
            }
            self.quotes_to_fetch.push(id);
        }
    }
}
