//! Reading of conversations and their messages.

use std::time::Duration;

use super::consumer::{Consumer, Purpose};
use super::context::InboxCx;
use super::conversation::Reading;
use super::turns::Turn;
use crate::error::RequestError;
use crate::live::interface::{InboxRead, ReadToken};
use crate::live::is_absence;
use crate::model::{ConversationId, MessageSnapshot};
use crate::wire::Page;

/// The largest number of unanswered reads.
const MAX_READS: usize = 16;
/// The largest number of conversations with messages in memory.
const MAX_LOADED: usize = 32;
/// The delay after a read without a usable answer.
const RETRY_AFTER: Duration = Duration::from_secs(30);

impl Consumer {
    /// Returns `true` if another read can be sent.
    pub(super) fn can_read(&self) -> bool {
        self.reads.len() < MAX_READS
    }

    pub(super) fn read_conversation(&mut self, id: &ConversationId, cx: &mut InboxCx) -> Turn {
        if self.scan.is_running() {
            // The scan probably reads it, and queues all others at its end.
            return Turn::Idle;
        }
        if !self.can_read() {
            return Turn::WaitForRead;
        }
        let token = cx.read(self.id, InboxRead::Conversation(id.clone()));
        self.reads.insert(token, Purpose::Conversation(id.clone()));
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.awaited = Some(token);
        }
        Turn::Idle
    }

    pub(super) fn read_messages(
        &mut self,
        id: &ConversationId,
        cursor: Option<String>,
        limit: usize,
        cx: &mut InboxCx,
    ) -> Turn {
        if !self.can_read() || !self.make_room_for(id, cx) {
            return Turn::WaitForRead;
        }
        // Not before the read is possible: a subscription can be refused at once, and would be
        // tried again and again until the read is possible.
        self.prepare_newest(id, cx);
        let conversation = id.clone();
        let read = InboxRead::Messages {
            conversation,
            cursor,
            limit,
        };
        let token = cx.read(self.id, read);
        self.reads.insert(token, Purpose::Messages(id.clone()));
        self.loaded.insert(id.clone());
        let conversation = self.conversations.get_mut(id);
        if let Some(reading) = conversation.and_then(|it| it.reading.as_mut()) {
            reading.awaited = Some(token);
        }
        Turn::Idle
    }

    /// Prepares a conversation for the read of its newest messages. The messages after them arrive
    /// with their events if there is room for a subscription.
    fn prepare_newest(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        let reading = conversation.reading.as_ref();
        if reading.is_some_and(|reading| reading.walk.is_at_newest()) {
            conversation.has_news = false;
            if conversation.expects_few(&self.scan) {
                self.subscribe_messages(id, cx);
            }
        }
    }

    /// Discards the messages of another conversation if too many have messages in memory. Returns
    /// `false` if none can be discarded.
    pub(super) fn make_room_for(&mut self, id: &ConversationId, cx: &mut InboxCx) -> bool {
        if self.loaded.contains(id) || self.loaded.len() < MAX_LOADED {
            return true;
        }
        let share = self.share();
        let is_blocked = |other: &&ConversationId| {
            let conversation = self.conversations.get(*other);
            conversation.is_none_or(|conversation| {
                let reading = conversation.reading.as_ref();
                let is_resting = |reading: &Reading| {
                    let is_active = reading.awaited.is_some() || !reading.upcoming.is_empty();
                    !is_active && conversation.load() >= share
                };
                reading.is_none_or(|reading| is_resting(reading))
            })
        };
        let blocked = self.loaded.iter().find(is_blocked).cloned();
        if let Some(blocked) = &blocked {
            self.unload(blocked, cx);
        }
        blocked.is_some()
    }

    /// Handles a page of messages.
    pub(super) fn handle_messages(
        &mut self,
        id: &ConversationId,
        token: ReadToken,
        page: Result<Page<MessageSnapshot>, RequestError>,
        cx: &mut InboxCx,
    ) {
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        // A page of an earlier reading is ignored.
        let is_awaited = |it: &&mut Box<Reading>| it.awaited == Some(token);
        let Some(reading) = conversation.reading.as_mut().filter(is_awaited) else {
            return;
        };
        reading.awaited = None;
        match page {
            Ok(page) => {
                reading.read_at = cx.now;
                reading.walk.handle_page(page.data, page.cursor);
                self.enqueue(id);
            }
            // A cursor that does not exist says nothing about the conversation.
            Err(error) if is_absence(&error) && reading.walk.is_at_newest() => self.leave(id, cx),
            Err(_) => {
                // A refused cursor is not used again.
                self.stop_reading(id, cx);
                self.delay(id, cx);
            }
        }
    }

    /// Ends the reading of a conversation whose newest messages were delivered. Returns `false` if
    /// there are newer ones.
    pub(super) fn finish_reading(&mut self, id: &ConversationId, cx: &mut InboxCx) -> bool {
        self.has_freed |= self.loaded.remove(id);
        let Some(conversation) = self.conversations.get_mut(id) else {
            return true;
        };
        conversation.reading = None;
        if conversation.has_news {
            return false;
        }
        conversation.is_behind = false;
        conversation.acked_before.clear();
        conversation.settle();
        if conversation.is_saved_behind && !conversation.is_unfinished() {
            self.save(id, cx);
        }
        true
    }

    /// Continues a conversation after a delay.
    pub(super) fn delay(&mut self, id: &ConversationId, cx: &InboxCx) {
        self.delayed.insert((cx.now + RETRY_AFTER, id.clone()));
    }
}
