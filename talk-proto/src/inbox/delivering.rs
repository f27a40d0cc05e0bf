//! Delivery of the messages that were read.

use std::sync::Arc;

use super::consumer::Consumer;
use super::context::{InboxCx, Senders};
use super::conversation::{Upcoming, UpcomingState};
use super::delivery::{Delivery, InboxEvent};
use crate::command::Reply;
use crate::error::RequestError;
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot};
use crate::storage::BatchId;

/// The largest number of messages that a conversation delivers in one turn.
const QUANTUM: usize = 16;

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

/// Returns `true` if the message is the last one of the snapshot.
fn has_last(snapshot: &ConversationSnapshot, last: &Arc<MessageSnapshot>) -> bool {
    let known = snapshot.last_message.as_ref();
    known.is_some_and(|known| Arc::ptr_eq(known, last))
}

/// Returns the snapshot of a conversation with its last message.
fn with_last(
    snapshot: &ConversationSnapshot,
    last: &Arc<MessageSnapshot>,
) -> Arc<ConversationSnapshot> {
    Arc::new(ConversationSnapshot {
        last_message: Some(Arc::clone(last)),
        ..snapshot.clone()
    })
}

impl Consumer {
    /// Prepares the next messages of a conversation for their delivery. Returns `true` if there are
    /// more.
    pub(super) fn prepare(
        &mut self,
        id: &ConversationId,
        cx: &mut InboxCx,
        senders: &Senders<'_>,
    ) -> bool {
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
    pub(super) fn deliver_complete(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        let Some(snapshot) = conversation.snapshot.clone() else {
            return;
        };
        // The inbox keeps the snapshot without a message, because it keeps few messages.
        let mut shared: Option<Arc<ConversationSnapshot>> = None;
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
            let reading = conversation.reading.as_ref();
            let later = reading.and_then(|reading| reading.newest_complete());
            let last = later.unwrap_or(&message);
            if !shared.as_ref().is_some_and(|shared| has_last(shared, last)) {
                shared = Some(with_last(&snapshot, last));
            }
            let delivered = Delivery {
                id: delivery,
                conversation: Arc::clone(shared.as_ref().unwrap_or(&snapshot)),
                message,
            };
            cx.emit(self.id, InboxEvent::Delivered(delivered));
        }
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
            if reading.is_some_and(|reading| reading.is_stale(cx.now)) {
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
