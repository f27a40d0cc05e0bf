//! The queue and the log of webhooks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use talk_proto::Timestamp;

use super::delivery::{Subject, WebhookAttempt, WebhookDelivery, WebhookState};
use super::faults::FaultyWebhooks;
use super::kind::WebhookKind;
use super::request::{WebhookAnswer, WebhookAttemptId};
use crate::server::dirty_map::DirtyMap;

/// The number of attempts: a failed one is repeated once.
const ATTEMPTS: u32 = 2;

/// The maximum number of attempts in flight (our choice).
const MAX_IN_FLIGHT: usize = 16;

/// The maximum number of undelivered events, and of their bytes (our choice). Further events are
/// discarded.
const MAX_PENDING: usize = 10_000;
const MAX_PENDING_BYTES: usize = 64 << 20;

/// The number of finished deliveries that are kept, and of their bytes (our choice).
const MAX_FINISHED: usize = 1000;
const MAX_FINISHED_BYTES: usize = 16 << 20;

/// The number of attempts of a delivery that are kept. Only resent events have more than two.
const MAX_ATTEMPTS: usize = 20;

/// The number of bytes of an answer that are kept (our choice).
const MAX_RESPONSE: usize = 4096;

/// The undelivered events, and the latest finished deliveries.
#[derive(Debug, Default)]
pub(in crate::server) struct WebhookQueue {
    pub(super) deliveries: DirtyMap<WebhookDelivery>,
    order: BTreeMap<u64, String>,
    finished: BTreeSet<u64>,
    pending_bytes: usize,
    finished_bytes: usize,
    next_sequence: u64,
    /// The undelivered events of each object. Only the first event of an object is attempted.
    pub(super) lanes: BTreeMap<(String, Subject), VecDeque<String>>,
    /// The events to attempt next.
    pub(super) ready: VecDeque<String>,
    in_flight: BTreeMap<WebhookAttemptId, String>,
    pub(super) faulty: FaultyWebhooks,
    next_attempt: u64,
    discarded: u64,
    /// The number of changes of deliveries.
    pub(super) version: u64,
}

impl WebhookQueue {
    pub(super) fn push(
        &mut self,
        now: Timestamp,
        app: &str,
        kind: WebhookKind,
        subject: Subject,
        id: String,
        body: String,
    ) {
        let pending = self.deliveries.len() - self.finished.len();
        if pending >= MAX_PENDING || self.pending_bytes + body.len() > MAX_PENDING_BYTES {
            self.discarded += 1;
            return;
        }
        let delivery = WebhookDelivery {
            id: id.clone(),
            app: app.to_owned(),
            kind,
            created_at: now,
            state: WebhookState::Pending,
            attempts: Vec::new(),
            body,
            faults: Vec::new(),
            sequence: self.next_sequence,
            subject,
            failures: 0,
        };
        self.next_sequence += 1;
        self.version += 1;
        self.order.insert(delivery.sequence, id.clone());
        self.enqueue(&delivery);
        self.deliveries.insert(id, delivery);
    }

    fn enqueue(&mut self, delivery: &WebhookDelivery) {
        self.pending_bytes += delivery.body.len();
        let lane = (delivery.app.clone(), delivery.subject.clone());
        let lane = self.lanes.entry(lane).or_default();
        lane.push_back(delivery.id.clone());
        if lane.len() == 1 || self.faulty.overtake(lane) {
            self.ready.push_back(delivery.id.clone());
        }
    }

    /// Returns the event of the next attempt. Returns `None` if no event is ready, or too many
    /// attempts are in flight.
    pub(super) fn next_ready(&self) -> Option<&WebhookDelivery> {
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            return None;
        }
        self.deliveries.get(self.ready.front()?)
    }

    /// Begins the next attempt. Returns `None` if no event is ready, or too many attempts are in
    /// flight.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<(WebhookAttemptId, &WebhookDelivery)> {
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            return None;
        }
        let id = self.ready.pop_front()?;
        // An attempt in flight is not stored, so that a restarted server repeats it.
        let delivery = self.deliveries.get_mut_untracked(&id)?;
        if delivery.attempts.len() >= MAX_ATTEMPTS {
            delivery.attempts.remove(0);
        }
        delivery.attempts.push(WebhookAttempt::new(now));
        let attempt = WebhookAttemptId(self.next_attempt);
        self.next_attempt += 1;
        self.version += 1;
        self.in_flight.insert(attempt, id);
        Some((attempt, delivery))
    }

    /// Ends an attempt. Returns the ID of the event if it must be retried.
    pub(super) fn finish(
        &mut self,
        now: Timestamp,
        attempt: WebhookAttemptId,
        result: Result<WebhookAnswer, String>,
    ) -> Option<String> {
        let id = self.in_flight.remove(&attempt)?;
        self.version += 1;
        let delivery = self.deliveries.get_mut(&id)?;
        let is_delivered = result.as_ref().is_ok_and(|answer| answer.status == 200);
        if let Some(last) = delivery.attempts.last_mut() {
            last.end(now, result);
        }
        if is_delivered {
            if self.faulty.take_duplicate(&id) {
                self.ready.push_back(id);
                return None;
            }
            delivery.state = WebhookState::Delivered;
        } else {
            delivery.failures += 1;
            if delivery.failures < ATTEMPTS {
                return Some(id);
            }
            delivery.state = WebhookState::Failed;
        }
        self.leave_lane(&id);
        self.trim();
        None
    }

    /// Makes the first event of a lane ready for its next attempt.
    pub(in crate::server) fn retry(&mut self, id: String) {
        let delivery = self.deliveries.get(&id);
        if delivery.is_some_and(WebhookDelivery::is_pending) {
            self.ready.push_back(id);
        }
    }

    /// Returns the event of an attempt that has not ended.
    pub(super) fn in_flight(&self, attempt: WebhookAttemptId) -> Option<&str> {
        self.in_flight.get(&attempt).map(String::as_str)
    }

    /// Queues a finished delivery again, after all others of its object. Returns `false` if it is
    /// unknown. An undelivered event stays queued.
    pub(super) fn resend(&mut self, id: &str) -> bool {
        let Some(delivery) = self.deliveries.get_mut(id) else {
            return false;
        };
        if !delivery.is_pending() {
            delivery.state = WebhookState::Pending;
            delivery.failures = 0;
            self.version += 1;
            let delivery = delivery.clone();
            self.finished.remove(&delivery.sequence);
            self.finished_bytes -= delivery.body.len();
            self.enqueue(&delivery);
        }
        true
    }

    /// Removes all events. Returns the attempts in flight.
    pub(super) fn clear(&mut self) -> Vec<WebhookAttemptId> {
        let attempts = std::mem::take(&mut self.in_flight);
        for id in std::mem::take(&mut self.order).into_values() {
            self.deliveries.remove(&id);
        }
        let deliveries = std::mem::take(&mut self.deliveries);
        *self = Self {
            deliveries,
            next_sequence: self.next_sequence,
            next_attempt: self.next_attempt,
            version: self.version + 1,
            ..Self::default()
        };
        attempts.into_keys().collect()
    }

    /// Moves a delivery from the head of its lane to the finished ones.
    pub(super) fn leave_lane(&mut self, id: &str) {
        let Some(delivery) = self.deliveries.get(id) else {
            return;
        };
        self.faulty.forget(id);
        let bytes = delivery.body.len();
        self.pending_bytes -= bytes;
        self.finished_bytes += bytes;
        self.finished.insert(delivery.sequence);
        let key = (delivery.app.clone(), delivery.subject.clone());
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        lane.pop_front();
        match lane.front() {
            Some(next) => self.ready.push_back(next.clone()),
            None => {
                self.lanes.remove(&key);
            }
        }
    }

    /// Removes the oldest finished deliveries above the limits.
    pub(super) fn trim(&mut self) {
        while self.finished.len() > MAX_FINISHED || self.finished_bytes > MAX_FINISHED_BYTES {
            let Some(oldest) = self.finished.pop_first() else {
                return;
            };
            let id = self.order.remove(&oldest);
            let removed = id.and_then(|id| self.deliveries.remove(&id));
            self.finished_bytes -= removed.map_or(0, |it| it.body.len());
        }
    }

    /// Restores a stored delivery. Call [`rebuild`](Self::rebuild) after the last one.
    pub(in crate::server) fn restore(&mut self, mut delivery: WebhookDelivery) {
        delivery.attempts.retain(|it| it.ended_at.is_some());
        self.next_sequence = self.next_sequence.max(delivery.sequence + 1);
        self.order.insert(delivery.sequence, delivery.id.clone());
        self.deliveries.restore(delivery.id.clone(), delivery);
    }

    /// Rebuilds the state derived from the stored deliveries. Undelivered events are ready at once.
    pub(in crate::server) fn rebuild(&mut self) {
        let deliveries: Vec<WebhookDelivery> = self.all().cloned().collect();
        for delivery in &deliveries {
            if delivery.is_pending() {
                self.enqueue(delivery);
            } else {
                self.finished.insert(delivery.sequence);
                self.finished_bytes += delivery.body.len();
            }
        }
    }

    /// Iterates over all deliveries, oldest first.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &WebhookDelivery> {
        let ids = self.order.values();
        ids.filter_map(|id| self.deliveries.get(id))
    }

    pub(in crate::server) fn get(&self, id: &str) -> Option<&WebhookDelivery> {
        self.deliveries.get(id)
    }

    /// Returns a number that changes with the deliveries.
    pub(in crate::server) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn discarded(&self) -> u64 {
        self.discarded
    }

    /// Returns and clears the set of changed IDs.
    pub(in crate::server) fn take_dirty(&mut self) -> BTreeSet<String> {
        self.deliveries.take_dirty()
    }
}

impl WebhookAttempt {
    pub(super) fn end(&mut self, now: Timestamp, result: Result<WebhookAnswer, String>) {
        self.ended_at = Some(now);
        match result {
            Ok(answer) => {
                self.status = Some(answer.status);
                let end = answer.body.floor_char_boundary(MAX_RESPONSE);
                self.response = Some(answer.body[..end].to_owned());
            }
            Err(error) => self.error = Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use talk_proto::Timestamp;

    use super::{MAX_PENDING, MAX_PENDING_BYTES, Subject, WebhookKind, WebhookQueue};
    use crate::server::WebhookAnswer;

    fn push(queue: &mut WebhookQueue, id: usize, body: String) {
        let subject = Subject::User(id.to_string());
        let (now, kind) = (Timestamp::default(), WebhookKind::UserCreated);
        queue.push(now, "app", kind, subject, id.to_string(), body);
    }

    fn deliver_all(queue: &mut WebhookQueue) -> usize {
        let mut delivered = 0;
        while let Some((attempt, _)) = queue.begin(Timestamp::default()) {
            let answer = WebhookAnswer {
                status: 200,
                body: String::new(),
            };
            assert_eq!(
                queue.finish(Timestamp::default(), attempt, Ok(answer)),
                None
            );
            delivered += 1;
        }
        delivered
    }

    #[test]
    fn push_above_the_limit_discards() {
        let mut queue = WebhookQueue::default();
        for id in 0..MAX_PENDING + 10 {
            push(&mut queue, id, "{}".to_owned());
        }
        assert_eq!(queue.discarded(), 10);
        assert_eq!(deliver_all(&mut queue), MAX_PENDING);
        push(&mut queue, MAX_PENDING, "{}".to_owned());
        assert_eq!((queue.discarded(), deliver_all(&mut queue)), (10, 1));
    }

    #[test]
    fn bytes_above_the_limit_are_discarded() {
        let mut queue = WebhookQueue::default();
        let half = "x".repeat(MAX_PENDING_BYTES / 2);
        for id in 0..3 {
            push(&mut queue, id, half.clone());
        }
        assert_eq!(queue.discarded(), 1);
        // Each body is larger than the limit of the log.
        assert_eq!(deliver_all(&mut queue), 2);
        assert_eq!(queue.all().count(), 0);
    }

    #[test]
    fn clear_cancels_and_forgets_all() {
        let mut queue = WebhookQueue::default();
        for id in 0..3 {
            push(&mut queue, id, "{}".to_owned());
        }
        let (attempt, _) = queue.begin(Timestamp::default()).unwrap();
        queue.take_dirty();
        assert_eq!(queue.clear(), [attempt]);
        assert_eq!(queue.all().count(), 0);
        assert_eq!(queue.take_dirty().len(), 3);
        assert_eq!(deliver_all(&mut queue), 0);
        let late = Err("late".to_owned());
        assert_eq!(queue.finish(Timestamp::default(), attempt, late), None);
    }
}
