//! Cached items whose allocations live windows adopt.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{
    ConversationId, ConversationSnapshot, MessageId, MessageSnapshot, User, UserId,
};

/// The items of the cached windows that are shown.
#[derive(Default)]
pub(crate) struct CachedItems {
    pub(super) users: BTreeMap<UserId, Arc<User>>,
    pub(super) messages: BTreeMap<MessageId, Arc<MessageSnapshot>>,
    pub(super) conversations: BTreeMap<ConversationId, Arc<ConversationSnapshot>>,
}

impl CachedItems {
    /// Returns the cached user if it is equal.
    pub(crate) fn user(&self, user: &User) -> Option<Arc<User>> {
        let cached = self.users.get(&user.id)?;
        (**cached == *user).then(|| Arc::clone(cached))
    }

    /// Returns the cached message if it is equal.
    pub(crate) fn message(&self, message: &MessageSnapshot) -> Option<Arc<MessageSnapshot>> {
        let cached = self.messages.get(&message.id)?;
        (**cached == *message).then(|| Arc::clone(cached))
    }

    /// Returns the cached conversation if it is equal.
    pub(crate) fn conversation(
        &self,
        conversation: &ConversationSnapshot,
    ) -> Option<Arc<ConversationSnapshot>> {
        let cached = self.conversations.get(&conversation.id)?;
        (**cached == *conversation).then(|| Arc::clone(cached))
    }

    /// Makes the sender of a message, and of its quote, share the allocation of equal users.
    pub(super) fn share_users(&mut self, message: &mut MessageSnapshot) {
        if let Some(sender) = &mut message.sender {
            let shared = self.users.entry(sender.id.clone());
            let shared = shared.or_insert_with(|| Arc::clone(sender));
            if shared == sender {
                *sender = Arc::clone(shared);
            }
        }
        if let Some(quote) = &mut message.referenced_message {
            self.share_users(Arc::make_mut(quote));
        }
    }
}
