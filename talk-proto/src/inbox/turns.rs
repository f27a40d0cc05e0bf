//! The turns of the conversations, which share reads and deliveries.

use std::collections::VecDeque;

use super::consumer::Consumer;
use super::context::{InboxCx, Senders};
use super::conversation::Reading;
use super::walk::WalkStep;
use crate::model::ConversationId;

/// Moves the first conversations of a queue to another one.
fn take_first(
    from: &mut VecDeque<ConversationId>,
    count: usize,
    to: &mut VecDeque<ConversationId>,
) {
    let count = count.min(from.len());
    to.extend(from.drain(..count));
}

/// The result of the turn of a conversation.
pub(super) enum Turn {
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
                    let count = usize::from(self.can_read());
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
            if let Some(turn) = self.continue_reading(id, is_chosen, cx, senders) {
                return turn;
            }
        }
    }

    /// Performs one step of the reading of a conversation. Returns `None` if there may be another
    /// one.
    fn continue_reading(
        &mut self,
        id: &ConversationId,
        is_chosen: bool,
        cx: &mut InboxCx,
        senders: &Senders<'_>,
    ) -> Option<Turn> {
        let share = self.share();
        let has_room = self.has_room();
        let is_draining = self.is_draining(cx.now);
        let Some(conversation) = self.conversations.get_mut(id) else {
            return Some(Turn::Idle);
        };
        let has_share = conversation.load() < share;
        let is_short = conversation.expects_few(&self.scan);
        let new = || Box::new(Reading::new(is_short));
        let reading = conversation.reading.get_or_insert_with(new);
        if reading.awaited.is_some() {
            return Some(Turn::Idle);
        }
        if !reading.queue.is_empty() {
            let next = reading.queue.front();
            let suspicion = next.and_then(|next| self.quarantine.suspicion(&next.id));
            if reading.is_stale(cx.now) && reading.upcoming.is_empty() {
                self.unload(id, cx);
            } else if !has_share {
                return Some(Turn::Idle);
            } else if let Some(ends) = suspicion.filter(|_| !is_chosen) {
                return Some(Turn::WaitForQuiet(ends));
            } else if !has_room || is_draining && suspicion.is_none() {
                return Some(Turn::WaitForAck);
            } else if self.prepare(id, cx, senders) {
                return Some(Turn::Again);
            }
            return None;
        }
        if !reading.upcoming.is_empty() {
            return Some(Turn::Idle);
        }
        match reading.walk.advance(&conversation.frontier) {
            WalkStep::Deliver(messages) => reading.queue = messages.into(),
            WalkStep::Finished => {
                if self.finish_reading(id, cx) {
                    return Some(Turn::Idle);
                }
            }
            WalkStep::Read { .. } if !has_share => return Some(Turn::Idle),
            WalkStep::Read { .. } if !has_room => return Some(Turn::WaitForAck),
            WalkStep::Read { cursor, limit } => {
                return Some(self.read_messages(id, cursor, limit, cx));
            }
        }
        None
    }
}
