//! The handles of outbox entries, and the commands of the outbox.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use talk_proto::model::{EntryId, MessageId};
use talk_proto::outbox::Entry;
use talk_proto::{CommandError, Session as Core, Timestamp};

use crate::error::Error;
use crate::handle::{EntrySlot, EntryStatus, OutboxCommand};

/// The slots of the entries that have handles.
#[derive(Default)]
pub(super) struct Entries {
    slots: BTreeMap<EntryId, Vec<Weak<EntrySlot>>>,
}

impl Entries {
    pub(super) fn handle(&mut self, core: &mut Core, now: Timestamp, command: OutboxCommand) {
        match command {
            OutboxCommand::Enqueue {
                conversation,
                message,
                slot,
            } => match core.enqueue(now, conversation, message) {
                Ok(entry) => self.watch(core, entry, &slot),
                Err(error) => slot.fail(&error.into()),
            },
            OutboxCommand::Find { entry, slot } => self.watch(core, entry, &slot),
            OutboxCommand::Update {
                slot,
                action,
                reply,
            } => {
                let result = match slot.status() {
                    EntryStatus::Queued(entry) => {
                        let result = core.update_entry(now, &entry.id, action);
                        result.map_err(Error::from)
                    }
                    EntryStatus::Failed(error) => Err(error),
                    EntryStatus::Pending | EntryStatus::Sent { .. } | EntryStatus::Discarded => {
                        Ok(false)
                    }
                };
                // Fails if the caller has stopped waiting.
                let _ = reply.send(result);
            }
            OutboxCommand::RetryAll { reply } => {
                let result = core.retry_all(now).map(|()| true);
                let _ = reply.send(result.map_err(Error::from));
            }
            OutboxCommand::SetPaused {
                conversation,
                is_paused,
                reply,
            } => {
                let result = match is_paused {
                    true => core.pause_conversation(now, conversation),
                    false => core.resume_conversation(now, conversation),
                };
                let _ = reply.send(result.map(|()| true).map_err(Error::from));
            }
        }
    }

    /// Reports the current state of an entry to `slot`, and its later changes.
    pub(super) fn watch(&mut self, core: &Core, id: EntryId, slot: &Arc<EntrySlot>) {
        if let Some(entry) = core.outbox_entry(&id) {
            slot.set_entry(entry);
            let slots = self.slots.entry(id).or_default();
            slots.retain(|slot| slot.strong_count() > 0);
            slots.push(Arc::downgrade(slot));
        } else if let Some(receipt) = core.outbox_receipt(&id) {
            slot.set_receipt(receipt);
        } else {
            slot.fail(&CommandError::UnknownEntry.into());
        }
    }

    /// Reports a change of an entry.
    pub(super) fn change(&self, entry: &Arc<Entry>) {
        let slots = self.slots.get(&entry.id).into_iter().flatten();
        for slot in slots.filter_map(Weak::upgrade) {
            slot.set_entry(entry);
        }
    }

    /// Reports that an entry has left the outbox.
    pub(super) fn remove(&mut self, id: &EntryId, message: Option<&MessageId>) {
        let slots = self.slots.remove(id).into_iter().flatten();
        for slot in slots.filter_map(|slot| slot.upgrade()) {
            slot.set_removed(id, message.cloned());
        }
    }

    /// Reports the end of the session.
    pub(super) fn end(&mut self, error: &Error) {
        let slots = std::mem::take(&mut self.slots);
        for slot in slots.into_values().flatten() {
            if let Some(slot) = slot.upgrade() {
                slot.fail(error);
            }
        }
    }
}
