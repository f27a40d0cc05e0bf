//! Who speaks in the messages of a conversation.

use crate::collections::{HashMap, HashSet};
use crate::model::{MessageId, UserId};

/// The messages of each user, so that a change of theirs finds them.
#[derive(Default)]
pub(crate) struct SenderIndex(HashMap<UserId, HashSet<MessageId>>);

impl SenderIndex {
    /// Whether it is the first message of the user.
    pub(crate) fn add(&mut self, user: &UserId, message: &MessageId) -> bool {
        if let Some(messages) = self.0.get_mut(user) {
            messages.insert(message.clone());
            return false;
        }
        let messages = std::iter::once(message.clone()).collect();
        self.0.insert(user.clone(), messages);
        true
    }

    /// The ID of a user, in the allocation that is here already.
    pub(crate) fn known(&self, user: UserId) -> UserId {
        let known = self.0.get_key_value(&user);
        known.map_or(user, |(known, _)| known.clone())
    }

    /// Whether it was the last message of the user.
    pub(crate) fn remove(&mut self, user: &UserId, message: &MessageId) -> bool {
        let messages = self.0.get_mut(user);
        let was_last = messages.is_some_and(|messages| {
            messages.remove(message);
            messages.is_empty()
        });
        was_last && self.0.remove(user).is_some()
    }

    /// The messages of the user, always in the same order.
    pub(crate) fn messages(&self, user: &UserId) -> Vec<MessageId> {
        let messages = self.0.get(user).into_iter().flatten().cloned();
        let mut messages: Vec<_> = messages.collect();
        messages.sort_unstable();
        messages
    }
}
