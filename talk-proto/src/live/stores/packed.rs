//! A compact form of conversations that only lists show.
//!
//! A list shows each of its conversations with the last message. Therefore each has two stores, one
//! for the conversation and one for its messages, which usually has a single message. The stores
//! take several times the space of their data.

use std::sync::Arc;

use super::conversation::ConversationStore;
use super::list_filter::ListFilter;
use super::message_index::MessageIndex;
use super::messages::MessageStore;
use super::table::{Slot, Stores};
use crate::live::interface::FetchId;
use crate::live::key::StoreKey;
use crate::live::list::ordered_list::{OrderedList, PackedList};
use crate::live::sync::paginator::Cursor;
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot};

/// The state of a conversation without viewers that waits for nothing, and of its messages, of
/// which at most one is loaded. The rest of both stores follows from it.
pub(crate) struct PackedConversation {
    pub(super) serial: u64,
    pub(super) messages_serial: u64,
    snapshot: Arc<ConversationSnapshot>,
    lists: Box<[ListFilter]>,
    /// The subscription to the messages. The list has the one to the conversation.
    subscription: FetchId,
    /// The cursor of the messages before the last one; `None` if there are none.
    cursor: Option<Box<str>>,
    list: PackedList,
}

impl PackedConversation {
    /// Returns the compact form of two stores, or `None` while they have state beyond that. The
    /// serials are those of both stores.
    pub(super) fn new(
        (serial, conversation): (u64, &ConversationStore),
        (messages_serial, messages): (u64, &MessageStore),
    ) -> Option<Self> {
        let pages = &messages.paged.pages;
        let list = messages.paged.pack().filter(|_| messages.is_plain())?;
        let snapshot = conversation.plain_snapshot()?;
        let is_same = match (
            &snapshot.last_message,
            messages.paged.items.visible.items.first(),
        ) {
            (Some(shown), Some(message)) => Arc::ptr_eq(shown, message) || shown == message,
            (shown, message) => shown.is_none() && message.is_none(),
        };
        let cursor = match &pages.cursor {
            Cursor::Unknown => return None,
            Cursor::At(cursor) => Some(cursor.as_str().into()),
            Cursor::End => None,
        };
        Some(Self {
            serial,
            messages_serial,
            snapshot: Arc::clone(snapshot),
            lists: conversation.lists().into(),
            subscription: pages.sync.settled_subscription().filter(|_| is_same)?,
            cursor,
            list,
        })
    }

    /// Returns both stores as they were before they were packed.
    pub(super) fn unpack(self, id: &ConversationId) -> (ConversationStore, MessageStore) {
        let mut messages = MessageStore::new(id.clone());
        let last = self.snapshot.last_message.as_ref();
        messages.index = MessageIndex::of(self.list.position().zip(last));
        let paged = &mut messages.paged;
        paged.items = OrderedList::unpack(&self.list, last);
        paged.pages.sync.set_settled(self.subscription);
        paged.pages.cursor = match self.cursor {
            Some(cursor) => Cursor::At(cursor.into()),
            None => Cursor::End,
        };
        paged.set_edge();
        messages.restore_shown_as_last();
        let lists = self.lists.into();
        let conversation = ConversationStore::listed(self.snapshot, lists);
        (conversation, messages)
    }

    pub(super) fn last_message(&self) -> Option<&Arc<MessageSnapshot>> {
        self.snapshot.last_message.as_ref()
    }
}

impl Stores {
    /// Packs a conversation at the end of the drain, if that is then possible.
    pub(crate) fn pack_later(&mut self, conversation: &ConversationId) {
        self.to_pack.push(conversation.clone());
    }

    /// Packs the conversations that have changed in the drain, or were unpacked for it.
    pub(crate) fn pack(&mut self) {
        if self.to_pack.is_empty() {
            return;
        }
        #[cfg(test)]
        if self.stay_open {
            return;
        }
        for conversation in std::mem::take(&mut self.to_pack) {
            if let Some(packed) = self.packed_form(&conversation) {
                let messages = StoreKey::Messages(conversation.clone());
                self.stores.remove(&messages);
                let key = StoreKey::Conversation(conversation.clone());
                self.stores.remove(&key);
                self.packed.insert(conversation, Box::new(packed));
            }
        }
    }

    fn packed_form(&self, c: &ConversationId) -> Option<PackedConversation> {
        let messages = self.serial_and_store(&StoreKey::Messages(c.clone()))?;
        let conversation = self.serial_and_store(&StoreKey::Conversation(c.clone()))?;
        PackedConversation::new(conversation, messages)
    }

    /// Unpacks a conversation if it is packed. Not inlined, because every event looks stores up.
    #[inline(never)]
    pub(super) fn unpack(&mut self, c: &ConversationId) {
        let Some(packed) = self.packed.remove(c) else {
            return;
        };
        let (serial, messages_serial) = (packed.serial, packed.messages_serial);
        let (conversation, messages) = packed.unpack(c);
        let conversation = Slot {
            serial,
            store: Box::new(conversation),
        };
        let messages = Slot {
            serial: messages_serial,
            store: Box::new(messages),
        };
        let key = StoreKey::Conversation(c.clone());
        self.stores.insert(key, conversation);
        self.stores.insert(StoreKey::Messages(c.clone()), messages);
        self.pack_later(c);
    }

    /// Returns the number of packed conversations.
    #[cfg(test)]
    pub(crate) fn packed_len(&self) -> usize {
        self.packed.len()
    }
}
