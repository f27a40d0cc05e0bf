//! The effects of injected faults on webhooks.

use std::collections::{BTreeSet, VecDeque};

use talk_proto::Timestamp;

use super::delivery::{WebhookAttempt, WebhookDelivery, WebhookState};
use super::queue::WebhookQueue;
use crate::server::fault::{FaultKind, StruckFault};
use crate::server::machine::Server;
use crate::server::timers::Timer;

/// The undelivered events to which faults have applied, by ID.
#[derive(Debug, Default)]
pub(super) struct FaultyWebhooks {
    /// The events to which no further fault applies.
    exempt: BTreeSet<String>,
    /// The events that wait for a later event of their object.
    held: BTreeSet<String>,
    /// The events to deliver twice.
    duplicates: BTreeSet<String>,
}

impl FaultyWebhooks {
    /// Moves the second event of an object before the first one, if that is held for it. Returns
    /// `true` if it was.
    pub(super) fn overtake(&mut self, events: &mut VecDeque<String>) -> bool {
        let is_held =
            events.len() == 2 && events.front().is_some_and(|first| self.held.remove(first));
        if is_held {
            self.swap(events);
        }
        is_held
    }

    /// Swaps the first two events of an object. Another reordering would undo this one, so no
    /// further fault applies to the new first event.
    fn swap(&mut self, events: &mut VecDeque<String>) {
        events.swap(0, 1);
        self.exempt.extend(events.front().cloned());
    }

    /// Returns `true` if the event is delivered again after its first delivery.
    pub(super) fn take_duplicate(&mut self, id: &str) -> bool {
        self.duplicates.remove(id)
    }

    /// Forgets an event that is delivered or has failed.
    pub(super) fn forget(&mut self, id: &str) {
        self.exempt.remove(id);
        self.duplicates.remove(id);
    }
}

impl WebhookQueue {
    /// Returns the event of the next attempt, if a fault may apply to it.
    fn next_without_fault(&self) -> Option<&WebhookDelivery> {
        let next = self.next_ready();
        next.filter(|it| !self.faulty.exempt.contains(&it.id))
    }

    /// Applies a fault to the event of the next attempt. Returns the timer of its delay.
    fn apply_fault(&mut self, now: Timestamp, kind: FaultKind) -> Option<Timer> {
        let id = self.ready.front()?.clone();
        let delivery = self.deliveries.get_mut(&id)?;
        if !delivery.faults.contains(&kind) {
            delivery.faults.push(kind);
        }
        self.version += 1;
        self.faulty.exempt.insert(id.clone());
        if kind == FaultKind::WebhookDuplicate {
            self.faulty.duplicates.insert(id);
            return None;
        }
        self.ready.pop_front();
        match kind {
            FaultKind::WebhookDelay => Some(Timer::WebhookRetries(id)),
            FaultKind::WebhookReorder => self.hold(&id).then_some(Timer::WebhookHoldEnds(id)),
            _ => {
                self.discard(now, &id);
                None
            }
        }
    }

    /// Moves the first event of an object behind the second one. Returns `true` if it waits for a
    /// second one.
    fn hold(&mut self, id: &str) -> bool {
        let Some(delivery) = self.deliveries.get(id) else {
            return false;
        };
        let key = (delivery.app.clone(), delivery.subject.clone());
        match self.lanes.get_mut(&key) {
            Some(lane) if lane.len() > 1 => {
                self.faulty.swap(lane);
                self.ready.extend(lane.front().cloned());
                false
            }
            _ => {
                self.faulty.held.insert(id.to_owned());
                true
            }
        }
    }

    /// Delivers an event for which no later one came in time.
    pub(in crate::server) fn release(&mut self, id: String) {
        if self.faulty.held.remove(&id) {
            self.ready.push_back(id);
        }
    }

    /// Ends an event without an attempt.
    fn discard(&mut self, now: Timestamp, id: &str) {
        if let Some(delivery) = self.deliveries.get_mut(id) {
            let mut attempt = WebhookAttempt::new(now);
            attempt.end(now, Err("discarded by an injected fault".to_owned()));
            delivery.attempts.push(attempt);
            delivery.state = WebhookState::Failed;
        }
        self.leave_lane(id);
        self.trim();
    }
}

impl Server {
    /// Applies the injected faults to the event of the next attempt.
    pub(super) fn apply_webhook_faults(&mut self) {
        while let Some(next) = self.webhooks.next_without_fault() {
            let (id, name) = (&next.id, next.kind.as_str());
            let Some(fault) = self.faults.take_for_webhook(self.now, name) else {
                return;
            };
            let (id, kind) = (id.clone(), fault.kind);
            let until = self.now + fault.effect_delay();
            self.note_struck(StruckFault {
                at: self.now,
                fault,
                connection: None,
                path: Some(name.to_owned()),
                webhook: Some(id.clone()),
            });
            if let Some(timer) = self.webhooks.apply_fault(self.now, kind) {
                self.timers.set(until, timer);
            }
            self.note_webhook(&id);
        }
    }
}
