//! The deliveries of `Inbox::run`, in the order of their conversations.

use std::collections::{BTreeMap, VecDeque};

use talk_proto::model::ConversationId;

use super::delivery::Delivery;

/// The pending deliveries, with one queue per conversation.
#[derive(Default)]
pub(super) struct Lanes {
    queues: BTreeMap<ConversationId, VecDeque<Delivery>>,
    /// The conversations whose first delivery can be handled, in round-robin order.
    ready: VecDeque<ConversationId>,
}

impl Lanes {
    pub(super) fn push(&mut self, delivery: Delivery) {
        let id = &delivery.conversation.id;
        if let Some(queue) = self.queues.get_mut(id) {
            return queue.push_back(delivery);
        }
        self.ready.push_back(id.clone());
        self.queues.insert(id.clone(), VecDeque::from([delivery]));
    }

    /// Returns the next delivery to handle. Its conversation waits until
    /// [`finish`](Self::finish) or [`retry`](Self::retry).
    pub(super) fn start_next(&mut self) -> Option<Delivery> {
        let id = self.ready.pop_front()?;
        self.queues.get(&id)?.front().cloned()
    }

    /// Removes a completed delivery, and makes the next one of its conversation ready.
    pub(super) fn finish(&mut self, delivery: &Delivery) {
        let id = &delivery.conversation.id;
        let Some(queue) = self.queues.get_mut(id) else {
            return;
        };
        queue.pop_front();
        match queue.is_empty() {
            true => drop(self.queues.remove(id)),
            false => self.ready.push_back(id.clone()),
        }
    }

    /// Makes a delivery ready again, as the next one of its conversation.
    pub(super) fn retry(&mut self, delivery: Delivery) {
        let id = delivery.conversation.id.clone();
        if let Some(first) = self.queues.get_mut(&id).and_then(VecDeque::front_mut) {
            *first = delivery;
            self.ready.push_back(id);
        }
    }
}
