use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

/// The time for which a key is remembered, in milliseconds.
const RETENTION: u64 = 24 * 60 * 60 * 1000;

/// The idempotency keys of recent messages in one conversation. A repeated key returns the ID of
/// the first message.
#[derive(Debug, Default)]
pub(super) struct IdempotencyKeys {
    /// The messages by sender and key.
    keys: BTreeMap<String, BTreeMap<String, Sent>>,
    /// Time, sender and key, oldest first.
    order: VecDeque<(u64, String, String)>,
    /// The senders and keys that were added or removed.
    dirty: BTreeSet<(String, String)>,
}

/// A sent message.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    at: u64,
    message: String,
}

impl IdempotencyKeys {
    /// Returns the message that this sender sent with this key.
    pub(super) fn find(&mut self, now: u64, sender: &str, key: &str) -> Option<&str> {
        self.evict_expired(now);
        Some(&self.get(sender, key)?.message)
    }

    pub(super) fn get(&self, sender: &str, key: &str) -> Option<&Sent> {
        self.keys.get(sender)?.get(key)
    }

    pub(super) fn insert(&mut self, now: u64, sender: &str, key: String, message: &str) {
        self.dirty.insert((sender.to_owned(), key.clone()));
        let sent = Sent {
            at: now,
            message: message.to_owned(),
        };
        self.restore(sender, key, sent);
    }

    /// Restores a stored key, in any order. Call [`sort`](Self::sort) after the last one.
    pub(super) fn restore(&mut self, sender: &str, key: String, sent: Sent) {
        self.order
            .push_back((sent.at, sender.to_owned(), key.clone()));
        self.keys
            .entry(sender.to_owned())
            .or_default()
            .insert(key, sent);
    }

    pub(super) fn sort(&mut self) {
        self.order.make_contiguous().sort_unstable();
    }

    /// Returns and clears the set of changed senders and keys.
    pub(super) fn take_dirty(&mut self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut self.dirty)
    }

    /// Iterates over all senders and keys.
    pub(super) fn all(&self) -> impl Iterator<Item = (String, String)> {
        let senders = self.keys.iter();
        senders.flat_map(|(sender, keys)| keys.keys().map(|key| (sender.clone(), key.clone())))
    }

    fn evict_expired(&mut self, now: u64) {
        while let Some((_, sender, key)) = self
            .order
            .pop_front_if(|(at, ..)| at.saturating_add(RETENTION) <= now)
        {
            if let Some(keys) = self.keys.get_mut(&sender) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.keys.remove(&sender);
                }
            }
            self.dirty.insert((sender, key));
        }
    }
}
