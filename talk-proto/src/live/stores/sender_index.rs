//! The senders of a conversation's messages.

use std::collections::hash_map::Entry;

use crate::collections::{HashMap, HashSet};
use crate::model::{MessageId, UserId};

/// The messages of each sender, which must be updated when the user changes.
#[derive(Default)]
pub(crate) struct SenderIndex(HashMap<UserId, HashSet<MessageId>>);

impl SenderIndex {
    /// Adds a message. Returns the equal ID in the index, or `None` if the message is the first of
    /// the sender.
    pub(crate) fn add(&mut self, user: &UserId, message: &MessageId) -> Option<UserId> {
        match self.0.entry(user.clone()) {
            Entry::Occupied(mut known) => {
                known.get_mut().insert(message.clone());
                Some(known.key().clone())
            }
            Entry::Vacant(new) => {
                new.insert(std::iter::once(message.clone()).collect());
                None
            }
        }
    }

    /// Returns the equal ID in the index, so that messages share its allocation.
    pub(crate) fn interned(&self, user: UserId) -> UserId {
        let known = self.0.get_key_value(&user);
        known.map_or(user, |(known, _)| known.clone())
    }

    /// Removes a message. Returns `true` if it was the last of the sender.
    pub(crate) fn remove(&mut self, user: &UserId, message: &MessageId) -> bool {
        let messages = self.0.get_mut(user);
        let was_last = messages.is_some_and(|messages| {
            messages.remove(message);
            messages.is_empty()
        });
        was_last && self.0.remove(user).is_some()
    }

    /// Returns the messages of a sender in a deterministic order.
    pub(crate) fn messages(&self, user: &UserId) -> Vec<MessageId> {
        let messages = self.0.get(user).into_iter().flatten().cloned();
        let mut messages: Vec<_> = messages.collect();
        messages.sort_unstable();
        messages
    }
}
