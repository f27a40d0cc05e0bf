//! The state machine of the outbox. It owns no socket, no clock and no store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::content::{FollowUp, OutgoingEntry};
use super::echo::{Echo, EchoChange};
use super::entry::{Entry, HeldReason};
use super::file::{FileRecord, OutboxFile, SavedFile};
use super::item::Item;
use super::lanes::Lanes;
use super::list::EntryList;
use super::options::OutboxOptions;
use super::receipts::{Receipt, Receipts};
use super::record::{self, Restored};
use crate::changes::RemovalReason;
use crate::command::RequestId;
use crate::error::RequestError;
use crate::fault_injection::FaultInjection;
use crate::io::Event;
use crate::model::{ConversationId, EntryId, MessageId, UserId};
use crate::storage::{BatchId, Changes, Journal, Record, versioned};
use crate::timestamp::Timestamp;

/// The time on a ready connection after which a sent entry is removed, even if its message did not
/// become visible.
const LEAVES_AFTER: Duration = Duration::from_secs(10);
/// The largest number of held replies. Above it the oldest ones are discarded.
const MAX_HELD_REPLIES: usize = 100;

/// An effect requested by the outbox.
pub(crate) enum OutboxOutput {
    /// Report an event to the application.
    Event(Event),
    /// Queue the send of an entry.
    Send { seq: u64, message: OutgoingEntry },
    /// Upload a file of an entry.
    Upload { seq: u64, file: Box<OutboxFile> },
    /// Cancel the upload of a file.
    StopUpload(RequestId),
    /// Queue the change of a sent message.
    FollowUp {
        seq: u64,
        conversation: ConversationId,
        message: MessageId,
        change: FollowUp,
    },
    /// Remove a call from the request queue.
    Cancel(RequestId),
    /// Change the entries in the windows of a conversation.
    Echoes {
        conversation: ConversationId,
        changes: Vec<EchoChange>,
    },
    /// Load a page of messages, from the newest one or from a cursor.
    FetchPage {
        seq: u64,
        conversation: ConversationId,
        cursor: Option<String>,
    },
}

/// The entries of one user.
pub(crate) struct Outbox {
    pub(super) me: UserId,
    pub(super) options: OutboxOptions,
    /// `None` if the outbox is kept only in memory.
    pub(super) journal: Option<Journal>,
    /// The entries by their sequence number.
    pub(super) items: BTreeMap<u64, Item>,
    pub(super) ids: BTreeMap<EntryId, u64>,
    /// IDs of unusable records.
    pub(super) reserved: BTreeSet<EntryId>,
    pub(super) next_seq: u64,
    pub(super) lanes: Lanes,
    /// The size of the records of unsent entries.
    pub(super) bytes: usize,
    /// Unsent entries with files that are not uploaded.
    pub(super) with_files: BTreeSet<u64>,
    /// Sent entries with a change to send.
    pub(super) follow_ups: BTreeSet<u64>,
    /// Sent entries that are removed once their message is visible.
    pub(super) leaving: BTreeSet<u64>,
    /// Held replies, which do not count towards the caps.
    pub(super) held_replies: BTreeSet<u64>,
    pub(super) receipts: Receipts,
    /// Set if the changes of records contain others than answers and attempts.
    pub(super) has_urgent_change: bool,
    /// Entries whose record is in a batch that is not stored.
    pub(super) awaiting: BTreeMap<BatchId, BTreeSet<u64>>,
    pub(super) timers: BTreeSet<(Timestamp, u64)>,
    /// Entries whose snapshot may have changed.
    pub(super) changed: BTreeSet<u64>,
    /// The entries of each conversation whose echoes may have changed.
    pub(super) changed_echoes: BTreeMap<ConversationId, BTreeSet<u64>>,
    pub(super) list: EntryList,
    pub(super) is_ready: bool,
    /// The newest server time of an event.
    newest_server_time: Option<Timestamp>,
    pub(super) outputs: VecDeque<OutboxOutput>,
    /// Set if an input has arrived since the last call of [`advance`](Self::advance).
    is_dirty: bool,
    /// Set unless the records are unknown, because another session uses the store.
    pub(super) is_open: bool,
}

impl Outbox {
    /// Creates an outbox. Without `records` it is kept only in memory.
    pub(crate) fn new(
        me: UserId,
        options: OutboxOptions,
        now: Timestamp,
        records: Option<&[Record]>,
    ) -> Self {
        let mut outbox = Self {
            me,
            options,
            journal: records.is_some().then(Journal::default),
            items: BTreeMap::new(),
            ids: BTreeMap::new(),
            reserved: BTreeSet::new(),
            next_seq: 0,
            lanes: Lanes::default(),
            bytes: 0,
            with_files: BTreeSet::new(),
            follow_ups: BTreeSet::new(),
            leaving: BTreeSet::new(),
            held_replies: BTreeSet::new(),
            receipts: Receipts::default(),
            has_urgent_change: false,
            awaiting: BTreeMap::new(),
            timers: BTreeSet::new(),
            changed: BTreeSet::new(),
            changed_echoes: BTreeMap::new(),
            list: EntryList::default(),
            is_ready: false,
            newest_server_time: None,
            outputs: VecDeque::new(),
            is_dirty: true,
            is_open: true,
        };
        outbox.restore(records.unwrap_or_default());
        outbox.evict_receipts(now);
        outbox
    }

    /// Restores the entries and receipts of an earlier run.
    pub(super) fn restore(&mut self, records: &[Record]) {
        let mut entries = Vec::new();
        let mut files = BTreeMap::new();
        for record in records {
            match record::decode(record) {
                None => {}
                Some(Restored::Receipt(receipt)) => self.receipts.insert(receipt),
                Some(Restored::Entry(mut entry)) => {
                    let reasons = [&mut entry.held, &mut entry.refused_upload];
                    for reason in reasons.into_iter().flatten() {
                        if let HeldReason::Refused(refused) = reason {
                            // The reasons may quote the message.
                            Arc::make_mut(refused).mask_json(&record.value);
                        }
                    }
                    if FaultInjection::NewKeyAtRestart.is_on() {
                        entry.key = EntryId::new(format!("{}-", entry.id)).ok();
                    }
                    if FaultInjection::UploadedTwice.is_on() {
                        entry.files.iter_mut().for_each(|file| file.token = None);
                    }
                    entries.push((entry, record.value.len()));
                }
                Some(Restored::File(FileRecord { entry, file, bytes })) => {
                    files.insert((entry, file), bytes);
                }
                Some(Restored::Unusable(id, event)) => {
                    self.reserved.insert(id);
                    self.emit(Event::Storage(event));
                }
            }
        }
        entries.sort_by(|(a, _), (b, _)| (a.seq, a.created, &a.id).cmp(&(b.seq, b.created, &b.id)));
        for (mut entry, mut bytes) in entries {
            for (number, file) in entry.files.iter_mut().enumerate() {
                file.bytes = files.remove(&(entry.id.clone(), number));
                bytes += file.record_bytes();
            }
            // Two processes may have used the same number. The limit leaves room for later ones.
            let seq = entry.seq.min(u64::MAX >> 1).max(self.next_seq);
            self.insert(seq, Item::new(*entry, true, bytes));
        }
    }

    pub(super) fn insert(&mut self, seq: u64, mut item: Item) {
        self.next_seq = seq + 1;
        if let Some(shared) = self.lanes.shared_id(&item.entry.conversation) {
            item.entry_mut().conversation = shared.clone();
        }
        let entry = &item.entry;
        self.ids.insert(entry.id.clone(), seq);
        if item.is_sent() {
            self.lanes.insert_sent(&entry.conversation, seq);
            self.follow_ups.insert(seq);
        } else {
            self.bytes += item.bytes;
            self.lanes.insert(&entry.conversation, seq);
            if !item.is_uploaded() {
                self.with_files.insert(seq);
            }
        }
        self.items.insert(seq, item);
        self.mark_changed(seq);
        self.note_held_reply(seq);
    }

    /// Counts an entry whose state may have changed. Discards the oldest held replies above a cap.
    fn note_held_reply(&mut self, seq: u64) {
        let item = self.items.get(&seq);
        if !item.is_some_and(Item::is_held_reply) {
            self.held_replies.remove(&seq);
            return;
        }
        self.held_replies.insert(seq);
        while self.has_excess_held_replies()
            && let Some(&oldest) = self.held_replies.first()
            && self.discard(oldest)
        {}
    }

    /// Returns `true` if there are too many held replies, or if their files are too large.
    fn has_excess_held_replies(&self) -> bool {
        let held = self.held_replies.iter();
        let held = held.filter_map(|seq| self.items.get(seq));
        let files = held.flat_map(|item| &item.progress().files);
        let bytes: usize = files.map(SavedFile::record_bytes).sum();
        self.held_replies.len() > MAX_HELD_REPLIES || bytes > self.options.bytes
    }

    /// Returns the number and the size of the unsent entries that count towards the caps.
    pub(super) fn counted(&self) -> (usize, usize) {
        let held = self.held_replies.iter();
        let held = held.filter_map(|seq| self.items.get(seq));
        let bytes: usize = held.map(|item| item.bytes).sum();
        let count = self.lanes.len - self.held_replies.len();
        (count, self.bytes.saturating_sub(bytes))
    }

    /// Returns the entry that blocks an unsent entry of a conversation which is not held.
    pub(super) fn blocker_of(&self, conversation: &ConversationId, seq: u64) -> Option<EntryId> {
        let blocker = self.lanes.get(conversation)?.blocker;
        let blocker = blocker.filter(|blocker| *blocker < seq)?;
        Some(self.items.get(&blocker)?.entry.id.clone())
    }

    /// Removes an entry from memory.
    pub(super) fn remove(&mut self, seq: u64) {
        self.set_timer(seq, None);
        let Some(item) = self.items.remove(&seq) else {
            return;
        };
        let entry = &item.entry;
        if !item.is_sent() {
            self.bytes -= item.bytes;
        }
        self.lanes.remove(&entry.conversation, seq);
        self.ids.remove(&entry.id);
        self.held_replies.remove(&seq);
        self.with_files.remove(&seq);
        self.follow_ups.remove(&seq);
        self.leaving.remove(&seq);
        self.list.remove(seq, RemovalReason::Deleted);
        let of_conversation = self.changed_echoes.entry(entry.conversation.clone());
        of_conversation.or_default().insert(seq);
        self.emit(Event::EntryRemoved {
            entry: entry.id.clone(),
            message: entry.message.clone(),
        });
        self.is_dirty = true;
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.outputs.push_back(OutboxOutput::Event(event));
    }

    pub(super) fn mark_changed(&mut self, seq: u64) {
        self.changed.insert(seq);
        self.is_dirty = true;
    }

    pub(super) fn mark_dirty(&mut self) {
        self.is_dirty = true;
    }

    pub(super) fn mark_lane_dirty(&mut self, conversation: &ConversationId) {
        self.lanes.mark_dirty(conversation);
        self.is_dirty = true;
    }

    pub(super) fn set_timer(&mut self, seq: u64, at: Option<Timestamp>) {
        if let Some(item) = self.items.get_mut(&seq)
            && item.progress().wake_at != at
        {
            if let Some(old) = std::mem::replace(&mut item.progress_mut().wake_at, at) {
                self.timers.remove(&(old, seq));
            }
            self.timers.extend(at.map(|at| (at, seq)));
        }
    }

    /// Stores the current state of an entry.
    pub(super) fn save(&mut self, seq: u64) {
        self.has_urgent_change = true;
        self.save_later(seq);
    }

    /// Stores the current state of an entry, together with the answers that are expected soon.
    pub(super) fn save_later(&mut self, seq: u64) {
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        if let Some(journal) = &mut self.journal {
            let entry = item.entry.id.clone();
            for (number, file) in item.files_mut().iter_mut().enumerate() {
                if std::mem::take(&mut file.needs_record)
                    && let Some(bytes) = file.bytes.clone()
                {
                    let record = FileRecord {
                        entry: entry.clone(),
                        file: number,
                        bytes,
                    };
                    let key = record::file_key(&entry, number);
                    journal.put(key, versioned::encode(&record));
                }
            }
            let progress = item.progress();
            for number in progress.files.len()..progress.removed_files {
                journal.delete(record::file_key(&entry, number));
            }
            let key = record::entry_key(&entry);
            let batch = journal.put(key, versioned::encode(&item.record(seq)));
            item.progress_mut().batch = Some(batch);
            self.awaiting.entry(batch).or_default().insert(seq);
        }
        self.mark_changed(seq);
        self.note_held_reply(seq);
    }

    /// Deletes the record of an entry.
    pub(super) fn delete_record(&mut self, seq: u64) {
        if let (Some(journal), Some(item)) = (&mut self.journal, self.items.get_mut(&seq)) {
            let batch = journal.delete(record::entry_key(&item.entry.id));
            item.progress_mut().batch = Some(batch);
            self.awaiting.entry(batch).or_default().insert(seq);
        }
        self.is_dirty = true;
    }

    /// Deletes the records of the files of an entry.
    pub(super) fn delete_file_records(&mut self, seq: u64) {
        if let (Some(journal), Some(item)) = (&mut self.journal, self.items.get(&seq)) {
            let progress = item.progress();
            let files = progress.files.iter().enumerate();
            let stored = files.filter(|(_, file)| file.has_record());
            let stored = stored.map(|(number, _)| number);
            for number in stored.chain(progress.files.len()..progress.removed_files) {
                journal.delete(record::file_key(&item.entry.id, number));
            }
        }
    }

    /// Stores the receipt of a sent entry.
    pub(super) fn save_receipt(&mut self, now: Timestamp, receipt: Receipt) {
        if let Some(journal) = &mut self.journal {
            let key = record::receipt_key(&receipt.entry);
            journal.put(key, versioned::encode(&receipt));
        }
        self.receipts.insert(receipt);
        self.evict_receipts(now);
    }

    /// Deletes the receipts that are not needed any more.
    pub(super) fn evict_receipts(&mut self, now: Timestamp) {
        if !self.receipts.is_eviction_due(now) {
            return;
        }
        // A search would mistake the message of a deleted receipt for that of its entry.
        let items = self.items.values();
        let unanswered = items.filter(|it| !it.is_sent() && it.progress().unanswered > 0);
        let needed = unanswered.map(|item| item.entry.conversation.clone());
        let needed = needed.collect();
        for id in self.receipts.evict(now, &needed) {
            if let Some(journal) = &mut self.journal {
                journal.delete(record::receipt_key(&id));
            }
        }
    }

    /// Returns `true` if the changes since the last call of [`take_changes`](Self::take_changes)
    /// contain others than answers and the next attempts after them.
    pub(crate) fn has_urgent_change(&self) -> bool {
        self.has_urgent_change
    }

    /// Returns the changes of records since the last call.
    pub(crate) fn take_changes(&mut self) -> Changes {
        self.has_urgent_change = false;
        self.journal.as_mut().map(Journal::take).unwrap_or_default()
    }

    /// Sets the batch that will contain later changes.
    pub(crate) fn set_batch(&mut self, batch: BatchId) {
        if let Some(journal) = &mut self.journal {
            journal.set_batch(batch);
        }
    }

    /// Handles a stored batch.
    pub(crate) fn handle_stored(&mut self, batch: BatchId) {
        for seq in self.awaiting.remove(&batch).unwrap_or_default() {
            if let Some(item) = self.items.get_mut(&seq) {
                if !item.entry.durable {
                    item.entry_mut().durable = true;
                }
                if item.progress().batch == Some(batch) {
                    let progress = item.progress_mut();
                    progress.batch = None;
                    progress.removed_files = 0;
                }
                self.lanes.mark_dirty(&item.entry.conversation);
                self.mark_changed(seq);
            }
        }
        self.is_dirty = true;
    }

    /// Returns the keys of the entries that a failure of the batch holds, and of their files. These
    /// records are not stored again.
    pub(crate) fn held_by_failure(&self, batch: BatchId) -> BTreeSet<String> {
        let entries = self.awaiting.get(&batch).into_iter().flatten();
        let items = entries.filter_map(|seq| self.items.get(seq));
        let held = items.filter(|item| item.is_held_by_failure(batch));
        let keys = held.flat_map(|item| {
            let (id, progress) = (&item.entry.id, item.progress());
            let files = 0..progress.removed_files.max(progress.files.len());
            let files = files.map(move |file| record::file_key(id, file));
            files.chain([record::entry_key(id)])
        });
        keys.collect()
    }

    /// Handles a batch that was not stored: its unsent entries are held.
    pub(crate) fn handle_store_failed(&mut self, batch: BatchId, reason: &str) {
        let entries = self.awaiting.remove(&batch).unwrap_or_default();
        let is_held = |seq: &u64| {
            let item = self.items.get(seq);
            item.is_some_and(|item| item.is_held_by_failure(batch))
        };
        let (held, kept): (Vec<u64>, Vec<u64>) = entries.into_iter().partition(is_held);
        // The retained changes are in the next batch.
        let next = BatchId(batch.0 + 1);
        for seq in kept {
            if let Some(item) = self.items.get_mut(&seq) {
                item.progress_mut().batch = Some(next);
                self.awaiting.entry(next).or_default().insert(seq);
            }
        }
        for seq in held {
            self.take_back_try(seq);
            self.stop_upload(seq);
            if let Some(item) = self.items.get_mut(&seq) {
                item.set_held(HeldReason::StoreFailed(reason.into()));
                let progress = item.progress_mut();
                progress.batch = None;
                for file in &mut progress.files {
                    file.needs_record = file.has_record();
                }
                self.lanes.mark_dirty(&item.entry.conversation);
                self.mark_changed(seq);
            }
        }
        self.is_dirty = true;
    }

    /// Records a server time, which orders messages and attempts.
    pub(crate) fn note_server_time(&mut self, time: Timestamp) {
        self.newest_server_time = self.newest_server_time.max(Some(time));
    }

    /// Performs the work that is due. `server_time` returns the time of the newest known message of
    /// a conversation.
    pub(crate) fn advance(
        &mut self,
        now: Timestamp,
        is_ready: bool,
        server_time: impl Fn(&ConversationId) -> Option<Timestamp>,
    ) {
        if self.is_ready != is_ready {
            self.set_ready(now, is_ready);
        }
        while let Some(&(at, seq)) = self.timers.first()
            && at <= now
        {
            self.set_timer(seq, None);
            if self.leaving.contains(&seq) {
                self.remove(seq);
            } else if let Some(item) = self.items.get(&seq) {
                self.lanes.mark_dirty(&item.entry.conversation);
            }
        }
        self.advance_lanes(now, &server_time);
        // The session records a started upload after this call, so a second pass would repeat it.
        self.advance_uploads(now);
        self.advance_lanes(now, &server_time);
        for seq in self.follow_ups.clone() {
            self.send_follow_up(seq);
        }
        self.publish(now);
        self.is_dirty = false;
    }

    fn advance_lanes(
        &mut self,
        now: Timestamp,
        server_time: &impl Fn(&ConversationId) -> Option<Timestamp>,
    ) {
        while let Some(conversation) = self.lanes.dirty.pop_first() {
            let seen = self.newest_server_time.max(server_time(&conversation));
            self.advance_lane(now, &conversation, seen);
        }
    }

    fn set_ready(&mut self, now: Timestamp, is_ready: bool) {
        self.is_ready = is_ready;
        self.lanes.mark_all_dirty();
        let leave_at = is_ready.then(|| now + LEAVES_AFTER);
        for seq in self.leaving.clone() {
            self.set_timer(seq, leave_at);
        }
    }

    /// Publishes the snapshots that have changed.
    fn publish(&mut self, now: Timestamp) {
        for seq in std::mem::take(&mut self.changed) {
            let blocked_by = self.items.get(&seq).and_then(|item| {
                let is_waiting = !item.is_sent() && !item.is_held();
                let conversation = Some(&item.entry.conversation).filter(|_| is_waiting)?;
                self.blocker_of(conversation, seq)
            });
            let Some(item) = self.items.get_mut(&seq) else {
                continue;
            };
            let has_changed = item.refresh(blocked_by);
            let entry = Arc::clone(&item.entry);
            let is_stored = item.progress().batch.is_none();
            let is_over = item.is_sent() && is_stored && !self.follow_ups.contains(&seq);
            // The echo of an unsent entry may differ in its candidate only.
            if has_changed || !item.is_sent() {
                let of_conversation = self.changed_echoes.entry(entry.conversation.clone());
                of_conversation.or_default().insert(seq);
                self.list.show(seq, &entry);
            }
            if has_changed {
                self.emit(Event::EntryChanged(entry));
            }
            if is_over && self.leaving.insert(seq) {
                let leave_at = self.is_ready.then(|| now + LEAVES_AFTER);
                self.set_timer(seq, leave_at);
            }
        }
        self.update_subscriptions();
        for (conversation, entries) in std::mem::take(&mut self.changed_echoes) {
            let mut changes = Vec::with_capacity(entries.len());
            for seq in entries {
                let echo = self.items.get_mut(&seq).map(|item| Echo {
                    entry: Arc::clone(&item.entry),
                    candidate: item.candidate(),
                });
                changes.push((seq, echo));
            }
            self.outputs.push_back(OutboxOutput::Echoes {
                conversation,
                changes,
            });
        }
    }

    /// Keeps a sent entry until its follow-up is sent.
    pub(super) fn stay(&mut self, seq: u64) {
        self.set_timer(seq, None);
        self.leaving.remove(&seq);
    }

    /// Returns the entries that are removed once their message is visible.
    pub(crate) fn leaving(&self) -> Vec<(u64, ConversationId, MessageId)> {
        let items = self.leaving.iter().filter_map(|seq| {
            let entry = &self.items.get(seq)?.entry;
            Some((*seq, entry.conversation.clone(), entry.message.clone()?))
        });
        items.collect()
    }

    /// Removes sent entries whose messages are visible or in no open window.
    pub(crate) fn leave(&mut self, now: Timestamp, entries: impl IntoIterator<Item = u64>) {
        // No other entry depends on them, so their removal needs no further call of `advance`.
        let is_dirty = self.is_dirty;
        entries.into_iter().for_each(|seq| self.remove(seq));
        self.publish(now);
        self.is_dirty = is_dirty;
    }

    /// Returns the next output.
    pub(crate) fn poll_output(&mut self) -> Option<OutboxOutput> {
        self.outputs.pop_front()
    }

    /// Returns the time at which [`advance`](Self::advance) should be called.
    pub(crate) fn poll_timeout(&self, now: Timestamp) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(at, _)| *at);
        let now = (self.is_dirty || !self.outputs.is_empty()).then_some(now);
        Timestamp::earliest(&[timer, now])
    }

    /// Returns `true` if an entry needs a connection.
    pub(crate) fn needs_connection(&self) -> bool {
        self.lanes.runnable > 0
            || self.follow_ups.iter().any(|seq| {
                let item = self.items.get(seq);
                item.is_some_and(|item| !item.is_held())
            })
    }

    /// Returns the entries, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.items.values().map(Item::snapshot)
    }

    /// Returns the entries of a conversation, oldest first.
    pub(crate) fn entries_of(
        &self,
        conversation: &ConversationId,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        let entries = self.lanes.entries(conversation);
        let items = entries.filter_map(|seq| self.items.get(&seq));
        items.map(Item::snapshot)
    }

    /// Returns an entry.
    pub(crate) fn entry(&self, id: &EntryId) -> Option<&Arc<Entry>> {
        let item = self.items.get(self.ids.get(id)?)?;
        Some(item.snapshot())
    }

    /// Returns the receipt of a sent entry.
    pub(crate) fn receipt(&self, now: Timestamp, id: &EntryId) -> Option<&Receipt> {
        self.receipts.get(now, id)
    }

    /// Ends the outbox.
    pub(crate) fn end(&mut self, now: Timestamp, error: &RequestError) {
        self.publish(now);
        self.end_subscriptions(error);
    }
}
