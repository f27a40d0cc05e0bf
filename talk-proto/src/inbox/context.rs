//! The context that all inboxes of a session share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::delivery::{DeliveryId, InboxEvent, InboxId};
use crate::error::RequestError;
use crate::io::Event;
use crate::live::interface::{InboxRead, ReadToken};
use crate::model::{ConversationId, MessageSnapshot, User, UserId};
use crate::storage::{BatchId, Journal};
use crate::timestamp::Timestamp;
use crate::wire::StatusClass;

/// An effect requested by an inbox.
pub(crate) enum InboxOutput {
    /// Report an event to the application.
    Event(Event),
    /// Subscribe to the list of conversations.
    Subscribe,
    /// End the subscription to the list of conversations.
    Unsubscribe,
    /// End the subscription to the messages of a conversation.
    UnsubscribeMessages {
        conversation: ConversationId,
        token: ReadToken,
    },
    /// Read from the server.
    Read { token: ReadToken, read: InboxRead },
    /// Read the sender and the quote of a message.
    LookUp {
        lookup: u64,
        conversation: ConversationId,
        message: Arc<MessageSnapshot>,
    },
    /// Cancel a lookup.
    CancelLookUp(u64),
}

/// Returns `true` if the same request may succeed later.
pub(super) fn is_transient(error: &RequestError) -> bool {
    match error {
        RequestError::Transport(_) => true,
        RequestError::Server(error) => StatusClass::of(error.status) == StatusClass::Failed,
        _ => false,
    }
}

/// A function that returns a user that was read within the last minute. `Some(None)` is a user that
/// does not exist, and the sender of a message without one.
pub(crate) type Senders<'a> = dyn Fn(Option<&UserId>) -> Option<Option<Arc<User>>> + 'a;

/// The owner of a delivery that is not acknowledged.
pub(super) struct Owner {
    pub(super) inbox: InboxId,
    pub(super) conversation: ConversationId,
}

/// The effects of all inboxes, and the owners of their IDs.
pub(super) struct InboxCx {
    pub(super) now: Timestamp,
    /// Set while the session is subscribed to the list of conversations.
    pub(super) is_subscribed: bool,
    /// `None` if the positions are kept only in memory.
    pub(super) journal: Option<Journal>,
    pub(super) outputs: VecDeque<InboxOutput>,
    pub(super) reads: BTreeMap<ReadToken, InboxId>,
    pub(super) lookups: BTreeMap<u64, InboxId>,
    pub(super) deliveries: BTreeMap<DeliveryId, Owner>,
    /// Acknowledgements in batches that are not stored.
    pub(super) unstored: BTreeMap<BatchId, Vec<(DeliveryId, InboxId)>>,
    next_id: u64,
    next_delivery: u64,
}

impl InboxCx {
    pub(super) fn new(has_store: bool) -> Self {
        Self {
            now: Timestamp::default(),
            is_subscribed: false,
            journal: has_store.then(Journal::default),
            outputs: VecDeque::new(),
            reads: BTreeMap::new(),
            lookups: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            unstored: BTreeMap::new(),
            next_id: 0,
            next_delivery: 0,
        }
    }

    /// Returns an unused ID.
    pub(super) fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn take_delivery(&mut self, inbox: InboxId, of: &ConversationId) -> DeliveryId {
        self.next_delivery += 1;
        let delivery = DeliveryId(self.next_delivery);
        let conversation = of.clone();
        let owner = Owner {
            inbox,
            conversation,
        };
        self.deliveries.insert(delivery, owner);
        delivery
    }

    pub(super) fn emit(&mut self, inbox: InboxId, event: InboxEvent) {
        let event = Event::Inbox { inbox, event };
        self.outputs.push_back(InboxOutput::Event(event));
    }

    /// Sends a read.
    pub(super) fn read(&mut self, inbox: InboxId, read: InboxRead) -> ReadToken {
        let token = ReadToken(self.take_id());
        self.reads.insert(token, inbox);
        self.outputs.push_back(InboxOutput::Read { token, read });
        token
    }

    /// Reads the sender and the quote of a message.
    pub(super) fn look_up(
        &mut self,
        inbox: InboxId,
        conversation: &ConversationId,
        message: &Arc<MessageSnapshot>,
    ) -> u64 {
        let lookup = self.take_id();
        self.lookups.insert(lookup, inbox);
        self.outputs.push_back(InboxOutput::LookUp {
            lookup,
            conversation: conversation.clone(),
            message: Arc::clone(message),
        });
        lookup
    }

    pub(super) fn cancel_lookup(&mut self, lookup: u64) {
        if self.lookups.remove(&lookup).is_some() {
            self.outputs.push_back(InboxOutput::CancelLookUp(lookup));
        }
    }

    /// Stores a record, or deletes it, if there is a store. Returns the batch.
    pub(super) fn set(&mut self, key: String, value: Option<String>) -> Option<BatchId> {
        let journal = self.journal.as_mut()?;
        Some(match value {
            Some(value) => journal.put(key, value),
            None => journal.delete(key),
        })
    }

    /// Returns the batch of the next change, if there is a store.
    pub(super) fn next_batch(&self) -> Option<BatchId> {
        self.journal.as_ref().map(Journal::batch)
    }

    /// Stores a record, if there is a store. Returns its batch.
    pub(super) fn put(&mut self, key: String, value: String) -> Option<BatchId> {
        self.set(key, Some(value))
    }
}
