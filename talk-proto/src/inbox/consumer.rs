//! An open inbox.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::context::{InboxCx, Senders};
use super::conversation::{Conversation, Upcoming, UpcomingState};
use super::delivery::{DeliveryId, InboxEvent, InboxId};
use super::feeds::Feeds;
use super::options::InboxOptions;
use super::position::Position;
use super::quarantine::Quarantine;
use super::record::{self, Saved, Start};
use super::scan_state::{BEGINNING, Scan};
use crate::error::RequestError;
use crate::filter::ConversationFilter;
use crate::live::interface::ReadToken;
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot, MessageType, UserId};
use crate::storage::{BatchId, versioned};
use crate::timestamp::Timestamp;

/// The purpose of a read.
pub(super) enum Purpose {
    /// A page of the list.
    Scan,
    Conversation(ConversationId),
    Messages(ConversationId),
    /// The subscription to the messages of a conversation.
    Subscribe(ConversationId),
}

/// The state of an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The start is unknown or not stored yet.
    Opening(Option<BatchId>),
    Open,
    /// The last acknowledgements are being stored.
    Closing,
}

/// The time after which a suspect is delivered, even if there are other messages.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// An open inbox.
pub(super) struct Consumer {
    pub(super) id: InboxId,
    pub(super) name: String,
    pub(super) me: UserId,
    pub(super) options: InboxOptions,
    filter: Option<ConversationFilter>,
    pub(super) stage: Stage,
    /// Set if a later inbox of the same name has taken the positions.
    pub(super) is_superseded: bool,
    pub(super) start: Option<Start>,
    pub(super) scan: Scan,
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    /// Conversations whose positions have changed since they were encoded for a batch.
    unsaved: BTreeSet<ConversationId>,
    /// Conversations to be advanced, in order.
    pub(super) turns: VecDeque<ConversationId>,
    /// Conversations that wait until a read is answered.
    pub(super) waiting_for_read: VecDeque<ConversationId>,
    /// Conversations that wait until a delivery is acknowledged.
    pub(super) waiting_for_ack: VecDeque<ConversationId>,
    /// Conversations whose next message is delivered alone, those that were out at the fewest
    /// unclean ends first, and the time since which one waits.
    pub(super) waiting_for_quiet: BTreeSet<(usize, ConversationId)>,
    pub(super) waits_since: Option<Timestamp>,
    pub(super) quarantine: Quarantine,
    /// Conversations whose next delivery is recorded first.
    pub(super) recording: BTreeSet<ConversationId>,
    /// Set while a suspect is out.
    pub(super) is_alone: bool,
    /// Conversations whose reads failed, by the time of the next attempt.
    pub(super) delayed: BTreeSet<(Timestamp, ConversationId)>,
    pub(super) reads: BTreeMap<ReadToken, Purpose>,
    pub(super) feeds: Feeds,
    /// Conversations with messages in memory.
    pub(super) loaded: BTreeSet<ConversationId>,
    pub(super) lookups: BTreeMap<u64, ConversationId>,
    /// The number of deliveries without a stored acknowledgement, plus the upcoming ones.
    pub(super) out: usize,
    /// Set if a waiting conversation may be able to continue.
    pub(super) has_freed: bool,
    /// The newest known server time.
    pub(super) latest: Timestamp,
    /// The number of conversations that only the regular scan found.
    pub(super) missed: u64,
    /// The error that ends the inbox.
    pub(super) failure: Option<RequestError>,
}

impl Consumer {
    pub(super) fn new(
        id: InboxId,
        name: &str,
        me: UserId,
        options: InboxOptions,
        saved: Saved,
        cx: &mut InboxCx,
    ) -> Self {
        let restored = saved.positions.into_iter();
        let restored = restored.map(|(id, position)| {
            let mut conversation = Conversation::restore(position);
            // The positions of an earlier inbox of the session may be newer than their records.
            conversation.is_saved_behind &= saved.is_stored;
            (id, conversation)
        });
        let conversations: BTreeMap<_, _> = restored.collect();
        let positions = conversations.values().map(|it| it.position.from);
        let filter = options.filter.as_ref().map(ConversationFilter::normalized);
        let mut inbox = Self {
            id,
            name: name.to_owned(),
            me,
            filter,
            options,
            stage: Stage::Opening(None),
            is_superseded: false,
            start: saved.start,
            scan: Scan::new(cx.now),
            latest: positions.max().unwrap_or(BEGINNING),
            conversations,
            unsaved: BTreeSet::new(),
            turns: VecDeque::new(),
            waiting_for_read: VecDeque::new(),
            waiting_for_ack: VecDeque::new(),
            waiting_for_quiet: BTreeSet::new(),
            waits_since: None,
            quarantine: Quarantine::new(saved.run, cx.now),
            recording: BTreeSet::new(),
            is_alone: false,
            delayed: BTreeSet::new(),
            reads: BTreeMap::new(),
            feeds: Feeds::default(),
            loaded: BTreeSet::new(),
            lookups: BTreeMap::new(),
            out: 0,
            has_freed: false,
            missed: 0,
            failure: None,
        };
        // An earlier inbox of the session may have ended before its start was stored.
        let unstored = (!saved.is_stored).then(|| inbox.save_start(cx)).flatten();
        match unstored {
            Some(batch) => inbox.stage = Stage::Opening(Some(batch)),
            None if inbox.start.is_some() => inbox.set_open(cx),
            None => {}
        }
        inbox
    }

    pub(super) fn set_open(&mut self, cx: &mut InboxCx) {
        self.stage = Stage::Open;
        cx.emit(self.id, InboxEvent::Opened);
    }

    /// Returns `true` if the inbox consumes the conversation.
    pub(super) fn is_in_scope(&self, conversation: &ConversationId) -> bool {
        let scope = self.options.conversation.as_ref();
        scope.is_none_or(|scope| scope == conversation)
    }

    pub(super) fn matches(&self, conversation: &ConversationSnapshot) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| filter.matches(&conversation.into()) == Some(true))
    }

    /// Returns `true` if the options select the message for delivery.
    pub(super) fn is_wanted(&self, message: &MessageSnapshot) -> bool {
        let is_system = message.message_type == MessageType::SystemMessage;
        let is_own = message.sender_id.as_ref() == Some(&self.me);
        (self.options.system || !is_system) && (self.options.own || !is_own)
    }

    /// Returns the largest number of deliveries of one conversation.
    pub(super) fn share(&self) -> usize {
        let options = &self.options;
        let all = options.max_unacked.max(1);
        match (options.max_per_conversation, &options.conversation) {
            (Some(share), _) => share.clamp(1, all),
            (None, Some(_)) => all,
            (None, None) => (all / 4).max(1),
        }
    }

    /// Returns `true` if another message can be delivered.
    pub(super) fn has_room(&self) -> bool {
        !self.is_alone && self.out < self.options.max_unacked.max(1)
    }

    /// Returns `true` if a suspect has waited for long, so that no other message is delivered
    /// before it.
    pub(super) fn is_draining(&self, now: Timestamp) -> bool {
        let since = self.waits_since;
        since.is_some_and(|since| now.saturating_since(since) >= MAX_WAIT)
    }

    /// Returns `true` if a suspect can be delivered.
    pub(super) fn is_quiet(&self, now: Timestamp) -> bool {
        let has_others = !self.turns.is_empty()
            || !self.waiting_for_read.is_empty()
            || !self.waiting_for_ack.is_empty()
            || !self.reads.is_empty()
            || self.scan.is_running();
        self.out == 0 && (!has_others || self.is_draining(now))
    }

    /// Returns the position of a conversation without a record.
    pub(super) fn first_position(&self, start: Start, joined_at: Timestamp) -> Position {
        Position::before(if joined_at <= start.began {
            start.from
        } else if self.options.history_on_join {
            BEGINNING
        } else {
            start.from.max(joined_at)
        })
    }

    /// Queues a conversation to be advanced.
    pub(super) fn enqueue(&mut self, id: &ConversationId) {
        if let Some(conversation) = self.conversations.get_mut(id)
            && !std::mem::replace(&mut conversation.is_queued, true)
        {
            self.turns.push_back(id.clone());
        }
    }

    /// Queues all conversations with undelivered messages.
    pub(super) fn enqueue_behind(&mut self) {
        for (id, conversation) in &mut self.conversations {
            if conversation.is_behind && !std::mem::replace(&mut conversation.is_queued, true) {
                self.turns.push_back(id.clone());
            }
        }
    }

    /// Stores the position of a conversation with the next batch. Returns the batch.
    pub(super) fn save(&mut self, id: &ConversationId, cx: &InboxCx) -> Option<BatchId> {
        let conversation = self.conversations.get_mut(id)?;
        conversation.is_saved_behind = conversation.is_unfinished();
        let batch = cx.next_batch()?;
        if !self.unsaved.contains(id) {
            self.unsaved.insert(id.clone());
        }
        Some(batch)
    }

    /// Encodes the changed positions for the next batch.
    pub(super) fn save_positions(&mut self, cx: &mut InboxCx) {
        for id in std::mem::take(&mut self.unsaved) {
            if let Some(conversation) = self.conversations.get_mut(&id) {
                conversation.is_saved_behind = conversation.is_unfinished();
                let key = record::position_key(&self.name, &id);
                cx.put(key, versioned::encode(&conversation.save()));
            }
        }
    }

    /// Stores the start and the low-water mark. Returns the batch.
    pub(super) fn save_start(&self, cx: &mut InboxCx) -> Option<BatchId> {
        let start = self.start?;
        cx.put(record::start_key(&self.name), versioned::encode(&start))
    }

    /// Acknowledges a delivery.
    pub(super) fn ack(&mut self, id: &ConversationId, delivery: DeliveryId, cx: &mut InboxCx) {
        if let Some(conversation) = self.conversations.get_mut(id) {
            if let Some(message) = conversation.find(delivery) {
                self.quarantine.note_ack(&message.message);
            }
            conversation.ack(delivery);
        }
        match self.save(id, cx) {
            Some(batch) => {
                let unstored = cx.unstored.entry(batch).or_default();
                unstored.push((delivery, self.id));
            }
            None => self.report_acked(delivery, cx),
        }
        self.enqueue(id);
    }

    /// Reports that an acknowledgement is stored.
    pub(super) fn report_acked(&mut self, delivery: DeliveryId, cx: &mut InboxCx) {
        self.out = self.out.saturating_sub(1);
        cx.emit(self.id, InboxEvent::Acked { delivery });
    }

    /// Discards the undelivered messages of a conversation from memory. They are read again later.
    pub(super) fn unload(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        self.has_freed |= self.loaded.remove(id);
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        let Some(reading) = &mut conversation.reading else {
            return;
        };
        let is_partial = !reading.queue.is_empty() || !reading.upcoming.is_empty();
        let upcoming = std::mem::take(&mut reading.upcoming);
        reading.queue.clear();
        reading.walk.forget_pages(is_partial);
        self.cancel_upcoming(upcoming, cx);
    }

    /// Ends the reading of a conversation.
    pub(super) fn stop_reading(&mut self, id: &ConversationId, cx: &mut InboxCx) {
        self.unload(id, cx);
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.reading = None;
        }
    }

    fn cancel_upcoming(&mut self, upcoming: VecDeque<Upcoming>, cx: &mut InboxCx) {
        for upcoming in upcoming {
            if let UpcomingState::LookUp(lookup) = upcoming.state {
                self.lookups.remove(&lookup);
                cx.cancel_lookup(lookup);
            }
            if !matches!(upcoming.state, UpcomingState::Skipped) {
                self.out = self.out.saturating_sub(1);
            }
        }
    }

    /// Handles a connection loss: pending reads receive no response, and snapshots may be stale.
    pub(super) fn handle_lost(&mut self, cx: &mut InboxCx) {
        self.reads.clear();
        self.feeds = Feeds::default();
        self.scan.handle_lost(cx.now);
        self.turns.clear();
        self.waiting_for_read.clear();
        self.waiting_for_ack.clear();
        self.waiting_for_quiet.clear();
        self.waits_since = None;
        self.recording.clear();
        self.delayed.clear();
        let mut reading = Vec::new();
        for (id, conversation) in &mut self.conversations {
            conversation.snapshot = None;
            conversation.awaited = None;
            conversation.is_queued = false;
            if conversation.take_missing() {
                conversation.is_behind = true;
                conversation.has_news = true;
            }
            if let Some(active) = &mut conversation.reading {
                active.awaited = None;
                reading.push(id.clone());
            }
        }
        for id in reading {
            self.unload(&id, cx);
        }
    }

    /// Stops all work except storing the last acknowledgements.
    pub(super) fn close(&mut self, cx: &mut InboxCx) {
        if self.stage != Stage::Closing {
            self.quarantine.close();
            self.save_run(cx);
        }
        self.stage = Stage::Closing;
        self.unsubscribe_all(cx);
        self.handle_lost(cx);
    }

    /// Takes the positions for a later inbox of the same name.
    pub(super) fn take_saved(&mut self, cx: &mut InboxCx) -> Saved {
        self.save_positions(cx);
        let positions = std::mem::take(&mut self.conversations).into_iter();
        let placed = positions.filter(|(_, conversation)| conversation.is_placed);
        Saved {
            start: self.start,
            is_stored: false,
            positions: placed.map(|(id, it)| (id, it.save())).collect(),
            run: self.quarantine.take_run(),
            is_unreadable: false,
        }
    }

    /// Performs the work that is due.
    pub(super) fn advance(&mut self, cx: &mut InboxCx, senders: &Senders<'_>) {
        if self.stage == Stage::Closing {
            return;
        }
        if self.is_alone && self.out == 0 {
            self.is_alone = false;
            let has_more = !self.waiting_for_quiet.is_empty();
            self.waits_since = has_more.then_some(cx.now);
        }
        if self.quarantine.release(cx.now) {
            self.end_isolation();
        }
        if !cx.is_subscribed {
            return self.save_run(cx);
        }
        self.advance_scan(cx);
        while let Some((at, _)) = self.delayed.first()
            && *at <= cx.now
            && let Some((_, id)) = self.delayed.pop_first()
        {
            self.check_announced(&id);
            self.enqueue(&id);
        }
        if self.stage == Stage::Open {
            self.advance_reading(cx, senders);
        }
        self.save_run(cx);
    }

    /// Stores the changed records of the run and its deliveries.
    fn save_run(&mut self, cx: &mut InboxCx) {
        let mut batch = None;
        for (message, value) in self.quarantine.take_changes() {
            let key = record::run_key(&self.name, message.as_ref());
            batch = cx.set(key, value);
        }
        self.quarantine.set_batch(batch);
    }

    /// Returns the time at which [`advance`](Self::advance) should be called.
    pub(super) fn poll_timeout(&self, cx: &InboxCx) -> Option<Timestamp> {
        if self.stage == Stage::Closing || !cx.is_subscribed {
            return None;
        }
        let delayed = self.delayed.first().map(|(at, _)| *at);
        let drains_at = self.waits_since.map(|since| since + MAX_WAIT);
        let drains_at = drains_at.filter(|at| *at > cx.now);
        let released_at = self.quarantine.poll_timeout();
        Timestamp::earliest(&[self.scan.poll_timeout(), delayed, drains_at, released_at])
    }
}
