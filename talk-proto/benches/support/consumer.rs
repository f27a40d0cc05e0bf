//! A consumer of an inbox.

use talk_proto::inbox::{Delivery, DeliveryId, InboxEvent, InboxId, InboxOptions};

use super::client::Client;

/// A consumer that acknowledges each delivery at once, or none.
#[derive(Default)]
pub(super) struct Consumer {
    is_stalled: bool,
    is_open: bool,
    acknowledged: u64,
    /// The deliveries that a stalled consumer holds.
    held: Vec<Delivery>,
}

impl Consumer {
    /// Handles an event. Returns the delivery to acknowledge.
    pub(super) fn take(&mut self, event: InboxEvent) -> Option<DeliveryId> {
        match event {
            InboxEvent::Opened => self.is_open = true,
            InboxEvent::Acked { .. } => self.acknowledged += 1,
            InboxEvent::Delivered(delivery) if self.is_stalled => self.held.push(delivery),
            InboxEvent::Delivered(delivery) => return Some(delivery.id),
            _ => {}
        }
        None
    }
}

impl Client {
    /// Opens an inbox that starts with later messages.
    pub(super) fn open_inbox(&mut self) -> InboxId {
        let (session, now) = self.session();
        let opened = session.open_inbox(now, "bot", InboxOptions::default());
        let inbox = opened.expect("room for an inbox");
        self.serve();
        while !self.consumer.is_open {
            self.wait();
        }
        inbox
    }

    /// Closes an inbox, and stores that it has ended cleanly.
    pub(super) fn close_inbox(&mut self, inbox: InboxId) {
        let (session, now) = self.session();
        let closed = session.close_inbox(now, inbox);
        closed.expect("the inbox is open");
        self.serve();
    }

    /// Waits until this many messages are delivered and acknowledged.
    pub(super) fn consume(&mut self, messages: u64) {
        while self.consumer.acknowledged < messages {
            self.wait();
        }
    }

    /// Stops acknowledging.
    pub(super) fn stall(&mut self) {
        self.consumer.is_stalled = true;
    }

    /// Returns the number of deliveries that the stalled consumer holds.
    pub(crate) fn held_deliveries(&self) -> usize {
        self.consumer.held.len()
    }
}
