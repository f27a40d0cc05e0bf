//! The queue of all requests, with one retry policy.
//!
//! Calls and reads are sent in the order in which they were made. Requests of the live half precede
//! them and are not paced. A read sends no request by itself: when all earlier calls were sent, the
//! live half answers it from its stores or with own requests, so that the read sees all earlier
//! writes.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::value::RawValue;

use super::backoff::RetryDelay;
use super::body::CallBody;
use super::entry::{Entry, EntryState, Priority, QueueSlot, Work};
use super::failures::{FailureKey, FailureTable, LossCause};
use super::pacing::Pacer;
use super::pending_calls::{CallPurpose, CallResult, PendingCalls};
use crate::collections::ReleaseMemory;
use crate::command::RequestId;
use crate::error::RequestError;
use crate::fault_injection::FaultInjection;
use crate::live::interface::{FetchId, Get};
use crate::model::{ConversationId, UserId};
use crate::options::Pacing;
use crate::search::results::SearchId;
use crate::timestamp::Timestamp;
use crate::wire::{Method, Request, StatusClass, encode_request, server_error};

/// The number of attempts for a request that the server fails to process.
const MAX_FAILURES: u32 = 10;

/// The state of a call that is cancelled.
pub(crate) struct CancelledCall {
    /// Set if a request of it was sent.
    pub(crate) was_sent: bool,
    /// Set if a repetition has the effect of one call.
    pub(crate) is_idempotent: bool,
}

/// The server's answer to a request.
pub(crate) struct Answer<'a> {
    /// The number of the request on its connection.
    pub(crate) seq: u64,
    pub(crate) status: u16,
    pub(crate) body: Option<&'a RawValue>,
    /// The token that the answer rejects, by the number of the first request that was sent with
    /// it. `None` if the token was replaced before the answer.
    pub(crate) rejected_token: Option<u64>,
}

/// The final answer to a request of the live half.
pub(crate) type LiveAnswer<'a> = (FetchId, Result<Option<&'a RawValue>, RequestError>);

/// The sends of one conversation, while the server failed to process one of them. Later sends are
/// held until that one is answered, so that the order is kept if it must wait again.
#[derive(Default)]
struct Lane {
    retrying: BTreeSet<QueueSlot>,
    held: BTreeSet<QueueSlot>,
}

/// All pending calls, reads and requests of the live half.
pub(crate) struct RequestQueue {
    entries: BTreeMap<QueueSlot, Entry>,
    next_slot: u64,
    /// The batch that calls of this tick may still join.
    open_batch: Option<QueueSlot>,
    ready: BTreeSet<(Priority, QueueSlot)>,
    retries: BTreeSet<(Timestamp, QueueSlot)>,
    /// Subscribe requests that the server failed to process at first.
    retried_subscribes: Vec<QueueSlot>,
    lanes: BTreeMap<ConversationId, Lane>,
    pacer: Pacer,
    failures: FailureTable,
    calls: PendingCalls,
    retry_count: u64,
}

impl RequestQueue {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self {
            entries: BTreeMap::new(),
            next_slot: 0,
            open_batch: None,
            ready: BTreeSet::new(),
            retries: BTreeSet::new(),
            retried_subscribes: Vec::new(),
            lanes: BTreeMap::new(),
            pacer: Pacer::new(pacing),
            failures: FailureTable::default(),
            calls: PendingCalls::default(),
            retry_count: 0,
        }
    }

    /// Returns `true` if no call is pending.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns the number of pending calls, without internal ones.
    pub(crate) fn pending_calls(&self) -> usize {
        self.calls.count()
    }

    /// Returns `true` if a call of the outbox is pending.
    pub(crate) fn has_entries(&self) -> bool {
        self.calls.entries() > 0
    }

    /// Returns the number of requests that were sent more than once.
    pub(crate) fn retry_count(&self) -> u64 {
        self.retry_count
    }

    /// Queues a call that consists of these requests. They join the open batch if possible.
    pub(crate) fn push_call(
        &mut self,
        request: RequestId,
        purpose: CallPurpose,
        bodies: Vec<CallBody>,
    ) {
        let slots = bodies.into_iter().map(|body| self.push_body(body));
        let slots = slots.collect();
        self.calls.insert(request, purpose, slots);
    }

    fn push_body(&mut self, mut body: CallBody) -> QueueSlot {
        if let Some(slot) = self.open_batch
            && let Some(Entry {
                work: Work::Call(batch),
                ..
            }) = self.entries.get_mut(&slot)
        {
            match batch.join(body) {
                Ok(()) => return slot,
                Err(other) => body = other,
            }
        }
        let slot = self.push(Work::Call(body));
        self.open_batch = Some(slot);
        slot
    }

    /// Queues a read. Later calls of this tick do not join an earlier batch.
    pub(crate) fn push_read(&mut self, request: RequestId, get: Get) {
        self.open_batch = None;
        let slot = self.push(Work::Read { request, get });
        self.calls.insert(request, CallPurpose::User, vec![slot]);
    }

    /// Registers a call that the live half resolves without an entry in the queue.
    pub(crate) fn register_live_call(&mut self, request: RequestId, purpose: CallPurpose) {
        self.calls.insert(request, purpose, Vec::new());
    }

    /// Queues a request of the live half. Returns an error if it was involved in too many
    /// losses.
    pub(crate) fn push_live(
        &mut self,
        fetch: FetchId,
        request: Request,
    ) -> Result<(), LiveAnswer<'static>> {
        if !self.failures.is_empty() {
            let key = FailureKey::Live(request.clone());
            if let Some(error) = self.failures.loss_error(&key, true) {
                self.failures.handle_live_failure(&request);
                return Err((fetch, Err(error.into())));
            }
        }
        self.push(Work::Live { fetch, request });
        Ok(())
    }

    /// Forgets the failures of the live half's requests for an entity that it has dropped.
    pub(crate) fn forget_entity(&mut self, path: &str) {
        if !self.failures.is_empty() && !self.has_reads() {
            self.failures.forget_entity(path);
        }
    }

    /// Forgets the failures of the live half's requests for a user that it has dropped.
    pub(crate) fn forget_user(&mut self, user: &UserId) {
        if !self.failures.is_empty() && !self.has_reads() {
            self.failures.forget_user(user);
        }
    }

    /// Returns `true` if there are reads. After a loss, a read may need a dropped entity again.
    fn has_reads(&self) -> bool {
        let mut works = self.entries.values().map(|entry| &entry.work);
        works.any(|work| matches!(work, Work::Read { .. }))
    }

    fn push(&mut self, work: Work) -> QueueSlot {
        let slot = QueueSlot(self.next_slot);
        self.next_slot += 1;
        self.ready.insert((work.priority(), slot));
        let entry = Entry {
            work,
            state: EntryState::Ready,
            delay: RetryDelay::default(),
            failures: 0,
            was_sent: false,
        };
        self.entries.insert(slot, entry);
        slot
    }

    /// Ends the tick. Later calls start a new batch.
    pub(crate) fn close_batch(&mut self) {
        self.open_batch = None;
    }

    /// Starts the first ready entry if it is a read. The caller repeats this before
    /// [`pop`](Self::pop), so that consecutive reads start together and can share requests.
    pub(crate) fn pop_read(&mut self) -> Option<(RequestId, Get)> {
        while let Some(&(Priority::Call, slot)) = self.ready.first()
            && self.hold_behind_retry(slot)
        {}
        let &next = self.ready.first()?;
        let entry = self.entries.get_mut(&next.1)?;
        let Work::Read { request, get } = &entry.work else {
            return None;
        };
        self.ready.remove(&next);
        entry.state = EntryState::Reading;
        Some((*request, get.clone()))
    }

    /// Returns the next request to send with [`encode`](Self::encode).
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<QueueSlot> {
        if let Some(&(priority, slot)) = self.ready.first() {
            if priority == Priority::Call && !self.pacer.admit(now) {
                return None;
            }
            self.ready.remove(&(priority, slot));
            return Some(slot);
        }
        // A single refused call waits for its own delay. Several calls must not be repeated at
        // once.
        if self.retries.len() <= 1 {
            self.pacer.stop();
        }
        None
    }

    /// Returns the frame of a request that is sent with this number.
    pub(crate) fn encode(&mut self, slot: QueueSlot, seq: u64) -> String {
        let Some(entry) = self.entries.get_mut(&slot) else {
            return String::new();
        };
        entry.state = EntryState::Sent(seq);
        entry.was_sent = true;
        match &mut entry.work {
            Work::Call(body) => body.encode(seq),
            Work::Live { request, .. } => encode_request(seq, request),
            Work::Read { .. } => String::new(),
        }
    }

    /// Holds a send while an earlier send to the same conversation is retried. Returns `true` if it
    /// was held.
    fn hold_behind_retry(&mut self, slot: QueueSlot) -> bool {
        let Some(entry) = self.entries.get_mut(&slot) else {
            return false;
        };
        let Some(lane) = entry.work.lane().and_then(|lane| self.lanes.get_mut(lane)) else {
            return false;
        };
        let is_behind = lane.retrying.first().is_some_and(|&first| first < slot);
        if is_behind {
            entry.state = EntryState::Held;
            self.ready.remove(&(Priority::Call, slot));
            lane.held.insert(slot);
        }
        is_behind
    }

    /// Marks due retries as ready. Drops requests of the live half whose answers are not `expected`
    /// any more. Otherwise a SUBSCRIBE could be sent after the UNSUBSCRIBE that ends it.
    pub(crate) fn handle_timeout(&mut self, now: Timestamp, expected: impl Fn(FetchId) -> bool) {
        while let Some(&(at, slot)) = self.retries.first()
            && at <= now
        {
            self.retries.remove(&(at, slot));
            match self.entries.get(&slot).map(|entry| &entry.work) {
                Some(Work::Live { fetch, .. }) if !expected(*fetch) => {
                    self.remove(slot);
                }
                _ => self.make_ready(slot),
            }
        }
    }

    fn make_ready(&mut self, slot: QueueSlot) {
        if let Some(entry) = self.entries.get_mut(&slot) {
            entry.state = EntryState::Ready;
            self.ready.insert((entry.work.priority(), slot));
        }
    }

    /// Returns `true` if a request of the live half is ready to be sent.
    pub(crate) fn has_live_request(&self) -> bool {
        let first = self.ready.first();
        first.is_some_and(|(priority, _)| *priority == Priority::Live)
    }

    /// Returns the time of the next retry or paced request of a ready connection.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let retry = self.retries.first().map(|&(at, _)| at);
        let paced = self
            .pacer
            .next_deadline()
            .filter(|_| !self.ready.is_empty());
        Timestamp::earliest(&[retry, paced])
    }

    /// Handles an answer. Returns it if it is the final answer to a request of the live half.
    pub(crate) fn handle_answer<'a>(
        &mut self,
        now: Timestamp,
        slot: QueueSlot,
        answer: Answer<'a>,
        rng: &mut Rng,
    ) -> Option<LiveAnswer<'a>> {
        let class = StatusClass::of(answer.status);
        match class {
            StatusClass::Done => self.pacer.handle_success(now),
            StatusClass::Busy => self.pacer.handle_busy(now),
            _ => {}
        }
        let entry = self.entries.get_mut(&slot)?;
        entry.failures += u32::from(class == StatusClass::Failed);
        let has_failed = entry.failures >= MAX_FAILURES
            || (class == StatusClass::Failed && !entry.work.retries_failures())
            || (class == StatusClass::Busy
                && !entry.work.retries_failures()
                && FaultInjection::OrderLostAfter429.is_on());
        match class {
            StatusClass::Done | StatusClass::Refused => {
                if let Work::Live { request, .. } = &entry.work {
                    if class == StatusClass::Done {
                        self.failures.handle_live_success(request);
                    }
                    if let Some(at) = self.refetch_at(now, slot, answer.seq) {
                        self.schedule(slot, at);
                        return None;
                    }
                }
            }
            StatusClass::Unauthenticated => {
                let key = entry.work.failure_key(slot);
                let is_final = |token| self.failures.count_rejection(key, token);
                if !answer.rejected_token.is_some_and(is_final) {
                    self.retry_count += 1;
                    self.make_ready(slot);
                    return None;
                }
            }
            StatusClass::Busy | StatusClass::Failed if !has_failed => {
                self.retry_count += 1;
                let at = now + entry.delay.next(rng);
                self.retry_later(slot, at);
                return None;
            }
            StatusClass::Busy | StatusClass::Failed => {}
        }
        let result = match class {
            StatusClass::Done => Ok(answer.body),
            _ => Err(server_error(answer.status, answer.body).into()),
        };
        self.resolve(slot, result)
    }

    /// Schedules a retry of a request that the server failed to process.
    fn retry_later(&mut self, slot: QueueSlot, at: Timestamp) {
        self.schedule(slot, at);
        match self.entries.get(&slot).map(|entry| &entry.work) {
            Some(Work::Call(body)) => {
                if let Some(lane) = body.lane().cloned() {
                    self.lanes.entry(lane).or_default().retrying.insert(slot);
                }
            }
            Some(Work::Live { request, .. })
                if request.method == Method::Subscribe
                    && !self.retried_subscribes.contains(&slot) =>
            {
                self.retried_subscribes.push(slot);
            }
            _ => {}
        }
    }

    fn schedule(&mut self, slot: QueueSlot, at: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&slot) {
            entry.state = EntryState::Retrying(at);
            self.retries.insert((at, slot));
        }
    }

    /// Returns the time at which to repeat a fetch because the subscribe request of the same path
    /// is processed after request `seq`. Without the repetition, events in between would be missed.
    fn refetch_at(&self, now: Timestamp, slot: QueueSlot, seq: u64) -> Option<Timestamp> {
        let live = |slot: &QueueSlot| {
            let entry = self.entries.get(slot)?;
            match &entry.work {
                Work::Live { request, .. } => Some((entry.state, request)),
                Work::Call(_) | Work::Read { .. } => None,
            }
        };
        let (_, fetch) = live(&slot).filter(|(_, fetch)| fetch.method == Method::Get)?;
        let retried = self.retried_subscribes.iter().filter_map(live);
        let same = retried.filter(|(_, subscribe)| subscribe.path == fetch.path);
        let times = same.filter_map(|(state, _)| match state {
            EntryState::Retrying(at) => Some(at),
            EntryState::Sent(sent) if sent < seq => None,
            _ => Some(now),
        });
        times.max()
    }

    /// Fails a request. Returns the answer for the live half if the request belongs to it.
    pub(crate) fn fail(
        &mut self,
        slot: QueueSlot,
        error: RequestError,
    ) -> Option<LiveAnswer<'static>> {
        self.resolve(slot, Err(error))
    }

    fn resolve<'a>(
        &mut self,
        slot: QueueSlot,
        result: Result<Option<&'a RawValue>, RequestError>,
    ) -> Option<LiveAnswer<'a>> {
        match self.remove(slot)? {
            Work::Live { fetch, .. } => return Some((fetch, result)),
            Work::Call(body) => {
                for (request, result) in body.decode(result) {
                    self.calls.finish(request, result);
                }
            }
            Work::Read { .. } => {}
        }
        None
    }

    /// Returns the next result of a call.
    pub(crate) fn poll_result(&mut self) -> Option<CallResult> {
        self.calls.poll_result()
    }

    /// Removes a call that the live half has resolved. Returns `None` if it was cancelled.
    pub(crate) fn finish_live_call(&mut self, request: RequestId) -> Option<CallPurpose> {
        let call = self.calls.remove(request)?;
        for slot in call.slots {
            self.remove(slot);
        }
        Some(call.purpose)
    }

    /// Returns `true` if the live half performs this call.
    pub(crate) fn is_live_call(&self, request: RequestId) -> bool {
        self.calls.get(request).is_some_and(|call| {
            let entries = call.slots.iter().map(|slot| self.entries.get(slot));
            let mut states = entries.flatten().map(|entry| entry.state);
            call.slots.is_empty() || states.any(|state| state == EntryState::Reading)
        })
    }

    /// Returns the look-ups of a search's page.
    pub(crate) fn lookups_of(&self, id: SearchId) -> Vec<RequestId> {
        self.calls.lookups_of(id)
    }

    /// Returns the lookup with this number of an inbox.
    pub(crate) fn inbox_lookup(&self, lookup: u64) -> Option<RequestId> {
        self.calls.inbox_lookup(lookup)
    }

    /// Records that the live half had sent requests for a read that is queued again.
    pub(crate) fn note_read_sent(&mut self, request: RequestId) {
        let slots = self.calls.get(request).map_or(&[][..], |call| &call.slots);
        for slot in slots {
            if let Some(entry) = self.entries.get_mut(slot) {
                entry.was_sent = true;
            }
        }
    }

    /// Cancels a call. Returns `None` if there is no such call.
    pub(crate) fn cancel(&mut self, request: RequestId) -> Option<CancelledCall> {
        let call = self.calls.remove(request)?;
        let mut is_idempotent = call.purpose == CallPurpose::User;
        let mut was_sent = call.remaining < call.slots.len();
        for slot in call.slots {
            let Some(entry) = self.entries.get_mut(&slot) else {
                continue;
            };
            was_sent |= entry.was_sent;
            let is_over = match &mut entry.work {
                Work::Call(body) => {
                    is_idempotent &= body.is_idempotent();
                    body.cancel(request)
                }
                Work::Live { .. } | Work::Read { .. } => true,
            };
            if is_over {
                self.remove(slot);
            }
        }
        Some(CancelledCall {
            was_sent,
            is_idempotent,
        })
    }

    /// Removes an entry. The sends that it held become ready.
    fn remove(&mut self, slot: QueueSlot) -> Option<Work> {
        let entry = self.entries.remove(&slot)?;
        match entry.state {
            EntryState::Ready => {
                self.ready.remove(&(entry.work.priority(), slot));
            }
            EntryState::Retrying(at) => {
                self.retries.remove(&(at, slot));
            }
            EntryState::Held | EntryState::Sent(_) | EntryState::Reading => {}
        }
        match &entry.work {
            Work::Call(_) => {
                if !self.failures.is_empty() {
                    self.failures.remove(&FailureKey::Call(slot));
                }
            }
            Work::Live { .. } => self.retried_subscribes.retain(|other| *other != slot),
            Work::Read { .. } => {}
        }
        if let Some(name) = entry.work.lane()
            && let Some(lane) = self.lanes.get_mut(name)
        {
            lane.held.remove(&slot);
            let mut released = BTreeSet::new();
            if lane.retrying.remove(&slot) {
                released = std::mem::take(&mut lane.held);
            }
            if lane.retrying.is_empty() {
                self.lanes.remove(name);
            }
            for slot in released {
                self.make_ready(slot);
            }
        }
        Some(entry.work)
    }

    /// Handles a connection that became ready.
    pub(crate) fn handle_ready(&mut self, now: Timestamp) {
        self.pacer.start(now);
    }

    /// Handles the loss of the connection: calls in flight are queued again in their order. Returns
    /// the reads that the live half must cancel.
    pub(crate) fn handle_lost(&mut self) -> Vec<RequestId> {
        self.pacer.stop();
        self.failures.handle_lost();
        let sent = self.in_flight(|entry| matches!(entry.work, Work::Call(_)));
        self.retry_count += sent.len() as u64;
        for slot in sent {
            self.make_ready(slot);
        }
        self.restart_live()
    }

    /// Drops the requests of the live half, which repeats them, and queues its reads again. Returns
    /// the reads that the live half must cancel.
    pub(crate) fn restart_live(&mut self) -> Vec<RequestId> {
        let mut reads = Vec::new();
        let mut slots = Vec::new();
        for (&slot, entry) in &self.entries {
            match &entry.work {
                Work::Live { .. } => slots.push(slot),
                Work::Read { request, .. } if entry.state == EntryState::Reading => {
                    reads.push((slot, *request));
                }
                Work::Call(_) | Work::Read { .. } => {}
            }
        }
        for slot in slots {
            self.remove(slot);
        }
        let restart = reads.into_iter().map(|(slot, request)| {
            self.make_ready(slot);
            request
        });
        restart.collect()
    }

    /// Handles the cause of a loss, before [`handle_lost`](Self::handle_lost). Requests of the live
    /// half whose answers are not `expected` have no failures.
    pub(crate) fn handle_loss_cause(
        &mut self,
        cause: LossCause,
        expected: impl Fn(FetchId) -> bool,
    ) {
        let slots = match &cause {
            LossCause::Other => return,
            LossCause::LargeFrame => self.in_flight(|entry| match &entry.work {
                Work::Call(_) => true,
                Work::Live { request, .. } => request.method == Method::Get,
                Work::Read { .. } => false,
            }),
            LossCause::Unanswered(slots) => slots.clone(),
        };
        let keys = slots.iter().filter_map(|slot| {
            let entry = self.entries.get(slot)?;
            match &entry.work {
                Work::Live { fetch, .. } if !expected(*fetch) => None,
                work => Some(work.failure_key(*slot)),
            }
        });
        self.failures.count_loss(&cause, keys.collect());
        for slot in slots {
            if let Some(Work::Call(body)) = self.entries.get(&slot).map(|entry| &entry.work)
                && let Some(error) = self
                    .failures
                    .loss_error(&FailureKey::Call(slot), body.is_idempotent())
            {
                self.fail(slot, error.into());
            }
        }
    }

    fn in_flight(&self, is_wanted: impl Fn(&Entry) -> bool) -> Vec<QueueSlot> {
        let entries = self.entries.iter();
        let sent = entries.filter(|(_, entry)| matches!(entry.state, EntryState::Sent(_)));
        let wanted = sent.filter(|(_, entry)| is_wanted(entry));
        wanted.map(|(slot, _)| *slot).collect()
    }

    /// Releases the memory of empty collections.
    pub(crate) fn release_memory(&mut self) {
        self.entries.release_memory();
        self.ready.release_memory();
        self.retries.release_memory();
        self.retried_subscribes.release_memory();
        self.lanes.release_memory();
        self.failures.release_memory();
        self.calls.release_memory();
    }

    /// Ends the session. Returns the calls that the live half does not resolve.
    pub(crate) fn end(&mut self) -> Vec<(RequestId, CallPurpose)> {
        let mut ended = Vec::new();
        for request in self.calls.requests() {
            if !self.is_live_call(request)
                && let Some(call) = self.calls.remove(request)
            {
                ended.push((request, call.purpose));
            }
        }
        self.entries.clear();
        self.ready.clear();
        self.retries.clear();
        self.lanes.clear();
        ended
    }
}
