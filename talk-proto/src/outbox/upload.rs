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
            let upload = item.progress().upload;
            upload.map(|_| item.entry.conversation.clone())
        });
        let mut busy: BTreeSet<ConversationId> = running.collect();
        for seq in self.with_files.clone() {
            if busy.len() >= MAX_UPLOADS {
                break;
            }
            let Some(item) = self.items.get(&seq) else {
                continue;
            };
            let conversation = &item.entry.conversation;
            if busy.contains(conversation) || !self.can_upload(now, seq, item) {
                continue;
            }
            busy.insert(conversation.clone());
            self.start_upload(seq);
        }
    }

    fn can_upload(&self, now: Timestamp, seq: u64, item: &Item) -> bool {
        let is_recorded = item.entry.durable || self.journal.is_none();
        let is_waiting = item.progress().wake_at.is_some() || item.is_held();
        is_recorded
            && !is_waiting
            && !is_stale(now, item)
            && self.blocker_of(&item.entry.conversation, seq).is_none()
            && !self.lanes.paused.contains(&item.entry.conversation)
    }

    fn start_upload(&mut self, seq: u64) {
        let Some(item) = self.items.get(&seq) else {
            return;
        };
        let mut files = item.progress().files.iter();
        let file = files.find(|file| file.token.is_none());
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
            item.progress_mut().upload = Some(request);
            self.mark_changed(seq);
        }
    }

    /// Cancels the upload of an entry.
    pub(super) fn stop_upload(&mut self, seq: u64) {
        let item = self.items.get_mut(&seq);
        if let Some(request) = item.and_then(Item::take_upload) {
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
        let Some(item) = item.filter(|item| item.progress().upload == Some(request)) else {
            return;
        };
        item.progress_mut().upload = None;
        match result {
            Ok(Reply::Uploaded { file_token }) => {
                item.progress_mut().failures = 0;
                item.change_files(|files| {
                    let mut files = files.iter_mut();
                    if let Some(file) = files.find(|file| file.token.is_none()) {
                        file.token = Some(file_token);
                    }
                });
                if item.is_uploaded() {
                    self.with_files.remove(&seq);
                }
                self.lanes.mark_dirty(&item.entry.conversation);
                // A restart does not upload the file again.
                self.save(seq);
            }
            Err(RequestError::Server(refused)) => match StatusClass::of(refused.status) {
                StatusClass::Refused => self.hold(seq, HeldReason::Refused(refused.into())),
                StatusClass::Busy => {
                    self.delay(now, seq);
                }
                StatusClass::Done | StatusClass::Unauthenticated | StatusClass::Failed => {
                    self.handle_failure(now, seq, HeldReason::Refused(refused.into()));
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
        let refused = refused.and_then(|item| item.progress_mut().refused_upload.take());
        let reason = refused.unwrap_or(HeldReason::SourceGone(reason.into()));
        self.hold(seq, reason);
    }

    /// Uploads the files of a refused message again, once, because their tokens may have expired.
    /// Returns `false` if the message has no files, or if they were uploaded again before.
    pub(super) fn upload_again(&mut self, seq: u64, refused: &ServerError) -> bool {
        let Some(item) = self.items.get_mut(&seq) else {
            return false;
        };
        if item.progress().files.is_empty() || item.progress().refused_upload.is_some() {
            return false;
        }
        // The server may have bound the key to the refused content.
        let (name, entry) = (item.key().as_str(), &item.entry);
        let key = derived_key(&self.me, &entry.conversation, name, entry.created_at);
        let progress = item.progress_mut();
        progress.key = EntryId::new(key).ok();
        progress.refused_upload = Some(HeldReason::Refused(refused.clone().into()));
        item.change_files(|files| files.iter_mut().for_each(|file| file.token = None));
        item.restart_tries();
        self.with_files.insert(seq);
        self.lanes.mark_dirty(&item.entry.conversation);
        self.save(seq);
        true
    }

    /// Removes the files of an entry that no longer needs them. Their tokens remain in the content.
    pub(super) fn remove_files(&mut self, seq: u64) {
        self.stop_upload(seq);
        self.with_files.remove(&seq);
        self.delete_file_records(seq);
        if let Some(item) = self.items.get_mut(&seq) {
            item.remove_files();
        }
    }
}
