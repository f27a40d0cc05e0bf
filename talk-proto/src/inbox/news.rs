//! News of conversations: events, pages of the list, and reads of single conversations.

use std::sync::Arc;

use super::consumer::Consumer;
use super::context::InboxCx;
use super::conversation::{Conversation, Source, UpcomingState};
use super::position::Position;
use super::scan_state::BEGINNING;
use crate::error::RequestError;
use crate::live::interface::ReadToken;
use crate::live::is_absence;
use crate::model::{ConversationId, ConversationSnapshot, MessageId, ReadStateDiff};
use crate::timestamp::Timestamp;
use crate::wire::{EventError, Published, ServerEvent};

/// The largest number of conversations in memory. Others wait for a later scan.
const MAX_CONVERSATIONS: usize = 1_000_000;

impl Consumer {
    /// Handles an event.
    pub(super) fn handle_event(&mut self, event: &Published, cx: &mut InboxCx) {
        let event = match event {
            Ok(event) => event,
            Err(EventError::Unreadable(event)) => {
                if let Some(id) = event.conversation_id.clone() {
                    self.forget_snapshot(&id);
                    self.note_news(&id);
                } else if event.lacks_conversation() {
                    self.scan.restart(cx.now);
                }
                return;
            }
            Err(EventError::Malformed | EventError::UnknownType(_)) => return,
        };
        let Some(id) = event.conversation_id() else {
            return;
        };
        if !self.is_in_scope(id) {
            return;
        }
        match event {
            ServerEvent::SideCreated { state, .. } => {
                self.handle_side(ConversationSnapshot::clone(state), Source::Join);
            }
            ServerEvent::SideEdited { diff, .. } => self.handle_side_diff(id, diff, cx.now),
            ServerEvent::SideDeleted { .. } => self.leave(id, cx),
            ServerEvent::ConversationEdited { diff, .. } => {
                self.change_snapshot(id, |snapshot| snapshot.apply(diff.clone()));
            }
            ServerEvent::ParticipantEdited { user_id, diff, .. } if *user_id == self.me => {
                self.change_snapshot(id, |snapshot| snapshot.apply_participant(diff.clone()));
            }
            ServerEvent::ConversationCleared { .. } => self.restart_reading(id, cx),
            ServerEvent::MessageCreated { state, .. } => self.handle_message(id, state, cx),
            ServerEvent::MessageEdited { message_id, .. } => {
                self.change_message(id, message_id, cx);
            }
            ServerEvent::MessageDeleted { message_id, .. } => {
                self.remove_message(id, message_id, cx);
            }
            _ => {}
        }
    }

    /// Handles the state of a conversation.
    pub(super) fn handle_side(&mut self, side: ConversationSnapshot, source: Source) {
        let id = side.id.clone();
        if !self.is_in_scope(&id) {
            return;
        }
        let Some(start) = self.start else {
            return self.note_news(&id);
        };
        let (time, joined_at) = (side.last_message_at, side.joined_at);
        self.latest = self.latest.max(time);
        let first = self.first_position(start, joined_at);
        let is_known = self.conversations.contains_key(&id);
        if !is_known && (!first.may_precede(time) || self.is_full()) {
            return;
        }
        let may_miss_tie = self.may_miss_tie(time);
        let conversations = &mut self.conversations;
        let new = || Conversation::new(first.clone(), true);
        let conversation = conversations.entry(id.clone()).or_insert_with(new);
        if !conversation.is_placed {
            conversation.place(first);
        } else if joined_at > start.began && !self.options.history_on_join {
            conversation.raise(joined_at);
        }
        conversation.snapshot = Some(Arc::new(side));
        conversation.awaited = None;
        let frontier = &conversation.frontier;
        let is_news = match source {
            Source::Read => false,
            Source::Scan { .. } if time == frontier.from && !frontier.seen.is_empty() => {
                may_miss_tie
            }
            Source::Scan { .. } | Source::Join => frontier.may_precede(time),
        };
        if !is_news {
            return self.enqueue(&id);
        }
        let is_regular = source == (Source::Scan { is_regular: true });
        // The time of a conversation without messages is that of the join.
        let named = conversation.announced.max(Some(conversation.accounted));
        let is_message = time > joined_at && Some(time) > named;
        if is_regular && !conversation.is_behind && is_message {
            self.missed += 1;
        }
        self.note_news(&id);
    }

    fn handle_side_diff(&mut self, id: &ConversationId, diff: &ReadStateDiff, now: Timestamp) {
        let time = diff.last_message_at;
        self.latest = self.latest.max(time.unwrap_or(self.latest));
        let known = self.conversations.get_mut(id);
        let count = known.and_then(|conversation| {
            let snapshot = conversation.snapshot.as_mut()?;
            let before = snapshot.unread_message_count;
            Arc::make_mut(snapshot).apply_read_state(diff);
            Some(before)
        });
        let grows = diff
            .unread_message_count
            .is_some_and(|new| count.map_or(new > 0, |before| new > before));
        let start = self.start.map(|start| start.from);
        let is_new = |time: Timestamp| match (self.conversations.get(id), start) {
            (Some(conversation), _) => conversation.frontier.may_precede(time),
            (None, Some(start)) => time >= start,
            (None, None) => true,
        };
        // A message at the time of an own one may change nothing.
        let is_empty = *diff == ReadStateDiff::default();
        if !grows && !time.is_some_and(is_new) && !is_empty {
            return;
        }
        let is_read = diff.unread_message_count.is_none_or(|count| count == 0);
        let is_own = is_read && diff.read_until == time;
        if let Some(time) = time.filter(|_| is_own && !self.options.own) {
            if let Some(conversation) = self.track(id) {
                conversation.accounted = conversation.accounted.max(time);
            }
            return;
        }
        // A message with the time of the last one cannot be recognised by its time.
        if !time.is_some_and(|time| self.expects_message(id, time, now)) {
            self.note_news(id);
        }
    }

    /// Returns the state of a conversation, which may be new. Returns `None` at the limit.
    fn track(&mut self, id: &ConversationId) -> Option<&mut Conversation> {
        if !self.conversations.contains_key(id) && self.is_at_limit() {
            return None;
        }
        let from = self.start.map(|start| start.from);
        let from = from.unwrap_or(BEGINNING);
        let new = || Conversation::new(Position::before(from), false);
        Some(self.conversations.entry(id.clone()).or_insert_with(new))
    }

    /// Records that a conversation may have new messages.
    pub(super) fn note_news(&mut self, id: &ConversationId) {
        if self.is_in_scope(id)
            && let Some(conversation) = self.track(id)
        {
            conversation.is_behind = true;
            conversation.has_news = true;
            self.enqueue(id);
        }
    }

    fn is_at_limit(&self) -> bool {
        self.conversations.len() >= MAX_CONVERSATIONS
    }

    /// Returns `true` if no further conversation can be tracked. A later scan finds it.
    fn is_full(&mut self) -> bool {
        let is_full = self.is_at_limit();
        if is_full {
            self.scan.hold_mark();
        }
        is_full
    }

    fn forget_snapshot(&mut self, id: &ConversationId) {
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.snapshot = None;
        }
    }

    fn change_snapshot(
        &mut self,
        id: &ConversationId,
        change: impl FnOnce(&mut ConversationSnapshot),
    ) {
        let conversation = self.conversations.get_mut(id);
        if let Some(snapshot) = conversation.and_then(|it| it.snapshot.as_mut()) {
            change(Arc::make_mut(snapshot));
            // The conversation may match the filter now.
            self.enqueue(id);
        }
    }

    /// Handles the absence of a conversation that the user has left.
    pub(super) fn leave(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        self.stop_reading(id, cx);
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.snapshot = None;
            conversation.awaited = None;
            conversation.announced = None;
            conversation.is_behind = false;
            conversation.has_news = false;
            if conversation.is_saved_behind && !conversation.is_unfinished() {
                self.save(id, cx);
            }
        }
    }

    fn restart_reading(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        let is_reading = |it: &Conversation| it.reading.is_some();
        if self.conversations.get(id).is_some_and(is_reading) {
            self.stop_reading(id, cx);
            self.note_news(id);
        }
    }

    /// Discards a deleted message that is not delivered.
    fn remove_message(&mut self, id: &ConversationId, message: &MessageId, cx: &mut InboxCx) {
        self.quarantine.note_ack(message);
        let conversation = self.conversations.get_mut(id);
        let Some(reading) = conversation.and_then(|it| it.reading.as_mut()) else {
            return;
        };
        reading.queue.retain(|other| other.id != *message);
        let upcoming = &mut reading.upcoming;
        if let Some(deleted) = upcoming.iter_mut().find(|it| it.message.id == *message)
            && !matches!(deleted.state, UpcomingState::Skipped)
        {
            if let UpcomingState::LookUp(lookup) = deleted.state {
                self.lookups.remove(&lookup);
                cx.cancel_lookup(lookup);
            }
            deleted.state = UpcomingState::Skipped;
            self.out = self.out.saturating_sub(1);
        }
        reading.walk.forget_pages(false);
        self.enqueue(id);
    }

    /// Handles a conversation that was read.
    pub(super) fn handle_conversation(
        &mut self,
        id: &ConversationId,
        token: ReadToken,
        result: Result<ConversationSnapshot, RequestError>,
        cx: &mut InboxCx,
    ) {
        let conversation = self.conversations.get_mut(id);
        let awaited = conversation.map(|conversation| &mut conversation.awaited);
        let awaited = awaited.and_then(|awaited| awaited.take_if(|awaited| *awaited == token));
        if awaited.is_none() {
            // The state is known by other means, or the user has left.
            return;
        }
        match result {
            Ok(side) => {
                let id = id.clone();
                self.handle_side(ConversationSnapshot { id, ..side }, Source::Read);
            }
            Err(error) if is_absence(&error) => self.leave(id, cx),
            Err(_) => self.delay(id, cx),
        }
    }
}
