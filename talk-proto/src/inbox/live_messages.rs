//! Messages that arrive with their events, from subscribed conversations.

use std::sync::Arc;
use std::time::Duration;

use super::consumer::{Consumer, Purpose};
use super::context::{InboxCx, InboxOutput};
use super::conversation::Reading;
use crate::live::interface::{InboxRead, ReadToken};
use crate::model::{ConversationId, MessageId, MessageSnapshot};
use crate::timestamp::Timestamp;

/// The largest number of undelivered messages of a conversation that are kept from events.
const MAX_QUEUED: usize = 100;
/// The time after which a message that the list has named is read by page.
const READ_AFTER: Duration = Duration::from_secs(5);

impl Consumer {
    /// Subscribes to the messages of a conversation with traffic, if there is room.
    pub(super) fn subscribe_messages(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        if self.feeds.touch(id, cx.now) {
            return;
        }
        if self.feeds.is_full(self.options.max_subscribed) {
            let Some(idle) = self.feeds.idle(cx.now) else {
                return;
            };
            self.unsubscribe_messages(&idle, cx);
        }
        let token = cx.read(self.id, InboxRead::Subscribe(id.clone()));
        self.reads.insert(token, Purpose::Subscribe(id.clone()));
        self.feeds.insert(id.clone(), token, cx.now);
    }

    fn unsubscribe_messages(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        if let Some(token) = self.feeds.remove(id) {
            self.end_subscription(id.clone(), token, cx);
        }
        self.check_announced(id);
    }

    /// Ends all subscriptions to messages.
    pub(super) fn unsubscribe_all(&mut self, cx: &mut InboxCx) {
        for (conversation, token) in self.feeds.take_all() {
            self.end_subscription(conversation, token, cx);
        }
    }

    /// Ends a subscription, which receives no answer any more.
    fn end_subscription(
        &mut self,
        conversation: ConversationId,
        token: ReadToken,
        cx: &mut InboxCx,
    ) {
        self.reads.remove(&token);
        cx.reads.remove(&token);
        cx.outputs.push_back(InboxOutput::UnsubscribeMessages {
            conversation,
            token,
        });
    }

    /// Returns `true` if all messages of the conversation so far are known, and later ones arrive
    /// with their events.
    fn is_live(&self, id: &ConversationId) -> bool {
        let conversation = self.conversations.get(id);
        self.feeds.is_acknowledged(id) && conversation.is_some_and(|it| it.is_current())
    }

    /// Handles a new message of a subscribed conversation.
    pub(super) fn handle_message(
        &mut self,
        id: &ConversationId,
        message: &Arc<MessageSnapshot>,
        cx: &mut InboxCx,
    ) {
        if !self.feeds.touch(id, cx.now) {
            return;
        }
        let conversation = self.conversations.get(id);
        if conversation.is_none_or(|conversation| conversation.has_seen(message)) {
            return;
        }
        if !self.is_live(id) || !self.make_room_for(id, cx) {
            return self.note_news(id);
        }
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        conversation.is_behind = true;
        let new = || Box::new(Reading::of_events());
        let reading = conversation.reading.get_or_insert_with(new);
        if reading.queue.is_empty() {
            reading.read_at = cx.now;
        }
        // From the back, because most messages are the newest ones.
        let is_earlier = |other: &Arc<MessageSnapshot>| other.created_at <= message.created_at;
        let before = reading.queue.iter().rposition(is_earlier);
        let at = before.map_or(0, |before| before + 1);
        reading.queue.insert(at, Arc::clone(message));
        self.loaded.insert(id.clone());
        if reading.queue.len() > MAX_QUEUED {
            self.unload(id, cx);
        }
        self.enqueue(id);
    }

    /// Handles a message that the list has named. Returns `true` if its event is expected.
    pub(super) fn expects_message(
        &mut self,
        id: &ConversationId,
        time: Timestamp,
        now: Timestamp,
    ) -> bool {
        if !self.is_live(id) {
            return false;
        }
        if let Some(conversation) = self.conversations.get_mut(id)
            && conversation.known_until() < time
        {
            if conversation.announced.is_none() {
                self.delayed.insert((now + READ_AFTER, id.clone()));
            }
            conversation.announced = conversation.announced.max(Some(time));
        }
        true
    }

    /// Reads a conversation if a message that the list has named did not arrive.
    pub(super) fn check_announced(&mut self, id: &ConversationId) {
        let conversation = self.conversations.get_mut(id);
        if conversation.is_some_and(|conversation| conversation.take_missing()) {
            self.note_news(id);
        }
    }

    /// Handles a change of a message. A message in memory is read again.
    pub(super) fn change_message(
        &mut self,
        id: &ConversationId,
        message: &MessageId,
        cx: &mut InboxCx,
    ) {
        let conversation = self.conversations.get(id);
        let reading = conversation.and_then(|it| it.reading.as_ref());
        if reading.is_some_and(|reading| reading.holds(message)) {
            self.unload(id, cx);
            self.enqueue(id);
        }
    }
}
