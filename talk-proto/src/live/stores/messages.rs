//! The messages of a conversation: a window of them, and those that they quote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::message_index::MessageIndex;
use super::sender_index::SenderIndex;
use super::store::{List, PageSizes, Response, Store, ViewUpdate};
use crate::command::RequestId;
use crate::live::interface::FetchId;
use crate::live::key::{Dependent, StoreKey, ViewerId};
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{End, ListItem, OrderedList};
use crate::live::list::view::ListState;
use crate::live::store_cx::StoreCx;
use crate::live::sync::paginator::{Cursor, PageOutcome, Paginator};
use crate::live::sync::state::{Stage, SyncState};
use crate::model::{ConversationId, Message, MessageId, MessageSnapshot};
use crate::snapshot::{Snapshot, Update};
use crate::timestamp::Timestamp;
use crate::wire::ServerEvent;

/// The messages that a window begins with, the most that one request gives, and how many it grows
/// by unless asked otherwise, as documented.
const FIRST_WINDOW: usize = 30;
const PAGE: usize = 100;
const MORE: usize = 30;

/// The messages of one conversation, newest first.
pub(crate) struct MessageStore {
    pages: Paginator<Message>,
    pub(crate) list: OrderedList<MessageSnapshot>,
    pub(crate) index: MessageIndex,
    pub(crate) senders: SenderIndex,
    /// Quoted messages to fetch at the next drain.
    pub(crate) quotes_wanted: Vec<MessageId>,
    quotes_in_flight: BTreeMap<MessageId, FetchId>,
    /// Quoted messages that are shown as they were before a loss.
    pub(crate) refreshing: BTreeSet<MessageId>,
    /// Whether the last message is shown elsewhere.
    shown_as_last: bool,
    pub(crate) conversation: ConversationId,
}

/// The last message of a conversation.
pub(crate) enum LastMessage {
    /// Not known, or not for certain.
    Unknown,
    /// Known, but not its nested data.
    Waiting(Position),
    /// The last message, if there is one.
    Known(Option<Arc<MessageSnapshot>>),
}

impl MessageStore {
    pub(crate) fn new(conversation: ConversationId) -> Self {
        let key = StoreKey::Messages(conversation.clone());
        Self {
            pages: Paginator::new(SyncState::new(key), PAGE),
            list: OrderedList::new(),
            index: MessageIndex::default(),
            senders: SenderIndex::default(),
            quotes_wanted: Vec::new(),
            quotes_in_flight: BTreeMap::new(),
            refreshing: BTreeSet::new(),
            shown_as_last: false,
            conversation,
        }
    }

    pub(crate) fn key(&self) -> &StoreKey {
        self.pages.sync.key()
    }

    /// Whether somebody shows the last message, which takes one message loaded.
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

    pub(crate) fn last_message(&self) -> LastMessage {
        match self.pages.sync.stage {
            Stage::Unloaded => return LastMessage::Unknown,
            Stage::Absent => return LastMessage::Known(None),
            Stage::Loaded if !self.refreshing.is_empty() => return LastMessage::Unknown,
            Stage::Loaded => {}
        }
        match self.list.first() {
            Some((position, _)) if self.is_waiting(position) => LastMessage::Waiting(position),
            Some(_) => LastMessage::Known(self.newest_shown()),
            None if self.pages.is_complete() => LastMessage::Known(None),
            None => LastMessage::Unknown,
        }
    }

    /// Whether the nested data of the message there is still missing.
    pub(crate) fn is_waiting(&self, position: Position) -> bool {
        self.list.shown.waiting.contains(&position)
    }

    /// The newest message that can be shown.
    pub(crate) fn newest_shown(&self) -> Option<Arc<MessageSnapshot>> {
        self.list.shown.items.first().cloned()
    }

    /// Takes the answer about a quoted message; whatever else than the message makes it gone.
    pub(crate) fn answer_quote(&mut self, id: &MessageId, answer: Response<'_>, cx: &mut StoreCx) {
        self.quotes_in_flight.remove(id);
        self.refreshing.remove(id);
        if self.index.is_quote(id) {
            let message = answer
                .ok()
                .flatten()
                .and_then(|body| serde_json::from_str::<Message>(body.get()).ok());
            match message {
                Some(message) if message.id == *id => {
                    self.learn(Arc::new(message), cx);
                }
                _ => self.set_gone(id, cx),
            }
            self.replay(Some(id), cx);
        }
        self.settle(cx);
    }

    fn state(&self, cap: usize) -> ListState {
        ListState {
            complete: self.pages.is_complete(),
            full: self.list.len() >= cap,
            initial: FIRST_WINDOW.min(cap),
        }
    }

    /// How many messages may be held. While no list shows them, a first window is enough.
    fn cap(&self, limit: usize) -> usize {
        if self.list.views.is_empty() {
            FIRST_WINDOW.min(limit.max(1))
        } else {
            limit.max(1)
        }
    }

    /// How many messages must be loaded, and how many are.
    fn wants(&self, cap: usize) -> (usize, usize) {
        let last = self.shown_as_last.then(|| (1, self.list.shown.len()));
        let wants = self.list.wants(self.state(cap)).max(last);
        wants.map_or((0, 0), |(wanted, loaded)| (wanted.min(cap), loaded))
    }

    fn apply(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        match event {
            ServerEvent::MessageCreated { state, .. } => {
                self.take_new(Arc::clone(state), End::Front, cx);
            }
            ServerEvent::MessageEdited {
                message_id, diff, ..
            } => {
                if let Some(message) = self.message(message_id) {
                    let mut message = Message::clone(message);
                    message.apply(diff.clone());
                    self.learn(Arc::new(message), cx);
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
                    Some(Some(message)) => self.take_new(Arc::clone(message), End::Back, cx),
                    Some(None) => self.clear(cx),
                }
            }
            ServerEvent::ConversationCleared { .. } => self.clear(cx),
            _ => {}
        }
    }

    /// Takes up a message that came by an event, unless it lies behind what is loaded.
    fn take_new(&mut self, message: Arc<Message>, end: End, cx: &mut StoreCx) {
        if self.index.position(&message.id).is_some() {
            return;
        }
        let position = self.list.place(time(message.created_at), end);
        let is_behind = self.list.last().is_some_and(|(last, _)| position > last);
        if is_behind && !self.pages.is_complete() {
            return;
        }
        self.list(position, message, cx);
        self.trim(cx);
    }

    fn clear(&mut self, cx: &mut StoreCx) {
        let all: Vec<MessageId> = self.list.keys().cloned().collect();
        for id in all {
            self.unlist(&id, cx);
        }
        self.pages.cursor = Cursor::End;
        cx.changed.insert(self.key().clone());
    }

    /// Makes the loaded messages these; what did not change stays as it is.
    fn replace(&mut self, mut messages: Vec<Message>, cx: &mut StoreCx) {
        messages.sort_by_key(|message| time(message.created_at));
        let kept: BTreeSet<&MessageId> = messages.iter().map(|message| &message.id).collect();
        let gone: Vec<MessageId> = self
            .list
            .keys()
            .filter(|id| !kept.contains(id))
            .cloned()
            .collect();
        for id in gone {
            self.unlist(&id, cx);
        }
        let mut before = None;
        for message in messages {
            let message = self.own(message);
            let time = time(message.created_at);
            let position = match self.index.position(&message.id) {
                Some(position) if position.is_at(time) && before < Some(position) => {
                    self.learn(message, cx);
                    position
                }
                // A page that names a message twice.
                Some(position) if before == Some(position) => continue,
                _ => {
                    let position = self.list.place(time, End::Back);
                    self.list(position, message, cx);
                    position
                }
            };
            before = Some(position);
        }
        for id in self.index.quotes() {
            if !self.index.is_missing(&id) {
                self.refreshing.insert(id.clone());
            }
            self.quotes_wanted.push(id);
        }
    }

    fn append(&mut self, messages: Vec<Message>, cx: &mut StoreCx) {
        for message in messages {
            if self.index.position(&message.id).is_none() {
                let position = self.list.place(time(message.created_at), End::Back);
                let message = self.own(message);
                self.list(position, message, cx);
            }
        }
    }

    /// A message of a page, which shares its sender's ID with the others.
    fn own(&self, mut message: Message) -> Arc<Message> {
        let sender = message.sender_id.take();
        message.sender_id = sender.map(|sender| self.senders.known(sender));
        Arc::new(message)
    }

    /// Drops the oldest messages above the cap.
    fn trim(&mut self, cx: &mut StoreCx) {
        let cap = self.cap(cx.limits.window);
        while self.list.len() > cap
            && let Some((_, id)) = self.list.last()
        {
            let id = id.clone();
            self.unlist(&id, cx);
            self.pages.cursor = Cursor::Unknown;
        }
    }

    /// Applies what came while an answer was awaited: all of it, or what concerns one message.
    fn replay(&mut self, only: Option<&MessageId>, cx: &mut StoreCx) {
        for event in self.pages.sync.log().to_vec() {
            let (ServerEvent::MessageEdited { message_id, .. }
            | ServerEvent::MessageDeleted { message_id, .. }) = &event
            else {
                if only.is_none() {
                    self.apply(&event, cx);
                }
                continue;
            };
            if only.is_none_or(|only| only == message_id) {
                self.apply(&event, cx);
            }
        }
    }

    /// After an answer: looks for what is still missing, and tells the viewers.
    fn settle(&mut self, cx: &mut StoreCx) {
        self.trim(cx);
        let last = self.list.last().map(|(position, _)| position);
        for view in self.list.views.values_mut() {
            view.clamp(last, self.pages.is_complete());
        }
        if self.pages.sync.fetch.is_none() && self.quotes_in_flight.is_empty() {
            self.pages.sync.clear_log();
        }
        cx.attend_to(self.pages.sync.key());
    }

    /// Forgets everything that was loaded.
    fn forget(&mut self, cx: &mut StoreCx) {
        self.clear(cx);
        self.pages.cursor = Cursor::Unknown;
        for fetch in std::mem::take(&mut self.quotes_in_flight).into_values() {
            cx.requests.forget(fetch);
        }
        self.quotes_wanted.clear();
        self.refreshing.clear();
    }
}

impl ListItem for MessageSnapshot {
    type Key = MessageId;

    fn key(&self) -> &MessageId {
        &self.id
    }
}

/// The order of messages: newest first.
fn time(created_at: Timestamp) -> i64 {
    created_at.as_millis().saturating_neg()
}

impl Store for MessageStore {
    fn open(&mut self, cx: &mut StoreCx) {
        self.pages.sync.open(cx);
    }

    fn lost(&mut self) {
        self.pages.sync.lost();
        self.quotes_in_flight.clear();
        self.quotes_wanted.clear();
        self.refreshing.clear();
    }

    fn close(&mut self, cx: &mut StoreCx) {
        self.pages.sync.close(cx);
        self.forget(cx);
    }

    fn sync(&mut self) -> &mut SyncState {
        &mut self.pages.sync
    }

    fn is_wanted(&self) -> bool {
        self.shown_as_last || !self.list.views.is_empty()
    }

    fn may_fetch(&self, cx: &StoreCx) -> bool {
        let (wanted, loaded) = self.wants(self.cap(cx.limits.window));
        self.pages.sync.stage != Stage::Loaded || wanted > loaded || !self.quotes_wanted.is_empty()
    }

    fn fetch(&mut self, cx: &mut StoreCx) {
        let (wanted, loaded) = self.wants(self.cap(cx.limits.window));
        if wanted > 0 {
            self.pages.fetch(wanted, loaded, None::<&()>, cx);
        }
        if self.pages.sync.stage != Stage::Loaded || !cx.ready {
            return;
        }
        for id in std::mem::take(&mut self.quotes_wanted) {
            let needed = self.index.is_missing(&id) || self.refreshing.contains(&id);
            if needed && !self.quotes_in_flight.contains_key(&id) {
                let fetch = cx.requests.quote(&self.conversation, &id);
                self.quotes_in_flight.insert(id, fetch);
            }
        }
    }

    fn answer(&mut self, answer: Response<'_>, cx: &mut StoreCx) {
        match self.pages.take_answer(answer, cx) {
            PageOutcome::Pending => return,
            PageOutcome::Absent => return self.forget(cx),
            PageOutcome::Reset(messages) => self.replace(messages, cx),
            PageOutcome::Next(messages) => self.append(messages, cx),
        }
        self.replay(None, cx);
        self.settle(cx);
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        if self.pages.sync.follow_membership(event, cx) {
            return self.forget(cx);
        }
        let awaiting = !self.quotes_in_flight.is_empty();
        if self.pages.sync.admit(event, awaiting, cx) {
            self.apply(event, cx);
            if self.list.len() == 0 && !self.pages.is_complete() {
                cx.to_fetch.add(self.key());
            }
        }
    }

    fn user_changed(&mut self, dependent: &Dependent, cx: &mut StoreCx) {
        if let Dependent::Item(_, user) = dependent {
            for id in self.senders.messages(user) {
                self.refresh(&id, cx);
            }
        }
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
        let stage = self.pages.sync.stage;
        if stage == Stage::Unloaded || !self.refreshing.is_empty() {
            return;
        }
        let state = self.state(self.cap(cx.limits.window));
        for (viewer, view) in &mut self.list.views {
            let review = match stage {
                Stage::Absent => view.see_absence(),
                Stage::Loaded | Stage::Unloaded => view.see(&mut self.list.shown, state),
            };
            news.push(ViewUpdate {
                viewer: *viewer,
                update: review.update.map(|(window, changes)| Update {
                    snapshot: Snapshot::Messages(window),
                    changes,
                }),
                resolved: review.resolved,
                refusal: None,
            });
        }
    }
}
