//! Attempts to send entries, and their results.

use std::sync::Arc;
use std::time::Duration;

use super::content::{Content, FollowUp, OutgoingEntry};
use super::entry::{HeldReason, Reference};
use super::item::Item;
use super::machine::{Outbox, OutboxOutput};
use super::options::OnRefusal;
use super::receipts::Receipt;
use super::step::Step;
use crate::command::{Reply, RequestId};
use crate::error::{RequestError, ServerError};
use crate::fault_injection::FaultInjection;
use crate::model::{ConversationId, MessageId};
use crate::timestamp::Timestamp;
use crate::wire::StatusClass;

/// The age from which an entry that was never tried is held.
const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// The number of failed attempts, and the time since the first one, after which an entry is held.
const MAX_FAILURES: u32 = 10;
const MIN_FAILING: Duration = Duration::from_secs(10 * 60);
/// The longest delay between attempts. The first is 1 s, and each further one is twice as long.
const MAX_DELAY: Duration = Duration::from_secs(30);
/// The assumed difference between the clocks of client and server, for a floor without a server
/// time.
const CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);

/// The message that an entry replies to, at the time of an attempt.
enum Resolved {
    Known(Option<MessageId>),
    /// The referenced entry is not sent.
    Unsent(u64),
}

impl Outbox {
    /// Continues the first entry of a conversation, and updates the entries that it blocks.
    pub(super) fn advance_lane(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        server_time: Option<Timestamp>,
    ) {
        let Some(lane) = self.lanes.get_mut(conversation) else {
            return;
        };
        let items = &self.items;
        let is_skipped = |seq: &&u64| {
            items.get(seq).is_none_or(|item| {
                let held = item.entry.held();
                let is_refused = matches!(held, Some(HeldReason::Refused(_)));
                is_refused && item.on_refusal == OnRefusal::Skip
                    || held.is_some() && item.is_reply
                    || held.is_some() && FaultInjection::SkippedHeldHead.is_on()
                    || item.progress().wake_at.is_some()
                        && FaultInjection::OrderLostAfter429.is_on()
            })
        };
        let head = lane.queue.iter().find(|seq| !is_skipped(seq)).copied();
        let is_held = |seq: &u64| {
            let item = self.items.get(seq);
            item.is_some_and(Item::is_held)
        };
        let mut blocker = head.filter(is_held);
        if blocker.is_none()
            && let Some(seq) = head
            && let Some(Resolved::Unsent(other)) = self.resolve_reference(seq)
        {
            blocker = Some(other);
        }
        self.set_blocker(conversation, blocker);
        let head = head.filter(|_| blocker.is_none());
        let is_paused = self.lanes.paused.contains(conversation);
        let is_busy = |item: &Item| !matches!(item.progress().step, Step::Idle);
        let is_busy = head
            .and_then(|seq| self.items.get(&seq))
            .is_some_and(is_busy);
        self.lanes
            .set_runnable(conversation, head.is_some() && (!is_paused || is_busy));
        if let Some(seq) = head.filter(|_| self.is_ready) {
            self.advance_head(now, seq, is_paused, server_time);
        } else if let Some(seq) = head {
            self.withdraw_recorded_try(seq);
        }
    }

    fn set_blocker(&mut self, conversation: &ConversationId, blocker: Option<u64>) {
        if let Some(lane) = self.lanes.get_mut(conversation)
            && lane.blocker != blocker
        {
            lane.blocker = blocker;
            self.changed.extend(&lane.queue);
            self.mark_dirty();
        }
    }

    fn resolve_reference(&self, seq: u64) -> Option<Resolved> {
        let referenced = match self.items.get(&seq)?.entry.referenced.as_ref() {
            None => return Some(Resolved::Known(None)),
            Some(Reference::Message(id)) => return Some(Resolved::Known(Some(id.clone()))),
            Some(Reference::Entry(id)) => id,
        };
        if let Some(&other) = self.ids.get(referenced)
            && let Some(item) = self.items.get(&other)
        {
            let message = item.entry.message.clone();
            return Some(match message {
                Some(message) => Resolved::Known(Some(message)),
                None if other < seq => Resolved::Unsent(other),
                None => Resolved::Known(None),
            });
        }
        let receipt = self.receipts.find(referenced);
        Some(Resolved::Known(
            receipt.map(|receipt| receipt.message.clone()),
        ))
    }

    fn advance_head(
        &mut self,
        now: Timestamp,
        seq: u64,
        is_paused: bool,
        server_time: Option<Timestamp>,
    ) {
        let Some(item) = self.items.get(&seq) else {
            return;
        };
        let progress = item.progress();
        match progress.step {
            Step::InFlight(_) => {}
            Step::Searching(_) if progress.wake_at.is_some() => {}
            Step::Searching(_) => self.fetch_page(seq),
            Step::Recording if progress.batch.is_some() => {}
            Step::Recording => self.send(seq),
            Step::Idle if is_paused || progress.wake_at.is_some() => {}
            Step::Idle => {
                let age = progress.first_try.map(|first| now.saturating_since(first));
                let is_forgotten = age.is_some_and(|age| age >= self.options.key_lifetime);
                if is_stale(now, item) {
                    self.hold(seq, HeldReason::Stale);
                } else if !item.is_uploaded() {
                    // The message is sent after the upload.
                } else if is_forgotten && progress.unanswered > 0 {
                    self.start_search(seq);
                } else {
                    self.record_try(now, seq, server_time, is_forgotten);
                }
            }
        }
    }

    /// Stores an attempt. The message is sent once the record is stored.
    fn record_try(
        &mut self,
        now: Timestamp,
        seq: u64,
        server_time: Option<Timestamp>,
        is_forgotten: bool,
    ) {
        let resolved = self.resolve_reference(seq);
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        let entry = item.entry_mut();
        if let Some(Reference::Entry(_)) = entry.referenced
            && let Some(Resolved::Known(message)) = resolved
        {
            entry.referenced = message.map(Reference::Message);
        }
        entry.tries = entry.tries.saturating_add(1);
        let progress = item.progress_mut();
        if progress.first_try.is_none() || is_forgotten {
            progress.first_try = Some(now);
        }
        if progress.floor.is_none() {
            progress.floor = Some(server_time.unwrap_or(now - CLOCK_SKEW));
            progress.tried_at = Some(now);
        }
        progress.unanswered = progress.unanswered.saturating_add(1);
        progress.step = Step::Recording;
        match item.entry.durable {
            true => self.save_later(seq),
            false => self.save(seq),
        }
        if self.journal.is_none() || FaultInjection::SentUnstored.is_on() {
            self.send(seq);
        }
    }

    fn send(&mut self, seq: u64) {
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        item.progress_mut().step = Step::InFlight(None);
        let entry = &item.entry;
        let message = OutgoingEntry {
            conversation: entry.conversation.clone(),
            content: Content {
                blocks: Arc::clone(&entry.content),
                is_markup: item.is_markup,
            },
            custom: entry.custom.clone(),
            referenced: match &entry.referenced {
                Some(Reference::Message(id)) => Some(id.clone()),
                Some(Reference::Entry(_)) | None => None,
            },
            key: item.key().clone(),
        };
        self.outputs.push_back(OutboxOutput::Send { seq, message });
        self.mark_changed(seq);
    }

    /// Records the call that sends an entry or its follow-up.
    pub(crate) fn set_request(&mut self, seq: u64, request: RequestId) {
        if let Some(item) = self.items.get_mut(&seq) {
            item.progress_mut().step = Step::InFlight(Some(request));
        }
    }

    /// Returns the calls in the request queue, which must be cancelled after a connection loss. The
    /// outbox decides again on the next connection.
    pub(crate) fn in_flight(&self) -> Vec<(u64, RequestId)> {
        let items = self.items.iter();
        let in_flight = items.filter_map(|(seq, item)| match item.progress().step {
            Step::InFlight(Some(request)) => Some((*seq, request)),
            Step::InFlight(None) | Step::Idle | Step::Recording | Step::Searching(_) => None,
        });
        in_flight.collect()
    }

    /// Handles the cancellation of a call after a connection loss.
    pub(crate) fn handle_cancelled(&mut self, seq: u64, was_sent: bool) {
        if !was_sent {
            self.take_back_try(seq);
            self.save(seq);
        }
        if let Some(item) = self.items.get_mut(&seq) {
            item.progress_mut().step = Step::Idle;
            self.lanes.mark_dirty(&item.entry.conversation);
            self.mark_changed(seq);
        }
    }

    /// Takes back an attempt that was recorded and not sent, so that the entry can be edited.
    fn withdraw_recorded_try(&mut self, seq: u64) {
        if let Some(item) = self.items.get(&seq)
            && matches!(item.progress().step, Step::Recording)
        {
            self.take_back_try(seq);
            self.save(seq);
        }
    }

    /// Takes back the last attempt. None of its frames was sent.
    pub(super) fn take_back_try(&mut self, seq: u64) {
        if let Some(item) = self.items.get_mut(&seq)
            && !item.is_sent()
            && matches!(item.progress().step, Step::Recording | Step::InFlight(_))
        {
            item.entry_mut().tries -= 1;
            let is_untried = item.entry.tries == 0;
            let progress = item.progress_mut();
            progress.step = Step::Idle;
            progress.unanswered -= 1;
            if is_untried {
                progress.first_try = None;
                progress.floor = None;
                progress.tried_at = None;
                progress.candidate = None;
            }
        }
    }

    /// Handles the result of a call.
    pub(crate) fn handle_result(
        &mut self,
        now: Timestamp,
        seq: u64,
        result: Result<Reply, RequestError>,
    ) {
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        if !matches!(item.progress().step, Step::InFlight(_)) {
            return;
        }
        let is_follow_up = item.is_sent();
        let progress = item.progress_mut();
        progress.step = Step::Idle;
        let is_deletion = is_follow_up && progress.then == Some(FollowUp::Delete);
        progress.is_deleted = is_deletion && result.is_ok();
        self.mark_changed(seq);
        match result {
            Ok(Reply::Sent(message)) => self.settle(now, seq, message),
            Ok(_) if is_follow_up => self.finish_follow_up(seq),
            Err(RequestError::Server(refused))
                if !matches!(
                    StatusClass::of(refused.status),
                    StatusClass::Failed | StatusClass::Busy
                ) =>
            {
                self.handle_refusal(seq, refused);
            }
            Err(RequestError::Server(failed)) => {
                self.handle_failure(now, seq, HeldReason::Refused(failed.into()));
            }
            Err(RequestError::Session(_)) => {}
            Ok(_) | Err(RequestError::Transport(_)) => {
                self.handle_failure(now, seq, HeldReason::Uncertain);
            }
        }
    }

    fn handle_refusal(&mut self, seq: u64, refused: ServerError) {
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        if item.is_sent() {
            return self.hold(seq, HeldReason::Refused(refused.into()));
        }
        let progress = item.progress_mut();
        progress.unanswered -= 1;
        if progress.unanswered == 0 {
            if refused.status != 400 || !self.upload_again(seq, &refused) {
                self.hold(seq, HeldReason::Refused(refused.into()));
            }
        } else {
            // An earlier attempt may have succeeded.
            self.start_search(seq);
        }
    }

    /// Handles a failure after which the outcome is unknown.
    pub(super) fn handle_failure(&mut self, now: Timestamp, seq: u64, reason: HeldReason) {
        if self.delay(now, seq) {
            self.hold(seq, reason);
        }
    }

    /// Delays the next attempt. Returns `true` if there were too many.
    pub(super) fn delay(&mut self, now: Timestamp, seq: u64) -> bool {
        let Some(item) = self.items.get_mut(&seq) else {
            return false;
        };
        let progress = item.progress_mut();
        if progress.failures == 0 {
            progress.first_failure = now;
        }
        let delay = Duration::from_secs(1 << progress.failures.min(5)).min(MAX_DELAY);
        progress.failures = progress.failures.saturating_add(1);
        let is_failing = now.saturating_since(progress.first_failure) >= MIN_FAILING;
        let is_exhausted = progress.failures >= MAX_FAILURES && is_failing;
        self.set_timer(seq, Some(now + delay));
        self.mark_changed(seq);
        is_exhausted
    }

    /// Holds an entry until the user decides.
    pub(super) fn hold(&mut self, seq: u64, reason: HeldReason) {
        self.set_timer(seq, None);
        self.stop_upload(seq);
        if let Some(item) = self.items.get_mut(&seq) {
            item.set_held(reason);
            let progress = item.progress_mut();
            progress.step = Step::Idle;
            progress.failures = 0;
            self.lanes.mark_dirty(&item.entry.conversation);
            self.save(seq);
        }
    }

    /// Handles the acceptance of a message.
    pub(super) fn settle(&mut self, now: Timestamp, seq: u64, message: MessageId) {
        self.set_timer(seq, None);
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        item.release();
        item.entry_mut().message = Some(message.clone());
        let receipt = Receipt {
            entry: item.entry.id.clone(),
            conversation: item.entry.conversation.clone(),
            message,
            at: now,
        };
        let progress = item.progress_mut();
        progress.step = Step::Idle;
        progress.failures = 0;
        let has_follow_up = progress.then.is_some();
        self.bytes -= item.bytes;
        self.held_replies.remove(&seq);
        self.lanes.dequeue(&receipt.conversation, seq);
        self.lanes.insert_sent(&receipt.conversation, seq);
        self.save_receipt(now, receipt);
        self.remove_files(seq);
        if has_follow_up {
            self.follow_ups.insert(seq);
            self.save(seq);
        } else {
            self.delete_record(seq);
        }
        self.mark_changed(seq);
    }

    /// Sends the change that follows a sent message.
    pub(super) fn send_follow_up(&mut self, seq: u64) {
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        let progress = item.progress();
        let is_due = matches!(progress.step, Step::Idle) && progress.wake_at.is_none();
        if !self.is_ready || !is_due || item.is_held() {
            return;
        }
        let (Some(message), Some(change)) = (&item.entry.message, &progress.then) else {
            return self.finish_follow_up(seq);
        };
        self.outputs.push_back(OutboxOutput::FollowUp {
            seq,
            conversation: item.entry.conversation.clone(),
            message: message.clone(),
            change: change.clone(),
        });
        item.progress_mut().step = Step::InFlight(None);
    }

    /// Ends the wait for a follow-up. The entry leaves.
    pub(super) fn finish_follow_up(&mut self, seq: u64) {
        self.set_timer(seq, None);
        self.follow_ups.remove(&seq);
        if let Some(item) = self.items.get_mut(&seq) {
            item.release();
            item.progress_mut().then = None;
            self.delete_record(seq);
            self.mark_changed(seq);
        }
    }
}

/// Returns `true` if an entry that was never tried is too old to be sent.
pub(super) fn is_stale(now: Timestamp, item: &Item) -> bool {
    let touched = item.progress().renewed.unwrap_or(item.entry.created_at);
    let is_old = now.saturating_since(touched) >= STALE_AFTER;
    item.entry.tries == 0 && is_old && !item.is_reply
}
