//! The slot that passes the state of an entry from the driver to its handles.

use std::sync::Arc;

use event_listener::Event;
use talk_proto::model::{ConversationId, EntryId, MessageId};
use talk_proto::outbox::{Entry, Receipt};

use crate::error::Error;
use crate::sync::{Mutex, lock, notify_all, wait_for};

/// The state of an entry. All but the first two are final.
#[derive(Clone, Debug)]
pub(crate) enum EntryStatus {
    /// The driver has not handled the command.
    Pending,
    /// The entry is in the outbox.
    Queued(Arc<Entry>),
    /// The entry was sent and has left the outbox.
    Sent {
        id: EntryId,
        conversation: ConversationId,
        message: MessageId,
    },
    /// The entry was discarded.
    Discarded,
    /// There is no such entry, or the session has ended.
    Failed(Error),
}

impl EntryStatus {
    fn is_final(&self) -> bool {
        !matches!(self, Self::Pending | Self::Queued(_))
    }

    /// Returns `true` if a caller may wait for the difference. No caller waits for the begin of an
    /// attempt, which every entry of a long queue reports.
    fn differs_for_waiters(&self, old: &Self) -> bool {
        let (Self::Queued(new), Self::Queued(old)) = (self, old) else {
            return true;
        };
        let awaited = |entry: &Entry| (entry.durable, entry.message().is_some());
        awaited(new) != awaited(old) || new.held() != old.held()
    }
}

/// The current state of an entry.
pub(crate) struct EntrySlot {
    status: Mutex<EntryStatus>,
    changed: Event,
}

impl EntrySlot {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            status: Mutex::new(EntryStatus::Pending),
            changed: Event::new(),
        })
    }

    pub(crate) fn status(&self) -> EntryStatus {
        lock(&self.status).clone()
    }

    /// Waits until `found` returns a value for the state.
    pub(crate) async fn wait_until<T>(&self, found: impl Fn(&EntryStatus) -> Option<T>) -> T {
        wait_for(&self.changed, || found(&lock(&self.status))).await
    }

    fn set(&self, next: impl FnOnce(&EntryStatus) -> EntryStatus) {
        let mut status = lock(&self.status);
        if status.is_final() {
            return;
        }
        let next = next(&status);
        let is_awaited = next.differs_for_waiters(&status);
        *status = next;
        drop(status);
        if is_awaited {
            notify_all(&self.changed);
        }
    }

    pub(crate) fn set_entry(&self, entry: &Arc<Entry>) {
        self.set(|_| EntryStatus::Queued(Arc::clone(entry)));
    }

    pub(crate) fn set_receipt(&self, receipt: &Receipt) {
        self.set(|_| EntryStatus::Sent {
            id: receipt.entry.clone(),
            conversation: receipt.conversation.clone(),
            message: receipt.message.clone(),
        });
    }

    /// Reports that the entry has left the outbox; without a message it was discarded.
    pub(crate) fn set_removed(&self, id: &EntryId, message: Option<MessageId>) {
        self.set(|status| match (status, message) {
            (EntryStatus::Queued(entry), Some(message)) => EntryStatus::Sent {
                id: id.clone(),
                conversation: entry.conversation.clone(),
                message,
            },
            _ => EntryStatus::Discarded,
        });
    }

    pub(crate) fn fail(&self, error: &Error) {
        self.set(|_| EntryStatus::Failed(error.clone()));
    }
}
