//! The open inboxes, and the commands of inboxes.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_channel::oneshot;
use talk_proto::inbox::{DeliveryId, InboxEvent, InboxId};
use talk_proto::{Session as Core, Timestamp};

use super::outbox::Entries;
use crate::error::Error;
use crate::handle::{InboxCommand, InboxSlot};

/// The inboxes that have not ended, and the acknowledgements that are not stored yet.
#[derive(Default)]
pub(super) struct Inboxes {
    slots: BTreeMap<InboxId, Arc<InboxSlot>>,
    acks: BTreeMap<DeliveryId, Vec<Ack>>,
    /// The inbox of the deliveries since the last call of [`wake`](Inboxes::wake).
    delivered: Option<InboxId>,
}

/// An acknowledgement that its caller waits for.
struct Ack {
    slot: Arc<InboxSlot>,
    reply: oneshot::Sender<Result<(), Error>>,
}

impl Ack {
    fn resolve(self, result: Result<(), Error>) {
        // Fails if the caller has stopped waiting.
        let _ = self.reply.send(result);
    }
}

impl Inboxes {
    pub(super) fn handle(
        &mut self,
        core: &mut Core,
        entries: &mut Entries,
        now: Timestamp,
        command: InboxCommand,
    ) {
        match command {
            InboxCommand::Open {
                name,
                options,
                slot,
            } => match core.open_inbox(now, &name, options) {
                Ok(id) => drop(self.slots.insert(id, slot)),
                Err(error) => drop(slot.end(Err(error.into()))),
            },
            InboxCommand::AckInMemory { delivery } => {
                // Fails after the end of the session, which also ends the memory of positions.
                let _ = core.ack(now, delivery);
            }
            InboxCommand::Ack {
                slot,
                delivery,
                reply,
            } => {
                let ack = Ack { slot, reply };
                match core.ack(now, delivery) {
                    Ok(true) => self.acks.entry(delivery).or_default().push(ack),
                    Ok(false) => match (self.acks.get_mut(&delivery), ack.slot.end_error()) {
                        (Some(waiting), _) => waiting.push(ack),
                        (None, None) => ack.resolve(Ok(())),
                        (None, Some(error)) => ack.resolve(Err(error)),
                    },
                    Err(error) => ack.resolve(Err(error.into())),
                }
            }
            InboxCommand::Reply {
                delivery,
                message,
                entry,
            } => match core.reply(now, delivery, message) {
                Ok(id) => entries.watch(core, id, &entry),
                Err(error) => entry.fail(&error.into()),
            },
            InboxCommand::Close { slot } => {
                let open = self.slots.iter().find(|(_, it)| Arc::ptr_eq(it, &slot));
                if let Some((&id, _)) = open {
                    // Fails after the end of the session, which ended the inbox.
                    let _ = core.close_inbox(now, id);
                }
            }
        }
    }

    pub(super) fn handle_event(&mut self, inbox: InboxId, event: InboxEvent) {
        match event {
            InboxEvent::Opened => {
                if let Some(slot) = self.slots.get(&inbox) {
                    slot.set_open();
                }
            }
            InboxEvent::Delivered(delivery) => {
                if self.delivered != Some(inbox) {
                    self.wake();
                    self.delivered = Some(inbox);
                }
                if let Some(slot) = self.slots.get(&inbox) {
                    slot.push(delivery);
                }
            }
            InboxEvent::Acked { delivery } => {
                for ack in self.acks.remove(&delivery).into_iter().flatten() {
                    ack.resolve(Ok(()));
                }
            }
            InboxEvent::Ended { error } => {
                if let Some(slot) = self.slots.remove(&inbox) {
                    slot.end(match error {
                        None => Ok(()),
                        Some(error) => Err(error.into()),
                    });
                    self.fail_acks(&slot);
                }
            }
            // An event that this version does not know needs no action.
            _ => {}
        }
    }

    /// Wakes the consumer of the deliveries since the last call.
    pub(super) fn wake(&mut self) {
        let slot = self
            .delivered
            .take()
            .and_then(|inbox| self.slots.get(&inbox));
        if let Some(slot) = slot {
            slot.wake();
        }
    }

    /// Fails the acknowledgements of an inbox that has ended.
    fn fail_acks(&mut self, slot: &Arc<InboxSlot>) {
        let Some(error) = slot.end_error() else {
            return;
        };
        for acks in self.acks.values_mut() {
            for ack in acks.extract_if(.., |ack| Arc::ptr_eq(&ack.slot, slot)) {
                ack.resolve(Err(error.clone()));
            }
        }
        self.acks.retain(|_, acks| !acks.is_empty());
    }

    /// Reports the end of the session.
    pub(super) fn end(&mut self, error: &Error) {
        for slot in std::mem::take(&mut self.slots).into_values() {
            slot.end(Err(error.clone()));
        }
        for ack in std::mem::take(&mut self.acks).into_values().flatten() {
            ack.resolve(Err(error.clone()));
        }
    }
}
