//! The handlers of a process: each answers a message after a while.

use std::collections::{BTreeMap, VecDeque};

use talk_proto::Timestamp;
use talk_proto::inbox::{DeliveryId, InboxId};

use super::ledger::Number;

/// A message that is handled.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) inbox: InboxId,
    pub(super) delivery: DeliveryId,
    pub(super) question: Number,
    pub(super) conversation: usize,
}

/// The handlers of a process.
#[derive(Default)]
pub(super) struct Handlers {
    /// The running handlers, by the time at which they return.
    running: BTreeMap<(Timestamp, DeliveryId), Task>,
    /// The messages that wait for an earlier one of their conversation.
    waiting: BTreeMap<usize, VecDeque<Task>>,
    /// All deliveries whose acknowledgement is not reported.
    delivered: BTreeMap<DeliveryId, Number>,
}

impl Handlers {
    pub(super) fn note_delivery(&mut self, delivery: DeliveryId, question: Number) {
        self.delivered.insert(delivery, question);
    }

    /// Handles the report of an acknowledgement.
    pub(super) fn take_acked(&mut self, delivery: DeliveryId) -> Option<Number> {
        self.delivered.remove(&delivery)
    }

    /// Returns `true` if a handler of an inbox runs for the conversation.
    pub(super) fn is_running(&self, inbox: InboxId, conversation: usize) -> bool {
        let of_inbox = |task: &Task| (task.inbox, task.conversation) == (inbox, conversation);
        self.running.values().any(of_inbox)
    }

    /// Returns `true` if a handler of an inbox runs for the conversation, or is about to run.
    pub(super) fn is_busy(&self, inbox: InboxId, conversation: usize) -> bool {
        let waiting = self.waiting.get(&conversation);
        let is_waiting = waiting.is_some_and(|waiting| !waiting.is_empty());
        is_waiting || self.is_running(inbox, conversation)
    }

    pub(super) fn start(&mut self, task: Task, returns_at: Timestamp) {
        self.running.insert((returns_at, task.delivery), task);
    }

    pub(super) fn wait(&mut self, task: Task) {
        let waiting = self.waiting.entry(task.conversation).or_default();
        waiting.push_back(task);
    }

    /// Returns the next message of a conversation.
    pub(super) fn take_waiting(&mut self, conversation: usize) -> Option<Task> {
        self.waiting.get_mut(&conversation)?.pop_front()
    }

    /// Returns a message whose handler has returned.
    pub(super) fn take_done(&mut self, now: Timestamp) -> Option<Task> {
        let (returned_at, _) = self.running.first_key_value()?.0;
        (*returned_at <= now)
            .then(|| self.running.pop_first())?
            .map(|(_, task)| task)
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.running.first_key_value().map(|((at, _), _)| *at)
    }

    /// Drops the messages that wait, and perhaps the running handlers.
    pub(super) fn end(&mut self, are_dropped: bool) {
        self.waiting.clear();
        if are_dropped {
            self.running.clear();
        }
    }

    /// Makes all handlers return soon.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        for ((_, delivery), task) in std::mem::take(&mut self.running) {
            self.running.insert((now, delivery), task);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.values().all(VecDeque::is_empty)
    }
}
