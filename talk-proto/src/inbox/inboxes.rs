//! All inboxes of a session.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::consumer::{Consumer, Purpose, Stage};
use super::context::{InboxCx, InboxOutput, Owner, Senders, is_transient};
use super::delivery::{DeliveryId, InboxEvent, InboxId};
use super::options::InboxOptions;
use super::record::{self, Saved};
use crate::command::Reply;
use crate::error::{CommandError, RequestError};
use crate::io::Event;
use crate::live::interface::{InboxAnswer, ReadToken};
use crate::model::{ConversationId, EntryId, MessageId, UserId};
use crate::storage::{BatchId, Changes, Journal, Record};
use crate::timestamp::Timestamp;
use crate::wire::{Page, Published};

/// The largest number of open inboxes.
const MAX_INBOXES: usize = 1_000;
/// The number of replies that are remembered, for repeated ones.
const MAX_REPLIES: usize = 1_000;
/// The delay after a failed subscription to the list.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The message of a delivery.
pub(crate) struct Question {
    /// The name of the inbox.
    pub(crate) inbox: String,
    pub(crate) conversation: ConversationId,
    pub(crate) message: MessageId,
    pub(crate) created_at: Timestamp,
}

impl Question {
    /// Returns the name and time from which the ID of the reply is derived.
    pub(crate) fn key(&self) -> (String, Timestamp) {
        let name = format!("reply of {} to {}", self.inbox, self.message);
        (name, self.created_at)
    }
}

/// The inboxes of one user.
pub(crate) struct Inboxes {
    me: UserId,
    cx: InboxCx,
    /// The state of inboxes that are not open.
    saved: BTreeMap<String, Saved>,
    inboxes: BTreeMap<InboxId, Consumer>,
    /// The last replies, oldest first.
    replies: VecDeque<(DeliveryId, EntryId)>,
    is_ready: bool,
    /// Set if the subscription to the list is requested.
    has_requested: bool,
    /// The time of the next subscription after a failed one.
    retry_at: Option<Timestamp>,
    missed: u64,
    /// Set if an input has arrived since the last call of [`advance`](Self::advance).
    is_dirty: bool,
}

impl Inboxes {
    /// Creates the inboxes. Without `records` the positions live in memory.
    pub(crate) fn new(me: UserId, records: Option<&[Record]>) -> Self {
        let mut cx = InboxCx::new(records.is_some());
        let saved = record::decode_all(records.unwrap_or_default(), |event| {
            let event = Event::Storage(event);
            cx.outputs.push_back(InboxOutput::Event(event));
        });
        Self {
            me,
            cx,
            saved,
            inboxes: BTreeMap::new(),
            replies: VecDeque::new(),
            is_ready: false,
            has_requested: false,
            retry_at: None,
            missed: 0,
            is_dirty: true,
        }
    }

    /// Returns `true` if the store has records of an inbox.
    pub(crate) fn has_records(&self) -> bool {
        !self.saved.is_empty()
    }

    /// Opens an inbox under a new ID.
    ///
    /// # Errors
    /// [`CommandError::EmptyId`], [`CommandError::InboxOpen`], [`CommandError::InboxFilter`],
    /// [`CommandError::InboxUnreadable`], [`CommandError::TooManyInboxes`].
    pub(crate) fn open(
        &mut self,
        now: Timestamp,
        id: InboxId,
        name: &str,
        options: InboxOptions,
    ) -> Result<(), CommandError> {
        options.check(name)?;
        let is_open = |inbox: &Consumer| inbox.name == name && inbox.stage != Stage::Closing;
        if self.inboxes.values().any(is_open) {
            return Err(CommandError::InboxOpen);
        }
        if self.inboxes.len() >= MAX_INBOXES {
            return Err(CommandError::TooManyInboxes { limit: MAX_INBOXES });
        }
        if self
            .saved
            .get(name)
            .is_some_and(|saved| saved.is_unreadable)
        {
            return Err(CommandError::InboxUnreadable);
        }
        self.begin(now);
        let mut closing = self.inboxes.values_mut().rev();
        // A closing inbox only waits until its last acknowledgements are stored.
        let is_latest = |inbox: &&mut Consumer| inbox.name == name && !inbox.is_superseded;
        let saved = match closing.find(is_latest) {
            Some(closing) => {
                closing.is_superseded = true;
                closing.take_saved(&mut self.cx)
            }
            None => self.saved.remove(name).unwrap_or_default(),
        };
        let me = self.me.clone();
        let inbox = Consumer::new(id, name, me, options, saved, &mut self.cx);
        self.inboxes.insert(id, inbox);
        Ok(())
    }

    /// Closes an inbox. Returns `false` if it is not open.
    pub(crate) fn close(&mut self, now: Timestamp, id: InboxId) -> bool {
        self.begin(now);
        let inbox = self.inboxes.get_mut(&id);
        let Some(inbox) = inbox.filter(|inbox| inbox.stage != Stage::Closing) else {
            return false;
        };
        inbox.close(&mut self.cx);
        self.disown(id);
        true
    }

    /// Forgets the deliveries and lookups of an inbox.
    fn disown(&mut self, id: InboxId) {
        self.cx.deliveries.retain(|_, owner| owner.inbox != id);
        self.cx.reads.retain(|_, inbox| *inbox != id);
    }

    /// Acknowledges a delivery. Returns `false` if it is not out.
    pub(crate) fn ack(&mut self, now: Timestamp, delivery: DeliveryId) -> bool {
        self.begin(now);
        let Some(Owner {
            inbox,
            conversation,
        }) = self.cx.deliveries.remove(&delivery)
        else {
            return false;
        };
        if let Some(inbox) = self.inboxes.get_mut(&inbox) {
            inbox.ack(&conversation, delivery, &mut self.cx);
        }
        true
    }

    /// Returns the message of a delivery that is out.
    pub(crate) fn question(&self, delivery: DeliveryId) -> Option<Question> {
        let owner = self.cx.deliveries.get(&delivery)?;
        let inbox = self.inboxes.get(&owner.inbox)?;
        let conversation = inbox.conversations.get(&owner.conversation)?;
        let message = conversation.find(delivery)?;
        Some(Question {
            inbox: inbox.name.clone(),
            conversation: owner.conversation.clone(),
            message: message.message.clone(),
            created_at: message.time,
        })
    }

    /// Returns the reply to a delivery, if it is among the last ones.
    pub(crate) fn reply(&self, delivery: DeliveryId) -> Option<&EntryId> {
        let reply = self.replies.iter().rev().find(|(id, _)| *id == delivery);
        reply.map(|(_, entry)| entry)
    }

    /// Records a reply.
    pub(crate) fn note_reply(&mut self, delivery: DeliveryId, entry: EntryId) {
        self.replies.push_back((delivery, entry));
        if self.replies.len() > MAX_REPLIES {
            self.replies.pop_front();
        }
    }

    fn begin(&mut self, now: Timestamp) {
        self.cx.now = now;
        self.is_dirty = true;
    }

    /// Handles the events of a publish.
    pub(crate) fn handle_events(&mut self, now: Timestamp, events: &[Published]) {
        self.begin(now);
        for inbox in self.inboxes.values_mut() {
            if inbox.stage == Stage::Closing {
                continue;
            }
            for event in events {
                inbox.handle_event(event, &mut self.cx);
            }
        }
    }

    /// Handles the answer to a read.
    pub(crate) fn handle_answer(&mut self, now: Timestamp, token: ReadToken, answer: InboxAnswer) {
        self.begin(now);
        if let InboxAnswer::Subscribed(result) = answer {
            return self.handle_subscribed(result);
        }
        let Some(id) = self.cx.reads.remove(&token) else {
            return;
        };
        let Some(inbox) = self.inboxes.get_mut(&id) else {
            return;
        };
        let Some(purpose) = inbox.reads.remove(&token) else {
            return;
        };
        let cx = &mut self.cx;
        match (purpose, answer) {
            (Purpose::Scan, InboxAnswer::Conversations(page)) => {
                inbox.handle_scan_page(page, cx);
            }
            (Purpose::Scan, InboxAnswer::Conversation(side)) => {
                let page = side.map(|side| Page {
                    data: vec![side],
                    cursor: None,
                });
                inbox.handle_scan_page(page, cx);
            }
            (Purpose::Conversation(id), InboxAnswer::Conversation(side)) => {
                inbox.handle_conversation(&id, token, side, cx);
            }
            (Purpose::Messages(id), InboxAnswer::Messages(page)) => {
                inbox.handle_messages(&id, token, page, cx);
            }
            (Purpose::Subscribe(id), InboxAnswer::MessagesSubscribed(is_subscribed)) => {
                inbox.feeds.handle_answer(&id, token, is_subscribed);
            }
            // The live half answers each read by its kind.
            _ => {}
        }
        self.end_failed();
    }

    fn handle_subscribed(&mut self, result: Result<(), RequestError>) {
        match result {
            Ok(()) => self.cx.is_subscribed = true,
            Err(error) => {
                self.has_requested = false;
                if is_transient(&error) {
                    self.retry_at = Some(self.cx.now + RETRY_AFTER);
                    return;
                }
                for inbox in self.inboxes.values_mut() {
                    inbox.failure = Some(error.clone());
                }
                self.end_failed();
            }
        }
    }

    /// Handles a message whose sender and quote were read.
    pub(crate) fn handle_lookup(
        &mut self,
        now: Timestamp,
        lookup: u64,
        result: Result<Reply, RequestError>,
    ) {
        self.begin(now);
        let inbox = self.cx.lookups.remove(&lookup);
        if let Some(inbox) = inbox.and_then(|inbox| self.inboxes.get_mut(&inbox)) {
            inbox.handle_lookup(lookup, result, &mut self.cx);
        }
    }

    /// Handles a connection loss.
    pub(crate) fn handle_lost(&mut self, now: Timestamp) {
        self.begin(now);
        self.is_ready = false;
        self.has_requested = false;
        self.retry_at = None;
        self.cx.is_subscribed = false;
        self.cx.reads.clear();
        for inbox in self.inboxes.values_mut() {
            inbox.handle_lost(&mut self.cx);
        }
    }

    /// Encodes the changed positions for the next batch.
    pub(crate) fn save_positions(&mut self) {
        for inbox in self.inboxes.values_mut() {
            inbox.save_positions(&mut self.cx);
        }
    }

    /// Returns the changes of records since the last call.
    pub(crate) fn take_changes(&mut self) -> Changes {
        let journal = self.cx.journal.as_mut();
        journal.map(Journal::take).unwrap_or_default()
    }

    /// Sets the batch that will contain later changes.
    pub(crate) fn set_batch(&mut self, batch: BatchId) {
        if let Some(journal) = &mut self.cx.journal {
            journal.set_batch(batch);
        }
    }

    /// Handles a stored batch.
    pub(crate) fn handle_stored(&mut self, now: Timestamp, batch: BatchId) {
        self.begin(now);
        for (delivery, inbox) in self.cx.unstored.remove(&batch).unwrap_or_default() {
            if let Some(inbox) = self.inboxes.get_mut(&inbox) {
                inbox.report_acked(delivery, &mut self.cx);
            }
        }
        for inbox in self.inboxes.values_mut() {
            if inbox.stage == Stage::Opening(Some(batch)) {
                inbox.finish_opening(&mut self.cx);
            }
            inbox.handle_recorded(batch, &mut self.cx);
        }
    }

    /// Handles a batch that was not stored. Its changes are in the next one.
    pub(crate) fn handle_store_failed(&mut self, now: Timestamp, batch: BatchId) {
        self.begin(now);
        let next = BatchId(batch.0 + 1);
        if let Some(acks) = self.cx.unstored.remove(&batch) {
            self.cx.unstored.entry(next).or_default().extend(acks);
        }
        for inbox in self.inboxes.values_mut() {
            if inbox.stage == Stage::Opening(Some(batch)) {
                inbox.stage = Stage::Opening(Some(next));
            }
            inbox.handle_recorded(batch, &mut self.cx);
        }
    }

    /// Performs the work that is due. `senders` returns the known senders of messages.
    pub(crate) fn advance(&mut self, now: Timestamp, is_ready: bool, senders: &Senders<'_>) {
        self.cx.now = now;
        self.is_ready = is_ready;
        self.end_closed();
        let is_wanted = self.needs_connection();
        self.retry_at = self.retry_at.filter(|at| is_wanted && *at > now);
        let is_ready = is_ready && self.retry_at.is_none();
        if is_wanted && is_ready && !self.has_requested {
            self.has_requested = true;
            self.cx.outputs.push_back(InboxOutput::Subscribe);
        } else if !is_wanted && self.has_requested {
            self.has_requested = false;
            self.cx.is_subscribed = false;
            self.cx.outputs.push_back(InboxOutput::Unsubscribe);
        }
        for inbox in self.inboxes.values_mut() {
            inbox.advance(&mut self.cx, senders);
        }
        self.end_failed();
        self.is_dirty = false;
    }

    /// Ends the inboxes whose last acknowledgements are stored.
    fn end_closed(&mut self) {
        let closing = self.inboxes.values();
        let closing = closing.filter(|inbox| inbox.stage == Stage::Closing);
        let closing: Vec<_> = closing.map(|inbox| inbox.id).collect();
        for id in closing {
            let mut unstored = self.cx.unstored.values().flatten();
            if !unstored.any(|(_, inbox)| *inbox == id) {
                self.end_inbox(id, None);
            }
        }
    }

    fn end_failed(&mut self) {
        let failed = self.inboxes.values_mut().filter_map(|inbox| {
            let failure = inbox.failure.take()?;
            Some((inbox.id, failure))
        });
        for (id, failure) in failed.collect::<Vec<_>>() {
            self.end_inbox(id, Some(failure));
        }
    }

    fn end_inbox(&mut self, id: InboxId, error: Option<RequestError>) {
        let Some(mut inbox) = self.inboxes.remove(&id) else {
            return;
        };
        inbox.close(&mut self.cx);
        self.disown(id);
        self.missed += inbox.missed;
        if !inbox.is_superseded {
            let saved = inbox.take_saved(&mut self.cx);
            self.saved.insert(inbox.name, saved);
        }
        self.cx.emit(id, InboxEvent::Ended { error });
    }

    /// Ends all inboxes.
    pub(crate) fn end(&mut self, error: &RequestError) {
        for id in self.inboxes.keys().copied().collect::<Vec<_>>() {
            self.end_inbox(id, Some(error.clone()));
        }
    }

    /// Ends all inboxes and drops their positions, because another session has the store.
    pub(crate) fn leave_store(&mut self, error: &RequestError) {
        self.end(error);
        self.saved.clear();
        self.replies.clear();
        self.cx.unstored.clear();
        self.take_changes();
    }

    /// Continues with the records of a store.
    pub(crate) fn enter_store(&mut self, records: &[Record]) {
        let cx = &mut self.cx;
        self.saved = record::decode_all(records, |event| {
            let event = Event::Storage(event);
            cx.outputs.push_back(InboxOutput::Event(event));
        });
        self.is_dirty = true;
    }

    /// Returns the next output.
    pub(crate) fn poll_output(&mut self) -> Option<InboxOutput> {
        self.cx.outputs.pop_front()
    }

    /// Returns the time at which [`advance`](Self::advance) should be called.
    pub(crate) fn poll_timeout(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_dirty || !self.cx.outputs.is_empty() {
            return Some(now);
        }
        let inboxes = self.inboxes.values();
        let inboxes = inboxes.filter_map(|inbox| inbox.poll_timeout(&self.cx));
        inboxes.chain(self.retry_at).min()
    }

    /// Returns `true` if an inbox needs a connection.
    pub(crate) fn needs_connection(&self) -> bool {
        let mut inboxes = self.inboxes.values();
        inboxes.any(|inbox| inbox.stage != Stage::Closing)
    }

    /// Returns the number of conversations that only the regular scans found.
    pub(crate) fn missed_events(&self) -> u64 {
        let open = self.inboxes.values().map(|inbox| inbox.missed);
        self.missed + open.sum::<u64>()
    }
}
