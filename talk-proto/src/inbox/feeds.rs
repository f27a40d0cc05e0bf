//! The conversations whose messages an inbox is subscribed to.
//!
//! A message of a subscribed conversation arrives with its event and needs no read. The list still
//! names every message, so that a message without an event of its own is read by page.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::live::interface::ReadToken;
use crate::model::ConversationId;
use crate::timestamp::Timestamp;

/// The time without messages after which a conversation may be replaced by another one. It limits
/// the number of requests if more conversations are busy than can be subscribed.
const IDLE_AFTER: Duration = Duration::from_secs(10);

/// A subscription to the messages of a conversation.
struct Feed {
    token: ReadToken,
    is_acknowledged: bool,
    /// The order and the time of the last use.
    used: (u64, Timestamp),
}

/// The subscriptions of an inbox. If there is no room, the least recently used one is evicted.
#[derive(Default)]
pub(super) struct Feeds {
    feeds: BTreeMap<ConversationId, Feed>,
    uses: u64,
}

impl Feeds {
    /// Returns `true` if the subscription exists. Marks it as used.
    pub(super) fn touch(&mut self, id: &ConversationId, now: Timestamp) -> bool {
        self.uses += 1;
        let feed = self.feeds.get_mut(id);
        feed.map(|feed| feed.used = (self.uses, now)).is_some()
    }

    /// Returns `true` if the server has acknowledged the subscription.
    pub(super) fn is_acknowledged(&self, id: &ConversationId) -> bool {
        self.feeds.get(id).is_some_and(|feed| feed.is_acknowledged)
    }

    /// Returns `true` if `limit` allows no further subscription.
    pub(super) fn is_full(&self, limit: usize) -> bool {
        self.feeds.len() >= limit
    }

    /// Returns the least recently used subscription if it is idle.
    pub(super) fn idle(&self, now: Timestamp) -> Option<ConversationId> {
        let feeds = self.feeds.iter();
        let (id, feed) = feeds.min_by_key(|(_, feed)| feed.used)?;
        (now.saturating_since(feed.used.1) >= IDLE_AFTER).then(|| id.clone())
    }

    pub(super) fn insert(&mut self, id: ConversationId, token: ReadToken, now: Timestamp) {
        self.uses += 1;
        let feed = Feed {
            token,
            is_acknowledged: false,
            used: (self.uses, now),
        };
        self.feeds.insert(id, feed);
    }

    /// Handles the answer to a subscription.
    pub(super) fn handle_answer(
        &mut self,
        id: &ConversationId,
        token: ReadToken,
        is_subscribed: bool,
    ) {
        if let Some(feed) = self.feeds.get_mut(id).filter(|feed| feed.token == token) {
            feed.is_acknowledged = is_subscribed;
            if !is_subscribed {
                self.feeds.remove(id);
            }
        }
    }

    pub(super) fn remove(&mut self, id: &ConversationId) -> Option<ReadToken> {
        self.feeds.remove(id).map(|feed| feed.token)
    }

    /// Removes all subscriptions.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = (ConversationId, ReadToken)> + use<> {
        let feeds = std::mem::take(&mut self.feeds).into_iter();
        feeds.map(|(id, feed)| (id, feed.token))
    }
}
