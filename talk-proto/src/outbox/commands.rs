//! The commands of the outbox.

use fastrand::Rng;
use sha2::{Digest, Sha256};

use super::content::{Content, FollowUp};
use super::entry::{HeldReason, Reference};
use super::file::SavedFile;
use super::item::Item;
use super::machine::{Outbox, OutboxOutput};
use super::options::{Enqueue, EntryAction};
use super::record::EntryRecord;
use super::step::Step;
use crate::command::SendMessage;
use crate::content::MarkupSource;
use crate::error::CommandError;
use crate::key::idempotency_key_at;
use crate::model::{ConversationId, Custom, EntryId, UserId};
use crate::storage::versioned;
use crate::timestamp::Timestamp;

impl SendMessage {
    /// Returns the number of bytes that the content and the custom data have in a record of the
    /// outbox.
    pub fn stored_size(&self) -> usize {
        let content = Content::new(self.body.clone(), MarkupSource::Send);
        let mut custom = Custom::default();
        custom.apply(self.custom.clone());
        // Serialisation to a string fails only for maps with keys that are not strings.
        serde_json::to_string(&(content, custom)).map_or(0, |json| json.len())
    }
}

impl Outbox {
    /// Adds a message. Returns the ID of the new entry, or of the known one with the same key.
    ///
    /// # Errors
    /// [`CommandError::UnknownEntry`], [`CommandError::OutboxFull`], [`CommandError::TooLarge`].
    pub(crate) fn enqueue(
        &mut self,
        now: Timestamp,
        rng: &mut Rng,
        conversation: ConversationId,
        enqueue: Enqueue,
        frame_size: usize,
    ) -> Result<EntryId, CommandError> {
        let id = match &enqueue.dedup_key {
            Some((name, at)) => {
                let key = derived_key(&self.me, &conversation, name, *at);
                let id = EntryId::new(key)?;
                // An expired receipt is invisible, so its key is unknown.
                if self.receipts.get(now, &id).is_some() || self.is_taken(&id) {
                    return Ok(id);
                }
                id
            }
            None => self.draw_id(now, rng),
        };
        let SendMessage {
            body,
            custom: patch,
            referenced_message,
        } = enqueue.message;
        let mut custom = Custom::default();
        custom.apply(patch);
        let content = Content::new(body, MarkupSource::Send);
        let seq = self.next_seq;
        let record = EntryRecord {
            id: id.clone(),
            seq,
            blocks: content.blocks,
            is_markup: content.is_markup,
            files: enqueue.files.into_iter().map(SavedFile::from).collect(),
            refused_upload: None,
            custom,
            referenced: match enqueue.reply_to_entry {
                Some(entry) => Some(self.reference(entry, &conversation)?),
                None => referenced_message.map(Reference::Message),
            },
            conversation,
            on_refusal: enqueue.on_refusal,
            is_reply: enqueue.is_reply,
            created: now,
            renewed: None,
            key: None,
            floor: None,
            first_try: None,
            tries: 0,
            unanswered: 0,
            held: None,
            message: None,
            then: None,
        };
        let bytes = self.check_size(&record, 0, frame_size)?;
        if self.counted().0 >= self.options.entries {
            return Err(self.full());
        }
        self.insert(seq, Item::new(record, false, bytes));
        self.save(seq);
        Ok(id)
    }

    /// Returns the size of records that replace others, of which `old` bytes count.
    fn check_size(
        &self,
        record: &EntryRecord,
        old: usize,
        limit: usize,
    ) -> Result<usize, CommandError> {
        let size = versioned::encode(record).len();
        if size > limit {
            return Err(CommandError::TooLarge { size, limit });
        }
        let files = record.files.iter().map(SavedFile::record_bytes);
        let size = size + files.sum::<usize>();
        if self.counted().1.saturating_sub(old) + size > self.options.bytes {
            return Err(self.full());
        }
        Ok(size)
    }

    fn full(&self) -> CommandError {
        CommandError::OutboxFull {
            entries: self.options.entries,
            bytes: self.options.bytes,
        }
    }

    /// Draws an ID that no entry, receipt or unusable record has. IDs sort by the time of their
    /// entries, and those of one moment by their order, because a batch that changes neighbouring
    /// records changes fewer pages of a database.
    fn draw_id(&self, now: Timestamp, rng: &mut Rng) -> EntryId {
        let order = [self.next_seq >> 6, self.next_seq];
        loop {
            let random = std::iter::repeat_with(|| rng.u64(..));
            let bits = order.into_iter().chain(random);
            // A key is never empty.
            if let Ok(id) = EntryId::new(idempotency_key_at(now, bits))
                && !self.is_taken(&id)
                && !self.receipts.contains(&id)
            {
                return id;
            }
        }
    }

    fn is_taken(&self, id: &EntryId) -> bool {
        self.ids.contains_key(id) || self.reserved.contains(id)
    }

    fn reference(
        &self,
        entry: EntryId,
        conversation: &ConversationId,
    ) -> Result<Reference, CommandError> {
        if let Some(receipt) = self.receipts.find(&entry)
            && receipt.conversation == *conversation
        {
            return Ok(Reference::Message(receipt.message.clone()));
        }
        let item = self.ids.get(&entry).and_then(|seq| self.items.get(seq));
        if item.is_some_and(|item| item.entry.conversation == *conversation) {
            return Ok(Reference::Entry(entry));
        }
        Err(CommandError::UnknownEntry)
    }

    /// Performs an action. Returns `false` if the state of the entry does not allow it.
    ///
    /// # Errors
    /// [`CommandError::OutboxFull`] and [`CommandError::TooLarge`] for an edit or a follow-up.
    pub(crate) fn update_entry(
        &mut self,
        now: Timestamp,
        rng: &mut Rng,
        id: &EntryId,
        action: EntryAction,
        frame_size: usize,
    ) -> Result<bool, CommandError> {
        let Some(&seq) = self.ids.get(id) else {
            return Ok(false);
        };
        Ok(match action {
            EntryAction::Retry => self.retry(now, seq),
            EntryAction::Discard => self.discard(seq),
            EntryAction::Cancel => self.is_editable(seq) && self.discard(seq),
            EntryAction::Edit(message) => {
                self.is_editable(seq) && self.edit(now, rng, seq, message, frame_size)?
            }
            EntryAction::EditAfter(edit) => self.set_follow_up(seq, edit.into(), frame_size)?,
            EntryAction::DeleteAfter => self.set_follow_up(seq, FollowUp::Delete, frame_size)?,
        })
    }

    /// Retries all held entries.
    pub(crate) fn retry_all(&mut self, now: Timestamp) {
        let held = self.items.iter();
        let held = held.filter(|(_, item)| item.is_held());
        let held: Vec<u64> = held.map(|(seq, _)| *seq).collect();
        for seq in held {
            self.retry(now, seq);
        }
    }

    /// Pauses or resumes the sends of a conversation.
    pub(crate) fn set_paused(&mut self, conversation: ConversationId, is_paused: bool) {
        self.mark_lane_dirty(&conversation);
        if is_paused {
            self.lanes.paused.insert(conversation);
        } else {
            self.lanes.paused.remove(&conversation);
        }
    }

    fn is_editable(&self, seq: u64) -> bool {
        self.items.get(&seq).is_some_and(Item::is_editable)
    }

    fn retry(&mut self, now: Timestamp, seq: u64) -> bool {
        let Some(item) = self.items.get_mut(&seq) else {
            return false;
        };
        let progress = item.progress();
        let is_idle = matches!(progress.step, Step::Idle | Step::Searching(_));
        let is_delayed = is_idle && progress.wake_at.is_some();
        let held = item.release();
        if held.is_none() && (item.is_sent() || !is_delayed) {
            return false;
        }
        let progress = item.progress_mut();
        progress.failures = 0;
        if held.is_some() {
            progress.renewed = Some(now);
        }
        match held {
            // The user accepts that the message may be sent twice.
            Some(HeldReason::Uncertain) => progress.first_try = None,
            // The tokens of the files may have expired since.
            Some(HeldReason::Refused(_)) => progress.refused_upload = None,
            _ => {}
        }
        self.set_timer(seq, None);
        self.save(seq);
        self.rejoin_lane(seq);
        true
    }

    pub(super) fn discard(&mut self, seq: u64) -> bool {
        let Some(item) = self.items.get(&seq) else {
            return false;
        };
        if item.is_sent() {
            let is_held = item.is_held();
            if is_held {
                self.finish_follow_up(seq);
            }
            return is_held;
        }
        if let Step::InFlight(Some(request)) = item.progress().step {
            self.outputs.push_back(OutboxOutput::Cancel(request));
        }
        let reference = Reference::Entry(item.entry.id.clone());
        let conversation = item.entry.conversation.clone();
        self.remove_files(seq);
        let replies = self.lanes.entries(&conversation).filter(|other| {
            let item = self.items.get(other);
            item.is_some_and(|item| item.entry.referenced.as_ref() == Some(&reference))
        });
        for reply in replies.collect::<Vec<_>>() {
            if let Some(item) = self.items.get_mut(&reply) {
                item.entry_mut().referenced = None;
                self.save(reply);
            }
        }
        self.delete_record(seq);
        self.has_urgent_change = true;
        self.remove(seq);
        true
    }

    fn edit(
        &mut self,
        now: Timestamp,
        rng: &mut Rng,
        seq: u64,
        message: SendMessage,
        frame_size: usize,
    ) -> Result<bool, CommandError> {
        let Some(item) = self.items.get(&seq) else {
            return Ok(false);
        };
        let mut edited = item.record(seq);
        edited.files.clear();
        edited.set_message(message);
        let bytes = self.check_size(&edited, item.counted_bytes(), frame_size)?;
        // The server may have bound the key to the refused content.
        let key = (item.entry.tries > 0).then(|| self.draw_id(now, rng));
        let progress = item.progress();
        let removed_files = progress.removed_files.max(progress.files.len());
        self.remove_files(seq);
        if let Some(item) = self.items.get_mut(&seq) {
            self.bytes = self.bytes - item.bytes + bytes;
            item.bytes = bytes;
            item.set_message(edited);
            let progress = item.progress_mut();
            progress.removed_files = removed_files;
            progress.failures = 0;
            progress.key = key.or(progress.key.take());
            progress.renewed = Some(now);
            self.save(seq);
            self.rejoin_lane(seq);
        }
        Ok(true)
    }

    /// Continues an entry that may have been held.
    fn rejoin_lane(&mut self, seq: u64) {
        if let Some(item) = self.items.get(&seq) {
            self.lanes.mark_dirty(&item.entry.conversation);
            self.mark_dirty();
        }
    }

    fn set_follow_up(
        &mut self,
        seq: u64,
        change: FollowUp,
        frame_size: usize,
    ) -> Result<bool, CommandError> {
        let Some(item) = self.items.get(&seq) else {
            return Ok(false);
        };
        // A change in flight could arrive after this one, and nothing follows a deletion.
        let is_in_flight = !matches!(item.progress().step, Step::Idle);
        if item.is_sent() && (is_in_flight || item.progress().is_deleted) {
            return Ok(false);
        }
        let mut changed = item.record(seq);
        changed.then = Some(change);
        let bytes = self.check_size(&changed, item.counted_bytes(), frame_size)?;
        let Some(item) = self.items.get_mut(&seq) else {
            return Ok(false);
        };
        item.progress_mut().then = changed.then;
        if item.is_sent() {
            item.release();
            self.follow_ups.insert(seq);
            self.stay(seq);
        } else {
            self.bytes = self.bytes - item.bytes + bytes;
            item.bytes = bytes;
        }
        self.save(seq);
        Ok(true)
    }
}

/// Returns the key that belongs to a name: 8 characters for `at`, then 72 bits of a hash.
pub(super) fn derived_key(
    user: &UserId,
    conversation: &ConversationId,
    name: &str,
    at: Timestamp,
) -> String {
    let mut hash = Sha256::new();
    for part in [user.as_str(), conversation.as_str(), name] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.update(at.as_millis().to_be_bytes());
    idempotency_key_at(at, hash.finalize().into_iter().map(u64::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::OutboxOptions;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn outbox() -> Outbox {
        let me = "alice".try_into().unwrap();
        Outbox::new(me, OutboxOptions::default(), NOW, None)
    }

    fn enqueue(outbox: &mut Outbox, rng: &mut Rng) -> EntryId {
        let room = "room".try_into().unwrap();
        let message = Enqueue::from("Hello!");
        let queued = outbox.enqueue(NOW, rng, room, message, usize::MAX);
        queued.unwrap()
    }

    #[test]
    fn enqueue_changes_only_the_echo_of_its_entry() {
        let (mut outbox, mut rng) = (outbox(), Rng::with_seed(7));
        for _ in 0..3 {
            enqueue(&mut outbox, &mut rng);
            outbox.advance(NOW, false, |_| None);
            let outputs = std::iter::from_fn(|| outbox.poll_output());
            let changes = outputs.filter_map(|output| match output {
                OutboxOutput::Echoes { changes, .. } => Some(changes.len()),
                _ => None,
            });
            assert_eq!(changes.sum::<usize>(), 1);
        }
    }

    #[test]
    fn ids_of_one_moment_sort_by_their_order() {
        let (mut outbox, mut rng) = (outbox(), Rng::with_seed(7));
        let ids = std::iter::repeat_with(|| enqueue(&mut outbox, &mut rng));
        assert!(ids.take(100).is_sorted());
    }

    #[test]
    fn derived_key_depends_on_all_parts() {
        let key = |user: &str, conversation: &str, name: &str, at: i64| {
            let (user, conversation) = (user.try_into().unwrap(), conversation.try_into().unwrap());
            derived_key(&user, &conversation, name, Timestamp::from_millis(at))
        };
        let first = key("u", "c", "n", 1);
        assert_eq!(first, key("u", "c", "n", 1));
        assert_eq!(first.len(), 20);
        assert_eq!(&first[..8], "-------0");
        for other in [
            key("uc", "c", "n", 1),
            key("u", "cn", "", 1),
            key("u", "c", "n", 2),
        ] {
            assert_ne!(first, other);
        }
    }
}
