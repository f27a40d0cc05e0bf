//! The internal state of an entry.

use std::sync::Arc;

use super::candidate::Candidate;
use super::entry::{Entry, HeldReason, Stage};
use super::file::{SavedFile, with_files};
use super::options::OnRefusal;
use super::progress::Progress;
use super::record::EntryRecord;
use super::step::Step;
use crate::command::RequestId;
use crate::content::ContentBlock;
use crate::model::EntryId;
use crate::storage::BatchId;

static NO_PROGRESS: Progress = Progress::NONE;

/// An entry. Most of the entries in a long queue wait, so an item is small: the message is only in
/// the visible part, and the progress only in the items that have any.
pub(super) struct Item {
    /// The visible part, with changes that are not published yet.
    pub(super) entry: Arc<Entry>,
    /// `None` for [`Progress::NONE`].
    progress: Option<Box<Progress>>,
    /// The size of the record.
    pub(super) bytes: usize,
    pub(super) on_refusal: OnRefusal,
    /// Set for the reply of an inbox.
    pub(super) is_reply: bool,
    /// Set if the content was parsed from markup.
    pub(super) is_markup: bool,
    /// Set if the entry was published.
    pub(super) is_published: bool,
}

impl Item {
    /// Creates an item from a record of this size.
    pub(super) fn new(record: EntryRecord, is_durable: bool, bytes: usize) -> Self {
        let stage = match (record.held, &record.message) {
            (Some(reason), _) => Stage::Held(reason),
            (None, Some(message)) => Stage::Sent {
                message: message.clone(),
            },
            (None, None) => Stage::Queued,
        };
        let entry = Entry {
            id: record.id,
            conversation: record.conversation,
            content: with_files(&record.blocks, &record.files),
            files: SavedFile::pending(&record.files),
            custom: record.custom,
            referenced: record.referenced,
            created_at: record.created,
            stage,
            durable: is_durable,
            tries: record.tries,
            blocked_by: None,
            message: record.message,
        };
        let progress = Progress {
            files: record.files,
            refused_upload: record.refused_upload,
            renewed: record.renewed,
            key: record.key,
            floor: record.floor,
            first_try: record.first_try,
            unanswered: record.unanswered,
            then: record.then,
            ..Progress::NONE
        };
        Self {
            entry: Arc::new(entry),
            progress: (progress != Progress::NONE).then(|| Box::new(progress)),
            bytes,
            on_refusal: record.on_refusal,
            is_reply: record.is_reply,
            is_markup: record.is_markup,
            is_published: false,
        }
    }

    /// Returns the part of the entry that is stored.
    pub(super) fn record(&self, seq: u64) -> EntryRecord {
        let (entry, progress) = (&self.entry, self.progress());
        EntryRecord {
            id: entry.id.clone(),
            conversation: entry.conversation.clone(),
            seq,
            blocks: self.own_blocks(),
            is_markup: self.is_markup,
            files: progress.files.clone(),
            refused_upload: progress.refused_upload.clone(),
            custom: entry.custom.clone(),
            referenced: entry.referenced.clone(),
            on_refusal: self.on_refusal,
            is_reply: self.is_reply,
            created: entry.created_at,
            renewed: progress.renewed,
            key: progress.key.clone(),
            floor: progress.floor,
            first_try: progress.first_try,
            tries: entry.tries,
            unanswered: progress.unanswered,
            held: entry.held().cloned(),
            message: entry.message.clone(),
            then: progress.then.clone(),
        }
    }

    pub(super) fn progress(&self) -> &Progress {
        self.progress.as_deref().unwrap_or(&NO_PROGRESS)
    }

    pub(super) fn progress_mut(&mut self) -> &mut Progress {
        self.progress.get_or_insert_default()
    }

    /// Returns the visible part for a change, which is published later.
    pub(super) fn entry_mut(&mut self) -> &mut Entry {
        if self.is_published && self.progress().published.is_none() {
            self.progress_mut().published = Some(Arc::clone(&self.entry));
        }
        Arc::make_mut(&mut self.entry)
    }

    /// Returns the visible part as it was published last.
    pub(super) fn snapshot(&self) -> &Arc<Entry> {
        self.progress().published.as_ref().unwrap_or(&self.entry)
    }

    /// Returns `true` if the server has accepted the message.
    pub(super) fn is_sent(&self) -> bool {
        self.entry.message.is_some()
    }

    pub(super) fn is_held(&self) -> bool {
        self.entry.held().is_some()
    }

    /// Holds the entry.
    pub(super) fn set_held(&mut self, reason: HeldReason) {
        self.entry_mut().stage = Stage::Held(reason);
    }

    /// Ends the hold, and returns its reason.
    pub(super) fn release(&mut self) -> Option<HeldReason> {
        let reason = self.entry.held().cloned()?;
        // The next refresh determines the stage.
        self.entry_mut().stage = Stage::Queued;
        Some(reason)
    }

    /// Returns `true` if the message was never tried, or its only attempt was refused.
    pub(super) fn is_editable(&self) -> bool {
        let is_refused = matches!(self.entry.held(), Some(HeldReason::Refused(_)));
        let progress = self.progress();
        let is_untried = self.entry.tries == 0;
        let is_refused_once = self.entry.tries == 1 && progress.unanswered == 0 && is_refused;
        let is_idle = matches!(progress.step, Step::Idle);
        !self.is_sent() && is_idle && (is_untried || is_refused_once)
    }

    /// Returns `true` if a failure to store the batch holds the entry. A reply and an entry that is
    /// held already are stored again instead.
    pub(super) fn is_held_by_failure(&self, batch: BatchId) -> bool {
        let progress = self.progress();
        let is_waiting = matches!(progress.step, Step::Idle | Step::Recording);
        let is_held = progress.batch == Some(batch) && !self.is_held();
        is_held && is_waiting && !self.is_sent() && !self.is_reply
    }

    /// Returns `true` for a held reply. It waits for a decision of the user, which a bot may never
    /// make, so it does not count towards the caps.
    pub(super) fn is_held_reply(&self) -> bool {
        self.is_reply && self.is_held() && !self.is_sent()
    }

    /// Returns the size that counts towards the cap.
    pub(super) fn counted_bytes(&self) -> usize {
        match self.is_sent() || self.is_held_reply() {
            true => 0,
            false => self.bytes,
        }
    }

    /// Returns the idempotency key.
    pub(super) fn key(&self) -> &EntryId {
        self.progress().key.as_ref().unwrap_or(&self.entry.id)
    }

    /// Replaces the message by that of a record. The entry was never tried with this message.
    pub(super) fn set_message(&mut self, record: EntryRecord) {
        self.is_markup = record.is_markup;
        let entry = self.entry_mut();
        entry.content = with_files(&record.blocks, &record.files);
        entry.files = SavedFile::pending(&record.files);
        entry.custom = record.custom;
        entry.referenced = record.referenced;
        self.progress_mut().files = record.files;
        self.restart_tries();
    }

    /// Resets the entry to the state before its first attempt.
    pub(super) fn restart_tries(&mut self) {
        self.release();
        self.entry_mut().tries = 0;
        let progress = self.progress_mut();
        progress.floor = None;
        progress.tried_at = None;
        progress.first_try = None;
        progress.unanswered = 0;
        progress.candidate = None;
    }

    /// Ends the upload of a file.
    pub(super) fn take_upload(&mut self) -> Option<RequestId> {
        self.progress.as_mut()?.upload.take()
    }

    /// Returns `true` if no file has to be uploaded.
    pub(super) fn is_uploaded(&self) -> bool {
        let mut files = self.progress().files.iter();
        files.all(|file| file.token.is_some())
    }

    /// Returns the blocks of the message without those of its files, which follow them.
    fn own_blocks(&self) -> Arc<[ContentBlock]> {
        let content = &self.entry.content;
        let files = self.progress().files.iter();
        let uploaded = files.filter(|file| file.token.is_some()).count();
        let own = content.get(..content.len().saturating_sub(uploaded));
        match own {
            Some(own) if uploaded > 0 => Arc::from(own),
            _ => Arc::clone(content),
        }
    }

    /// Returns the files for a change that is not visible.
    pub(super) fn files_mut(&mut self) -> &mut [SavedFile] {
        let progress = self.progress.as_mut();
        progress.map_or(&mut [], |progress| &mut progress.files)
    }

    /// Changes the files, and the blocks of the uploaded ones.
    pub(super) fn change_files(&mut self, change: impl FnOnce(&mut Vec<SavedFile>)) {
        let own = self.own_blocks();
        let files = &mut self.progress_mut().files;
        change(files);
        let (content, pending) = (with_files(&own, files), SavedFile::pending(files));
        let entry = self.entry_mut();
        entry.content = content;
        entry.files = pending;
    }

    /// Removes the files. The blocks of the uploaded ones remain.
    pub(super) fn remove_files(&mut self) {
        if !self.progress().files.is_empty() {
            self.progress_mut().files = Vec::new();
            self.entry_mut().files = Arc::default();
        }
    }

    /// Returns the form in which the message is recognised, if it was tried and its outcome is
    /// unknown.
    pub(super) fn candidate(&mut self) -> Option<Arc<Candidate>> {
        // An entry whose search found nothing has no message that could arrive.
        if self.is_sent() || self.is_held() || self.progress().unanswered == 0 {
            return None;
        }
        let floor = self.progress().floor?;
        let entry = Arc::clone(&self.entry);
        let progress = self.progress_mut();
        let tried_at = progress.tried_at;
        let new = || Arc::new(Candidate::new(floor, tried_at, &entry));
        let candidate = progress.candidate.get_or_insert_with(new);
        Some(Arc::clone(candidate))
    }

    /// Returns the stage.
    fn stage(&self) -> Stage {
        match (&self.entry.stage, &self.entry.message) {
            (Stage::Held(reason), _) => Stage::Held(reason.clone()),
            (_, Some(message)) => Stage::Sent {
                message: message.clone(),
            },
            _ if self.progress().upload.is_some() => Stage::Uploading,
            _ => match self.progress().step {
                Step::Idle | Step::Recording => Stage::Queued,
                Step::InFlight(_) | Step::Searching(_) => Stage::Sending,
            },
        }
    }

    /// Completes the visible part for a publication. Returns `true` if it changed since the last
    /// one.
    pub(super) fn refresh(&mut self, blocked_by: Option<EntryId>) -> bool {
        let stage = self.stage();
        if stage != self.entry.stage || blocked_by != self.entry.blocked_by {
            let entry = self.entry_mut();
            entry.stage = stage;
            entry.blocked_by = blocked_by;
        }
        let mut has_changed = !std::mem::replace(&mut self.is_published, true);
        if let Some(progress) = &mut self.progress {
            if let Some(published) = progress.published.take() {
                has_changed |= published != self.entry;
            }
            if **progress == Progress::NONE {
                self.progress = None;
            }
        }
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::super::machine::Outbox;
    use crate::outbox::{Enqueue, OutboxOptions};
    use crate::storage::BatchId;
    use crate::timestamp::Timestamp;

    #[test]
    fn item_that_waits_has_no_progress_once_stored() {
        let now = Timestamp::from_millis(1_000);
        let me = "alice".try_into().unwrap();
        let mut outbox = Outbox::new(me, OutboxOptions::default(), now, Some(&[]));
        let room = "room".try_into().unwrap();
        let message = Enqueue::from("Hello!");
        let mut rng = Rng::with_seed(7);
        let queued = outbox.enqueue(now, &mut rng, room, message, usize::MAX);
        queued.unwrap();
        outbox.advance(now, false, |_| None);
        assert!(outbox.items.values().all(|item| item.progress.is_some()));
        outbox.handle_stored(BatchId(1));
        outbox.advance(now, false, |_| None);
        assert!(outbox.items.values().all(|item| item.progress.is_none()));
    }
}
