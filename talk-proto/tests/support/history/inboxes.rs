//! Steps that concern inboxes.

use talk_proto::Event;
use talk_proto::inbox::{DeliveryId, InboxEvent, InboxOptions, InboxStart};

use super::History;
use super::choice::pick;
use crate::support::{conversation, seconds};

impl History {
    pub(super) fn take_inbox(&mut self, kind: u8, which: u8) {
        let world = &mut self.world;
        let now = world.now;
        match kind % 8 {
            0 | 1 => {
                let mut options = InboxOptions::default();
                options.max_unacked = usize::from(kind / 8) + 1;
                options.own = which & 4 == 0;
                options.history_on_join = which & 8 == 0;
                options.conversation = (which & 16 == 0).then(|| conversation("c1"));
                options.start = match which % 3 {
                    0 => InboxStart::Now,
                    1 => InboxStart::Beginning,
                    _ => InboxStart::At(now - seconds(10)),
                };
                let limit = options.max_unacked;
                let name = ["bot", "other"][usize::from(which >> 7)];
                if let Ok(inbox) = world.session.open_inbox(now, name, options) {
                    world.invariants.inboxes.accepted(inbox, limit);
                    self.inboxes.push(inbox);
                }
            }
            2 => {
                if let Some(inbox) = pick(&self.inboxes, which) {
                    let _ = world.session.close_inbox(now, inbox);
                }
            }
            3 => {
                if let Some(delivery) = pick(&self.deliveries(), which) {
                    let _ = self.world.session.reply(now, delivery, "an answer".into());
                }
            }
            _ => {
                if let Some(delivery) = pick(&self.deliveries(), which) {
                    let _ = self.world.session.ack(now, delivery);
                }
            }
        }
    }

    /// Returns all deliveries so far.
    fn deliveries(&self) -> Vec<DeliveryId> {
        let events = self.world.log.events.iter();
        let deliveries = events.filter_map(|(_, event)| match event {
            Event::Inbox {
                event: InboxEvent::Delivered(delivery),
                ..
            } => Some(delivery.id),
            _ => None,
        });
        deliveries.collect()
    }
}
