//! The state of one conversation of an inbox.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::delivery::DeliveryId;
use super::position::Position;
use super::record::SavedPosition;
use super::scan_state::Scan;
use super::walk::Walk;
use crate::fault_injection::FaultInjection;
use crate::live::interface::ReadToken;
use crate::model::{ConversationSnapshot, MessageId, MessageSnapshot};
use crate::timestamp::Timestamp;

/// The time after which messages that are not delivered are read again, because they may be
/// deleted.
const FRESH_FOR: Duration = Duration::from_secs(10);

/// The origin of the state of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A page of the list. `is_regular` is set if events should have named all news.
    Scan { is_regular: bool },
    /// The user joined.
    Join,
    /// A read before a delivery.
    Read,
}

/// A delivered message.
pub(super) struct Delivered {
    /// `None` if an earlier run delivered it.
    pub(super) id: Option<DeliveryId>,
    pub(super) time: Timestamp,
    pub(super) message: MessageId,
    pub(super) is_acked: bool,
}

/// A message that is about to be delivered.
pub(super) struct Upcoming {
    pub(super) message: Arc<MessageSnapshot>,
    pub(super) state: UpcomingState,
}

pub(super) enum UpcomingState {
    /// The sender and the quote are being read.
    LookUp(u64),
    /// The message is complete.
    Complete,
    /// The message is not delivered.
    Skipped,
}

/// The reading of unread messages.
pub(super) struct Reading {
    pub(super) walk: Walk,
    /// The page that is being read.
    pub(super) awaited: Option<ReadToken>,
    /// Messages after the position, oldest first.
    pub(super) queue: VecDeque<Arc<MessageSnapshot>>,
    /// The time at which the messages were read.
    pub(super) read_at: Timestamp,
    /// The messages before the queue.
    pub(super) upcoming: VecDeque<Upcoming>,
}

impl Reading {
    pub(super) fn new(is_short: bool) -> Self {
        Self::with(Walk::new(is_short))
    }

    /// Creates a reading of messages that arrive with their events.
    pub(super) fn of_events() -> Self {
        Self::with(Walk::finished())
    }

    fn with(walk: Walk) -> Self {
        Self {
            walk,
            awaited: None,
            queue: VecDeque::new(),
            read_at: Timestamp::default(),
            upcoming: VecDeque::new(),
        }
    }

    /// Returns the messages that are about to be delivered, oldest first.
    fn undelivered(&self) -> impl DoubleEndedIterator<Item = &Arc<MessageSnapshot>> {
        let upcoming = self.upcoming.iter().map(|upcoming| &upcoming.message);
        upcoming.chain(&self.queue)
    }

    /// Returns the newest message that is about to be delivered with its sender and quote.
    pub(super) fn newest_complete(&self) -> Option<&Arc<MessageSnapshot>> {
        let is_complete = |it: &&Upcoming| matches!(it.state, UpcomingState::Complete);
        let newest = self.upcoming.iter().rfind(is_complete);
        newest.map(|newest| &newest.message)
    }

    /// Returns `true` if the messages in memory may be deleted or changed meanwhile.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        now.saturating_since(self.read_at) >= FRESH_FOR
    }

    /// Returns `true` if the message is in memory.
    pub(super) fn holds(&self, message: &MessageId) -> bool {
        self.undelivered().any(|other| other.id == *message) || self.walk.holds(message)
    }
}

/// A conversation of an inbox.
pub(super) struct Conversation {
    /// The position after the acknowledged messages.
    pub(super) position: Position,
    /// The position after the delivered and skipped messages.
    pub(super) frontier: Position,
    /// Set if the position respects the time at which the user joined.
    pub(super) is_placed: bool,
    /// Set if messages after the frontier may exist.
    pub(super) is_behind: bool,
    /// Set if there was news since the newest messages were requested.
    pub(super) has_news: bool,
    /// An event named an own message of this time, which is not worth a read.
    pub(super) accounted: Timestamp,
    /// The time of the newest message that the list has named and whose event did not arrive yet.
    pub(super) announced: Option<Timestamp>,
    /// The state on this connection.
    pub(super) snapshot: Option<Arc<ConversationSnapshot>>,
    /// The read of the conversation itself.
    pub(super) awaited: Option<ReadToken>,
    /// Delivered messages after the position, oldest first.
    pub(super) delivered: VecDeque<Delivered>,
    /// Messages after the frontier that an earlier run has acknowledged.
    pub(super) acked_before: BTreeSet<MessageId>,
    pub(super) reading: Option<Box<Reading>>,
    /// Set if the conversation is in a queue of the inbox.
    pub(super) is_queued: bool,
    /// Set if the record says that there are messages after the position.
    pub(super) is_saved_behind: bool,
}

impl Conversation {
    pub(super) fn new(position: Position, is_placed: bool) -> Self {
        Self {
            frontier: position.clone(),
            position,
            is_placed,
            is_behind: false,
            has_news: false,
            accounted: Timestamp::from_millis(i64::MIN),
            announced: None,
            snapshot: None,
            awaited: None,
            delivered: VecDeque::new(),
            acked_before: BTreeSet::new(),
            reading: None,
            is_queued: false,
            is_saved_behind: false,
        }
    }

    pub(super) fn restore(saved: SavedPosition) -> Self {
        let mut conversation = Self::new(saved.position(), true);
        conversation.is_behind = saved.behind;
        conversation.is_saved_behind = saved.behind;
        conversation.acked_before.extend(saved.acked);
        conversation
    }

    /// Returns the state to store.
    pub(super) fn save(&self) -> SavedPosition {
        let acked = self.delivered.iter().filter(|message| message.is_acked);
        let acked = acked.map(|message| &message.message);
        SavedPosition {
            from: self.position.from,
            seen: self.position.seen.clone(),
            acked: acked.chain(&self.acked_before).cloned().collect(),
            behind: self.is_unfinished() && !FaultInjection::ForgottenBacklog.is_on(),
        }
    }

    /// Returns `true` if the unread messages arrived while the inbox was connected.
    pub(super) fn expects_few(&self, scan: &Scan) -> bool {
        !self.is_saved_behind && scan.is_quiet()
    }

    /// Returns `true` if messages after the position may exist.
    pub(super) fn is_unfinished(&self) -> bool {
        self.is_behind || !self.delivered.is_empty()
    }

    /// Returns `true` if all messages so far are delivered, or in memory.
    pub(super) fn is_current(&self) -> bool {
        let reading = self.reading.as_ref();
        let is_read = reading.map_or(!self.is_behind, |reading| {
            reading.awaited.is_none() && reading.walk.is_finished()
        });
        self.is_placed && !self.has_news && is_read
    }

    /// Returns the time of the newest known message.
    pub(super) fn known_until(&self) -> Timestamp {
        let reading = self.reading.as_ref();
        let newest = reading.and_then(|reading| reading.undelivered().next_back());
        newest.map_or(self.frontier.from, |newest| {
            newest.created_at.max(self.frontier.from)
        })
    }

    /// Returns `true` if the message is behind the frontier, or about to be delivered.
    pub(super) fn has_seen(&self, message: &MessageSnapshot) -> bool {
        let reading = self.reading.as_ref();
        let is_next = |reading: &Reading| {
            let later = reading.undelivered().rev();
            let mut later = later.take_while(|it| it.created_at >= message.created_at);
            later.any(|it| it.id == message.id)
        };
        self.frontier.covers(message) || reading.is_some_and(|reading| is_next(reading))
    }

    /// Returns `true` once if a message that the list has named did not arrive.
    pub(super) fn take_missing(&mut self) -> bool {
        let announced = self.announced.take();
        announced.is_some_and(|time| time > self.known_until())
    }

    /// Sets the position of a conversation whose join is not considered yet.
    pub(super) fn place(&mut self, position: Position) {
        self.frontier = position.clone();
        self.position = position;
        self.is_placed = true;
    }

    /// Passes all messages before a time.
    pub(super) fn raise(&mut self, from: Timestamp) {
        self.frontier.raise(from);
        self.position.raise(from);
    }

    /// Records a delivery.
    pub(super) fn deliver(&mut self, id: DeliveryId, message: &MessageSnapshot) {
        self.pass(Some(id), message, false);
    }

    /// Passes a message that is not delivered.
    pub(super) fn skip(&mut self, message: &MessageSnapshot) {
        let was_acked = self.acked_before.remove(&message.id);
        if was_acked || self.delivered.is_empty() {
            self.pass(None, message, true);
            self.settle();
        } else {
            self.frontier.pass(message.created_at, &message.id);
        }
    }

    fn pass(&mut self, id: Option<DeliveryId>, message: &MessageSnapshot, is_acked: bool) {
        self.frontier.pass(message.created_at, &message.id);
        self.delivered.push_back(Delivered {
            id,
            time: message.created_at,
            message: message.id.clone(),
            is_acked,
        });
    }

    /// Acknowledges a delivery.
    pub(super) fn ack(&mut self, id: DeliveryId) {
        if FaultInjection::AckedTogether.is_on() {
            for message in &mut self.delivered {
                message.is_acked = true;
            }
        }
        let mut delivered = self.delivered.iter_mut();
        if let Some(message) = delivered.find(|message| message.id == Some(id)) {
            message.is_acked = true;
        }
        self.settle();
    }

    /// Moves the position over the acknowledged messages.
    pub(super) fn settle(&mut self) {
        while let Some(first) = self.delivered.pop_front_if(|first| first.is_acked) {
            self.position.pass(first.time, &first.message);
        }
        if self.delivered.is_empty() {
            self.position = self.frontier.clone();
        }
    }

    /// Returns the number of messages that are delivered and not passed, or about to be delivered.
    pub(super) fn load(&self) -> usize {
        let reading = self.reading.as_ref();
        self.delivered.len() + reading.map_or(0, |reading| reading.upcoming.len())
    }

    /// Returns the message of a delivery.
    pub(super) fn find(&self, id: DeliveryId) -> Option<&Delivered> {
        self.delivered.iter().find(|message| message.id == Some(id))
    }
}
