//! Uploads of the files of entries, which do not wait for the sends of earlier entries.

use std::collections::BTreeSet;

use super::commands::derived_key;
use super::entry::HeldReason;
use super::item::Item;
use super::machine::{Outbox, OutboxOutput};
use super::send::is_stale;
use crate::command::{Reply, RequestId};
use crate::error::{RequestError, ServerError, TransportError};
use crate::model::{ConversationId, EntryId};
use crate::timestamp::Timestamp;
use crate::wire::StatusClass;

/// The largest number of uploads at a time. A conversation has at most one, so that a failing
/// upload delays only its own conversation.
const MAX_UPLOADS: usize = 8;

impl Outbox {
    /// Starts the uploads that can run, oldest first.
    pub(super) fn advance_uploads(&mut self, now: Timestamp) {
        if !self.is_ready || self.with_files.is_empty() {
            return;
        }
        let running = self.with_files.iter().filter_map(|seq| {
            let item = self.items.get(seq)?;
            item.upload.map(|_| item.saved.conversation.clone())
        });
        let mut busy: BTreeSet<ConversationId> = running.collect();
        for seq in self.with_files.clone() {
            if busy.len() >= MAX_UPLOADS {
                break;
            }
            let Some(item) = self.items.get(&seq) else {
                continue;
            };
            let conversation = &item.saved.conversation;
            if busy.contains(conversation) || !self.can_upload(now, item) {
                continue;
            }
            busy.insert(conversation.clone());
            self.start_upload(seq);
        }
    }

    fn can_upload(&self, now: Timestamp, item: &Item) -> bool {
        let saved = &item.saved;
        let is_recorded = item.is_durable || self.journal.is_none();
        let is_waiting = item.wake_at.is_some() || saved.held.is_some();
        is_recorded
            && !is_waiting
            && !is_stale(now, saved)
            && item.blocked_by.is_none()
            && !self.lanes.paused.contains(&saved.conversation)
    }

    fn start_upload(&mut self, seq: u64) {
        let Some(item) = self.items.get(&seq) else {
            return;
        };
        let file = item.saved.files.iter().find(|file| file.token.is_none());
        match file.map(|file| file.file()) {
            Some(Some(file)) => {
                let file = Box::new(file);
                self.outputs.push_back(OutboxOutput::Upload { seq, file });
                self.mark_changed(seq);
            }
            Some(None) => {
                let reason = "the stored bytes of the file are missing".to_owned();
                self.hold_without_source(seq, reason);
            }
            None => {
                self.with_files.remove(&seq);
            }
        }
    }

    /// Records the request that uploads a file of an entry.
    pub(crate) fn set_upload(&mut self, seq: u64, request: RequestId) {
        if let Some(item) = self.items.get_mut(&seq) {
            item.upload = Some(request);
            self.mark_changed(seq);
        }
    }

    /// Cancels the upload of an entry.
    pub(super) fn stop_upload(&mut self, seq: u64) {
        let item = self.items.get_mut(&seq);
        if let Some(request) = item.and_then(|item| item.upload.take()) {
            self.outputs.push_back(OutboxOutput::StopUpload(request));
        }
    }

    /// Handles the result of an upload.
    pub(crate) fn handle_upload(
        &mut self,
        now: Timestamp,
        seq: u64,
        request: RequestId,
        result: Result<Reply, RequestError>,
    ) {
        let item = self.items.get_mut(&seq);
        let Some(item) = item.filter(|item| item.upload == Some(request)) else {
            return;
        };
        item.upload = None;
        match result {
            Ok(Reply::Uploaded { file_token }) => {
                item.failures = 0;
                let mut files = item.saved.files.iter_mut();
                if let Some(file) = files.find(|file| file.token.is_none()) {
                    file.token = Some(file_token);
                }
                if item.saved.is_uploaded() {
                    self.with_files.remove(&seq);
                }
                self.lanes.mark_dirty(&item.saved.conversation);
                // A restart does not upload the file again.
                self.save(seq);
            }
            Err(RequestError::Server(refused)) => match StatusClass::of(refused.status) {
                StatusClass::Refused => self.hold(seq, HeldReason::Refused(refused)),
                StatusClass::Busy => {
                    self.delay(now, seq);
                }
                StatusClass::Done | StatusClass::Unauthenticated | StatusClass::Failed => {
                    self.handle_failure(now, seq, HeldReason::Refused(refused));
                }
            },
            Err(RequestError::Transport(TransportError::Source(reason))) => {
                self.hold_without_source(seq, reason);
            }
            Err(RequestError::Session(_)) => self.mark_changed(seq),
            // A file that is uploaded twice is not visible twice.
            Ok(_)
            | Err(RequestError::Transport(
                TransportError::AnswerLost(_)
                | TransportError::Malformed
                | TransportError::Unanswered { .. },
            )) => self.handle_failure(now, seq, HeldReason::Uncertain),
            Err(RequestError::Transport(_)) => {
                self.delay(now, seq);
            }
        }
    }

    /// Holds an entry whose file cannot be uploaded. If the server has refused its message before,
    /// that refusal is the reason.
    fn hold_without_source(&mut self, seq: u64, reason: String) {
        let refused = self.items.get_mut(&seq);
        let refused = refused.and_then(|item| item.saved.refused_upload.take());
        let reason = refused.unwrap_or(HeldReason::SourceGone(reason));
        self.hold(seq, reason);
    }

    /// Uploads the files of a refused message again, once, because their tokens may have expired.
    /// Returns `false` if the message has no files, or if they were uploaded again before.
    pub(super) fn upload_again(&mut self, seq: u64, refused: &ServerError) -> bool {
        let Some(item) = self.items.get_mut(&seq) else {
            return false;
        };
        let saved = &mut item.saved;
        if saved.files.is_empty() || saved.refused_upload.is_some() {
            return false;
        }
        // The server may have bound the key to the refused content.
        let name = saved.key.as_ref().unwrap_or(&saved.id).as_str();
        let key = derived_key(&self.me, &saved.conversation, name, saved.created);
        saved.key = EntryId::new(key).ok();
        saved.refused_upload = Some(HeldReason::Refused(refused.clone()));
        for file in &mut saved.files {
            file.token = None;
        }
        saved.restart_tries();
        item.forget_candidate();
        self.with_files.insert(seq);
        self.lanes.mark_dirty(&item.saved.conversation);
        self.save(seq);
        true
    }

    /// Removes the files of an entry that no longer needs them. Their tokens remain in the content.
    pub(super) fn remove_files(&mut self, seq: u64) {
        self.stop_upload(seq);
        self.with_files.remove(&seq);
        self.delete_file_records(seq);
        if let Some(item) = self.items.get_mut(&seq) {
            item.saved.blocks = item.saved.all_blocks();
            item.saved.files.clear();
        }
    }
}
