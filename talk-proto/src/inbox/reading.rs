//! Reading and delivery of messages, in turns between the conversations.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::consumer::{Consumer, Purpose};
use super::context::{InboxCx, Senders};
use super::conversation::{Reading, Upcoming, UpcomingState};
use super::delivery::{Delivery, InboxEvent};
use super::walk::WalkStep;
use crate::command::Reply;
use crate::error::RequestError;
use crate::live::interface::{InboxRead, ReadToken};
use crate::live::is_absence;
use crate::model::{ConversationId, MessageSnapshot};
use crate::storage::BatchId;
use crate::timestamp::Timestamp;
use crate::wire::Page;

/// The largest number of unanswered reads.
const MAX_READS: usize = 16;
/// The largest number of conversations with messages in memory.
const MAX_LOADED: usize = 32;
/// The largest number of messages that a conversation delivers in one turn.
const QUANTUM: usize = 16;
/// The time after which messages that are not delivered are read again, because they may be
/// deleted.
const FRESH_FOR: Duration = Duration::from_secs(10);
/// The delay after a read without a usable answer.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Moves the first conversations of a queue to another one.
fn take_first(
    from: &mut VecDeque<ConversationId>,
    count: usize,
    to: &mut VecDeque<ConversationId>,
) {
    let count = count.min(from.len());
    to.extend(from.drain(..count));
}

/// Returns `true` if the messages in memory may be deleted or changed meanwhile.
fn is_stale(reading: &Reading, now: Timestamp) -> bool {
    now.saturating_since(reading.read_at) >= FRESH_FOR
}

/// Adds the sender to a message without a quote. Returns `false` if it must be read.
fn complete(message: &mut Arc<MessageSnapshot>, senders: &Senders<'_>) -> bool {
    if message.referenced_message_id.is_some() {
        return false;
    }
    let Some(sender) = senders(message.sender_id.as_ref()) else {
        return false;
    };
    Arc::make_mut(message).sender = sender;
    true
}

/// The result of the turn of a conversation.
enum Turn {
    /// The conversation has nothing to do before an input.
    Idle,
    /// The conversation has more to do, after the others.
    Again,
    /// The conversation waits until a read is answered.
    WaitForRead,
    /// The conversation waits until a delivery is acknowledged.
    WaitForAck,
    /// The conversation waits until nothing else is to be delivered. Its next message was out at
    /// this number of unclean ends.
    WaitForQuiet(usize),
}

impl Consumer {
    /// Continues the conversations that have something to do.
    pub(super) fn advance_reading(&mut self, cx: &mut InboxCx, senders: &Senders<'_>) {
        let mut can_read = true;
        let mut can_deliver = true;
        loop {
            if self.turns.is_empty() {
                if can_deliver {
                    // Each conversation takes room or leaves the queue, so more are not needed yet.
                    let room = self.options.max_unacked.max(1).saturating_sub(self.out);
                    take_first(&mut self.waiting_for_ack, room, &mut self.turns);
                }
                if can_read {
                    // The next ones wait too if this one cannot read.
                    let count = usize::from(self.reads.len() < MAX_READS);
                    take_first(&mut self.waiting_for_read, count, &mut self.turns);
                }
            }
            let suspect = self.take_suspect(cx);
            let is_chosen = suspect.is_some();
            let Some(id) = suspect.or_else(|| self.turns.pop_front()) else {
                if std::mem::take(&mut self.has_freed) {
                    (can_read, can_deliver) = (true, true);
                    continue;
                }
                return;
            };
            match self.take_turn(&id, is_chosen, cx, senders) {
                Turn::Idle => {
                    if let Some(conversation) = self.conversations.get_mut(&id) {
                        conversation.is_queued = false;
                    }
                }
                Turn::Again => self.turns.push_back(id),
                Turn::WaitForRead => {
                    can_read = false;
                    self.waiting_for_read.push_back(id);
                }
                Turn::WaitForAck => {
                    can_deliver = false;
                    self.waiting_for_ack.push_back(id);
                }
                Turn::WaitForQuiet(ends) => {
                    self.quarantine.isolate(cx.now);
                    self.waits_since.get_or_insert(cx.now);
                    self.waiting_for_quiet.insert((ends, id));
                }
            }
        }
    }

    /// Returns the conversation whose suspect can be delivered now.
    fn take_suspect(&mut self, cx: &InboxCx) -> Option<ConversationId> {
        let has_turn = self.turns.is_empty() || self.is_draining(cx.now);
        if self.waits_since.is_none() || !has_turn || !self.is_quiet(cx.now) {
            return None;
        }
        let suspect = self.waiting_for_quiet.pop_first();
        if suspect.is_none() && self.turns.is_empty() && self.reads.is_empty() {
            // The suspect is gone, and others may wait for it.
            self.waits_since = None;
            self.has_freed = true;
        }
        suspect.map(|(_, id)| id)
    }

    /// Continues all conversations that waited because of a suspect.
    pub(super) fn end_isolation(&mut self) {
        self.is_alone = false;
        self.waits_since = None;
        let waiting = std::mem::take(&mut self.waiting_for_quiet).into_iter();
        self.turns.extend(waiting.map(|(_, id)| id));
        self.has_freed = true;
    }

    /// Continues a conversation. Its next message may be a suspect if it `is_chosen`.
    fn take_turn(
        &mut self,
        id: &ConversationId,
        is_chosen: bool,
        cx: &mut InboxCx,
        senders: &Senders<'_>,
    ) -> Turn {
        let Some(conversation) = self.conversations.get_mut(id) else {
            return Turn::Idle;
        };
        if !conversation.is_behind || conversation.awaited.is_some() {
            return Turn::Idle;
        }
        let Some(snapshot) = conversation.snapshot.clone() else {
            return self.read_conversation(id, cx);
        };
        if !self.matches(&snapshot) {
            // The conversation stays behind until it matches again.
            self.stop_reading(id, cx);
            return Turn::Idle;
        }
        loop {
            self.deliver_complete(id, cx);
            let share = self.share();
            let has_room = self.has_room();
            let is_draining = self.is_draining(cx.now);
            let Some(conversation) = self.conversations.get_mut(id) else {
                return Turn::Idle;
            };
            let has_share = conversation.load() < share;
            let is_short = conversation.expects_few(&self.scan);
            let new = || Box::new(Reading::new(is_short));
            let reading = conversation.reading.get_or_insert_with(new);
            if reading.awaited.is_some() {
                return Turn::Idle;
            }
            if !reading.queue.is_empty() {
                let next = reading.queue.front();
                let suspicion = next.and_then(|next| self.quarantine.suspicion(&next.id));
                if is_stale(reading, cx.now) && reading.upcoming.is_empty() {
                    self.unload(id, cx);
                } else if !has_share {
                    return Turn::Idle;
                } else if let Some(ends) = suspicion.filter(|_| !is_chosen) {
                    return Turn::WaitForQuiet(ends);
                } else if !has_room || is_draining && suspicion.is_none() {
                    return Turn::WaitForAck;
                } else if self.prepare(id, cx, senders) {
                    return Turn::Again;
                }
                continue;
            }
            if !reading.upcoming.is_empty() {
                return Turn::Idle;
            }
            match reading.walk.advance(&conversation.frontier) {
                WalkStep::Deliver(messages) => reading.queue = messages.into(),
                WalkStep::Finished => {
                    if self.finish_reading(id, cx) {
                        return Turn::Idle;
                    }
                }
                WalkStep::Read { .. } if !has_share => return Turn::Idle,
                WalkStep::Read { .. } if !has_room => return Turn::WaitForAck,
                WalkStep::Read { cursor, limit } => {
                    return self.read_messages(id, cursor, limit, cx);
                }
            }
        }
    }

    fn read_conversation(&mut self, id: &ConversationId, cx: &mut InboxCx) -> Turn {
        if self.scan.is_running() {
            // The scan probably reads it, and queues all others at its end.
            return Turn::Idle;
        }
        if self.reads.len() >= MAX_READS {
            return Turn::WaitForRead;
        }
        let token = cx.read(self.id, InboxRead::Conversation(id.clone()));
        self.reads.insert(token, Purpose::Conversation(id.clone()));
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.awaited = Some(token);
        }
        Turn::Idle
    }

    fn read_messages(
        &mut self,
        id: &ConversationId,
        cursor: Option<String>,
        limit: usize,
        cx: &mut InboxCx,
    ) -> Turn {
        if self.reads.len() >= MAX_READS || !self.make_room_for(id, cx) {
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

    /// Prepares the next messages of a conversation for their delivery. Returns `true` if there are
    /// more.
    fn prepare(&mut self, id: &ConversationId, cx: &mut InboxCx, senders: &Senders<'_>) -> bool {
        let share = self.share();
        let mut prepared = 0;
        while prepared < QUANTUM && self.has_room() {
            let is_quiet = self.is_quiet(cx.now);
            let Some(conversation) = self.conversations.get_mut(id) else {
                return false;
            };
            let load = conversation.load();
            let Some(reading) = conversation.reading.as_mut().filter(|_| load < share) else {
                return false;
            };
            let next = reading.queue.front();
            let suspicion = next.and_then(|next| self.quarantine.suspicion(&next.id));
            let is_suspect = suspicion.is_some();
            if is_suspect && !is_quiet {
                return true;
            }
            let Some(mut message) = reading.queue.pop_front() else {
                return false;
            };
            let is_acked = conversation.acked_before.contains(&message.id);
            let is_skipped = is_acked || !self.is_wanted(&message);
            let state = if is_skipped {
                UpcomingState::Skipped
            } else {
                prepared += 1;
                self.out += 1;
                self.is_alone = is_suspect;
                if is_suspect {
                    self.quarantine.isolate(cx.now);
                }
                self.quarantine.note_delivery(&message.id, cx.now);
                let is_stored = self.quarantine.is_stored(&message.id);
                if is_stored && complete(&mut message, senders) {
                    UpcomingState::Complete
                } else {
                    let lookup = cx.look_up(self.id, id, &message);
                    self.lookups.insert(lookup, id.clone());
                    UpcomingState::LookUp(lookup)
                }
            };
            let conversation = self.conversations.get_mut(id);
            if let Some(reading) = conversation.and_then(|it| it.reading.as_mut()) {
                reading.upcoming.push_back(Upcoming { message, state });
            }
            if is_skipped {
                self.deliver_complete(id, cx);
            }
        }
        let reading = self
            .conversations
            .get(id)
            .and_then(|it| it.reading.as_ref());
        reading.is_some_and(|reading| !reading.queue.is_empty())
    }

    /// Delivers the next messages that are complete.
    fn deliver_complete(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        let Some(snapshot) = conversation.snapshot.clone() else {
            return;
        };
        loop {
            let upcoming = conversation.reading.as_mut().map(|it| &mut it.upcoming);
            let is_complete = |it: &mut Upcoming| match it.state {
                UpcomingState::LookUp(_) => false,
                UpcomingState::Complete => {
                    let is_stored = self.quarantine.is_stored(&it.message.id);
                    if !is_stored {
                        self.recording.insert(id.clone());
                    }
                    is_stored
                }
                UpcomingState::Skipped => true,
            };
            let next = upcoming.and_then(|upcoming| upcoming.pop_front_if(is_complete));
            let Some(Upcoming { message, state }) = next else {
                return;
            };
            if let UpcomingState::Skipped = state {
                conversation.skip(&message);
                continue;
            }
            if conversation.frontier.covers(&message) {
                // A page has named the message twice.
                self.out = self.out.saturating_sub(1);
                continue;
            }
            let delivery = cx.take_delivery(self.id, id);
            conversation.deliver(delivery, &message);
            let delivered = Delivery {
                id: delivery,
                conversation: snapshot.clone(),
                message,
            };
            cx.emit(self.id, InboxEvent::Delivered(delivered));
        }
    }

    /// Ends the reading of a conversation whose newest messages were delivered. Returns `false` if
    /// there are newer ones.
    fn finish_reading(&mut self, id: &ConversationId, cx: &mut InboxCx) -> bool {
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

    /// Continues a conversation after a delay.
    pub(super) fn delay(&mut self, id: &ConversationId, cx: &InboxCx) {
        self.delayed.insert((cx.now + RETRY_AFTER, id.clone()));
    }

    /// Handles a message whose sender and quote were read.
    pub(super) fn handle_lookup(
        &mut self,
        lookup: u64,
        result: Result<Reply, RequestError>,
        cx: &mut InboxCx,
    ) {
        let Some(id) = self.lookups.remove(&lookup) else {
            return;
        };
        if let Err(RequestError::Session(_)) = result {
            return;
        }
        let conversation = self.conversations.get_mut(&id);
        let Some(reading) = conversation.and_then(|it| it.reading.as_mut()) else {
            return;
        };
        let is_it = |it: &&mut Upcoming| match it.state {
            UpcomingState::LookUp(other) => other == lookup,
            UpcomingState::Complete | UpcomingState::Skipped => false,
        };
        if let Some(upcoming) = reading.upcoming.iter_mut().find(is_it) {
            // A failure leaves the message without its sender and quote.
            if let Ok(Reply::Message(Some(message))) = result {
                upcoming.message = message;
            }
            upcoming.state = UpcomingState::Complete;
        }
        self.resume_delivery(&id, cx);
    }

    /// Handles a stored batch, or one that failed. Messages that waited for it for long are read
    /// again, because they may be deleted. Their records stay, so they do not wait again.
    pub(super) fn handle_recorded(&mut self, batch: BatchId, cx: &mut InboxCx) {
        self.quarantine.handle_stored(batch);
        for id in std::mem::take(&mut self.recording) {
            let conversation = self.conversations.get(&id);
            let reading = conversation.and_then(|it| it.reading.as_ref());
            if reading.is_some_and(|reading| is_stale(reading, cx.now)) {
                self.unload(&id, cx);
            }
            self.resume_delivery(&id, cx);
        }
    }

    /// Delivers the messages that are complete. Their conversation may wait in a queue.
    fn resume_delivery(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        let conversation = self.conversations.get(id);
        let snapshot = conversation.and_then(|it| it.snapshot.as_ref());
        if snapshot.is_some_and(|snapshot| self.matches(snapshot)) {
            self.deliver_complete(id, cx);
        }
        self.enqueue(id);
    }
}
