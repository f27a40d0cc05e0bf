//! The cache of a session.

use super::Session;
use crate::command::SubscriptionId;
use crate::io::Event;
use crate::model::ConversationId;
use crate::snapshot::Topic;
use crate::storage::Record;

impl Session {
    /// Reads the cached windows of an earlier session, and shows them to the subscriptions that
    /// wait for the server.
    pub(super) fn restore_cache(&mut self, records: &[Record]) {
        let Some(cache) = &mut self.durable.cache else {
            return;
        };
        let (items, shown, events) = cache.restore(self.now, records);
        if !cache.is_live() {
            self.live.set_cached(Some(Box::new(items)));
        }
        for event in events {
            self.emit(Event::Storage(event));
        }
        for subscription in shown {
            self.show_cached(subscription);
        }
    }

    /// Passes a new subscription to the cache.
    pub(super) fn note_subscription(&mut self, subscription: SubscriptionId, topic: &Topic) {
        if let Some(cache) = &mut self.durable.cache {
            cache.subscribe(subscription, topic);
        }
    }

    /// Shows the cached window of a list, with the unsent entries of its conversation. The first
    /// live window will cover the same range.
    pub(super) fn show_cached(&mut self, subscription: SubscriptionId) {
        let Some(cache) = &mut self.durable.cache else {
            return;
        };
        let entries = match (&self.durable.outbox, cache.conversation(subscription)) {
            (Some(outbox), Some(conversation)) => {
                outbox.entries_of(conversation).cloned().collect()
            }
            _ => Vec::new(),
        };
        let events = cache.show(subscription, entries);
        if let Some(range) = cache.range(subscription) {
            self.live.set_cached_range(subscription, range);
        }
        for event in events {
            self.emit(event);
        }
    }

    /// Shows the entries of a conversation in its cached window.
    pub(super) fn show_cached_echoes(&mut self, conversation: &ConversationId) {
        if let (Some(cache), Some(outbox)) = (&mut self.durable.cache, &self.durable.outbox) {
            let entries = outbox.entries_of(conversation).cloned().collect();
            for event in cache.set_pending(conversation, entries) {
                self.emit(event);
            }
        }
    }

    /// Passes an event of the live half to the cache.
    pub(super) fn cache_event(&mut self, event: &mut Event) {
        if let Some(cache) = &mut self.durable.cache {
            cache.observe(self.now, !self.durable.is_standby, event);
            if cache.is_live() {
                self.live.set_cached(None);
            }
        }
    }
}
