//! Calls that are accepted and not resolved, in the order in which they were made.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::backoff::CallRetry;
use super::call::CallBody;
use super::rejections::MAX_REJECTIONS;
use crate::collections::GiveBack;
use crate::command::RequestId;
use crate::live::interface::Get;
use crate::model::ConversationId;
use crate::options::Pacing;
use crate::timestamp::Timestamp;
use crate::wire::Request;

/// The place of a request in the queue: those made earlier have a lower one.
pub(crate) type Place = u64;

/// A call that the server fails to carry out is tried this often.
const MAX_FAILURES: u32 = 10;
/// A call that was in flight at this many losses to an oversized frame is given up.
const MAX_LARGE_LOSSES: u32 = 2;

struct Waiting {
    body: CallBody,
    retry: CallRetry,
    failures: u32,
    rejections: u32,
    large_losses: u32,
    was_sent: bool,
    retry_at: Option<Timestamp>,
}

/// The sends of one conversation while the server could not take one of them. Those that came
/// after it are held until it is answered, so that the order is kept if it has to wait again.
#[derive(Default)]
struct Lane {
    retrying: BTreeSet<Place>,
    held: BTreeSet<Place>,
}

/// The first calls after the connection became ready, and how they are spread.
struct Flush {
    burst_left: usize,
    next: Timestamp,
}

/// The queue of calls.
pub(crate) struct Queue {
    pacing: Pacing,
    calls: BTreeMap<Place, Waiting>,
    /// Reads, which are no requests of their own, but have their turn.
    reads: BTreeMap<Place, (RequestId, Get)>,
    next_place: Place,
    /// The batch that calls of this tick may still join.
    open_batch: Option<Place>,
    ready: BTreeSet<Place>,
    retries: BTreeSet<(Timestamp, Place)>,
    lanes: BTreeMap<ConversationId, Lane>,
    flush: Option<Flush>,
}

impl Queue {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            calls: BTreeMap::new(),
            reads: BTreeMap::new(),
            next_place: 0,
            open_batch: None,
            ready: BTreeSet::new(),
            retries: BTreeSet::new(),
            lanes: BTreeMap::new(),
            flush: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.reads.is_empty()
    }

    /// Queues a request, in the open batch if it fits there. Its place.
    pub(crate) fn push(&mut self, body: CallBody) -> Place {
        let mut body = body;
        if let Some(place) = self.open_batch.take()
            && let Some(batch) = self.calls.get_mut(&place)
        {
            match batch.body.join(body) {
                Ok(()) => {
                    self.open_batch = Some(place);
                    return place;
                }
                Err(other) => body = other,
            }
        }
        let place = self.take_place();
        let call = Waiting {
            body,
            retry: CallRetry::default(),
            failures: 0,
            rejections: 0,
            large_losses: 0,
            was_sent: false,
            retry_at: None,
        };
        self.calls.insert(place, call);
        self.ready.insert(place);
        self.open_batch = Some(place);
        place
    }

    /// Queues a read. It closes the batch: what comes later in this tick comes after it.
    pub(crate) fn push_read(&mut self, request: RequestId, get: Get) -> Place {
        self.open_batch = None;
        let place = self.take_place();
        self.put_read(place, request, get);
        place
    }

    /// Puts a read back into its place.
    pub(crate) fn put_read(&mut self, place: Place, request: RequestId, get: Get) {
        self.reads.insert(place, (request, get));
        self.ready.insert(place);
    }

    fn take_place(&mut self) -> Place {
        let place = self.next_place;
        self.next_place += 1;
        place
    }

    /// The tick is over: later calls make frames of their own.
    pub(crate) fn close_batch(&mut self) {
        self.open_batch = None;
    }

    /// Forgets the part of one call in the request at `place`. Whether that was ever sent.
    pub(crate) fn cancel(&mut self, place: Place, request: RequestId) -> bool {
        let Some(call) = self.calls.get_mut(&place) else {
            self.reads.remove(&place);
            self.ready.remove(&place);
            return false;
        };
        let was_sent = call.was_sent;
        if call.body.cancel(request) {
            self.take(place);
        }
        was_sent
    }

    /// The connection is ready: what waits is sent, the first calls at once.
    pub(crate) fn start_flush(&mut self, now: Timestamp) {
        self.flush = Some(Flush {
            burst_left: self.pacing.burst,
            next: now,
        });
    }

    /// What may be done next. Reads are not paced, but wait for what is before them.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<Turn> {
        self.release_due_retries(now);
        while let Some(&place) = self.ready.first() {
            if let Some((request, get)) = self.reads.remove(&place) {
                self.ready.remove(&place);
                return Some(Turn::Read(place, request, get));
            }
            if self.hold_behind_retry(place) {
                continue;
            }
            if !self.may_send(now) {
                return None;
            }
            self.ready.remove(&place);
            let call = self.calls.get_mut(&place)?;
            call.was_sent = true;
            return Some(Turn::Send(place, call.body.request()));
        }
        self.flush = None;
        None
    }

    /// Whether pacing lets a call go now; if so it is counted.
    fn may_send(&mut self, now: Timestamp) -> bool {
        let Some(flush) = &mut self.flush else {
            return true;
        };
        if flush.burst_left > 0 {
            flush.burst_left -= 1;
            flush.next = now + self.pacing.interval;
            return true;
        }
        if flush.next > now {
            return false;
        }
        flush.next = now + self.pacing.interval;
        true
    }

    /// A send waits while an earlier one to the same conversation is tried again.
    fn hold_behind_retry(&mut self, place: Place) -> bool {
        let lane = self.calls.get(&place).and_then(|call| call.body.lane());
        let Some(lane) = lane.and_then(|conversation| self.lanes.get_mut(conversation)) else {
            return false;
        };
        let behind = lane.retrying.first().is_some_and(|&first| first < place);
        if behind {
            self.ready.remove(&place);
            lane.held.insert(place);
        }
        behind
    }

    fn release_due_retries(&mut self, now: Timestamp) {
        while let Some(&(at, place)) = self.retries.first()
            && at <= now
        {
            self.retries.remove(&(at, place));
            if let Some(call) = self.calls.get_mut(&place) {
                call.retry_at = None;
                self.ready.insert(place);
            }
        }
    }

    /// The request at `place` is over: sends behind it may go.
    fn leave_lane(&mut self, place: Place) {
        let conversation = self
            .calls
            .get(&place)
            .and_then(|call| call.body.lane())
            .cloned();
        let Some(conversation) = conversation else {
            return;
        };
        let Some(lane) = self.lanes.get_mut(&conversation) else {
            return;
        };
        lane.held.remove(&place);
        if lane.retrying.remove(&place) {
            self.ready.append(&mut lane.held);
        }
        if lane.retrying.is_empty() {
            self.lanes.remove(&conversation);
        }
    }

    /// When the next request may be sent, if that is not at once.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let retry = self.retries.first().map(|&(at, _)| at);
        let paced = self
            .flush
            .as_ref()
            .filter(|_| !self.ready.is_empty())
            .map(|f| f.next);
        retry.into_iter().chain(paced).min()
    }

    /// The request at `place` is answered, or given up.
    pub(crate) fn take(&mut self, place: Place) -> Option<CallBody> {
        self.leave_lane(place);
        self.ready.remove(&place);
        let call = self.calls.remove(&place)?;
        if let Some(at) = call.retry_at {
            self.retries.remove(&(at, place));
        }
        Some(call.body)
    }

    /// The request at `place` is to be sent again as soon as may be.
    pub(crate) fn requeue(&mut self, place: Place) {
        if self.calls.contains_key(&place) {
            self.ready.insert(place);
        }
    }

    /// The token was not accepted for the request at `place`: it is sent with the next one,
    /// unless that was so too often, or nobody waits for it any more.
    pub(crate) fn reject(&mut self, place: Place) -> Result<(), GivenUp> {
        let call = self.calls.get_mut(&place).ok_or(GivenUp)?;
        call.rejections += 1;
        if call.rejections >= MAX_REJECTIONS {
            return Err(GivenUp);
        }
        self.ready.insert(place);
        Ok(())
    }

    /// The server is too busy for the request at `place`, or failed: it is tried again later,
    /// unless it failed too often, or nobody waits for it any more.
    pub(crate) fn retry_later(
        &mut self,
        now: Timestamp,
        place: Place,
        failed: bool,
        rng: &mut Rng,
    ) -> Result<(), GivenUp> {
        let call = self.calls.get_mut(&place).ok_or(GivenUp)?;
        call.failures += u32::from(failed);
        if call.failures >= MAX_FAILURES {
            return Err(GivenUp);
        }
        let at = now + call.retry.next_delay(rng);
        call.retry_at = Some(at);
        self.retries.insert((at, place));
        if let Some(conversation) = call.body.lane().cloned() {
            self.lanes
                .entry(conversation)
                .or_default()
                .retrying
                .insert(place);
        }
        Ok(())
    }

    /// The connection is gone. What was in flight, at `places`, goes again in its first order.
    pub(crate) fn handle_lost(&mut self, places: impl Iterator<Item = Place>) {
        self.flush = None;
        for place in places {
            self.requeue(place);
        }
    }

    /// The connection is gone because of a frame that was too large, perhaps the answer to one of
    /// `places`. What was in flight at two such losses is given up.
    pub(crate) fn count_large_loss(&mut self, places: impl Iterator<Item = Place>) -> Vec<Place> {
        let mut given_up = Vec::new();
        for place in places {
            let Some(call) = self.calls.get_mut(&place) else {
                continue;
            };
            call.large_losses += 1;
            if call.large_losses >= MAX_LARGE_LOSSES {
                given_up.push(place);
            }
        }
        given_up
    }

    /// Gives back the memory of what is empty.
    pub(crate) fn give_back(&mut self) {
        self.calls.give_back();
        self.reads.give_back();
        self.ready.give_back();
        self.retries.give_back();
        self.lanes.give_back();
    }

    /// The session is over: nothing is to be sent any more.
    pub(crate) fn end(&mut self) {
        *self = Self::new(self.pacing.clone());
    }
}

/// What has its turn.
pub(crate) enum Turn {
    /// A request is to be sent.
    Send(Place, Request),
    /// Something is to be read for a request.
    Read(Place, RequestId, Get),
}

/// A call that is not tried again.
pub(crate) struct GivenUp;
