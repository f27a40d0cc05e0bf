//! The internal state of an entry.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::entry::{Entry, HeldReason, Reference, Stage};
use super::file::{PendingFile, SavedFile, with_files};
use super::normal_form::NormalForm;
use super::options::OnRefusal;
use super::step::Step;
use crate::command::{EditMessage, MessageBody, RequestId, SendMessage};
use crate::content::{ContentBlock, MarkupSource, parse_markup};
use crate::json;
use crate::model::{ConversationId, Custom, CustomPatch, EntryId, MessageId, Patch};
use crate::storage::BatchId;
use crate::timestamp::Timestamp;

/// The content of a message or an edit.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Content {
    #[serde(deserialize_with = "json::list")]
    pub(crate) blocks: Arc<[ContentBlock]>,
    /// Set if the blocks were parsed from markup. Their node types are sent in lower case.
    #[serde(default)]
    pub(crate) is_markup: bool,
}

impl Content {
    pub(super) fn new(body: MessageBody, source: MarkupSource) -> Self {
        match body {
            MessageBody::Text(text) => Self {
                blocks: parse_markup(&text, source).into(),
                is_markup: true,
            },
            MessageBody::Content(blocks) => Self {
                blocks: blocks.into(),
                is_markup: false,
            },
        }
    }
}

/// The message of an entry, ready to be sent.
pub(crate) struct OutgoingEntry {
    pub(crate) conversation: ConversationId,
    pub(crate) content: Content,
    pub(crate) custom: Custom,
    pub(crate) referenced: Option<MessageId>,
    pub(crate) key: EntryId,
}

/// A change of a message after it was sent.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FollowUp {
    Edit {
        content: Option<Content>,
        #[serde(default, skip_serializing_if = "Patch::is_keep")]
        custom: Patch<CustomPatch>,
    },
    Delete,
}

impl From<EditMessage> for FollowUp {
    fn from(edit: EditMessage) -> Self {
        Self::Edit {
            content: edit.body.map(|body| Content::new(body, MarkupSource::Edit)),
            custom: edit.custom,
        }
    }
}

/// The part of an entry that is stored.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Saved {
    pub(super) id: EntryId,
    pub(super) conversation: ConversationId,
    pub(super) seq: u64,
    /// The blocks of the message without those of its files.
    #[serde(deserialize_with = "json::list")]
    pub(super) blocks: Arc<[ContentBlock]>,
    /// Set if the blocks were parsed from markup.
    #[serde(default)]
    pub(super) is_markup: bool,
    /// The files, whose blocks follow the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<SavedFile>,
    /// The refusal of the message after which the files are uploaded a second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused_upload: Option<HeldReason>,
    #[serde(default)]
    pub(super) custom: Custom,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) referenced: Option<Reference>,
    #[serde(default)]
    pub(super) on_refusal: OnRefusal,
    /// Set for the reply of an inbox, whose question is acknowledged. It is never stale, a failure
    /// of the store does not hold it, and it never blocks later entries.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_reply: bool,
    pub(super) created: Timestamp,
    /// The time at which the user confirmed that the entry is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) renewed: Option<Timestamp>,
    /// The idempotency key if it is not the ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<EntryId>,
    /// A server time from before the first attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) floor: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_try: Option<Timestamp>,
    #[serde(default)]
    pub(super) tries: u32,
    /// The number of attempts whose outcome is unknown, including the one in flight.
    #[serde(default)]
    pub(super) unanswered: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<HeldReason>,
    /// The ID of the message, once the server has accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) then: Option<FollowUp>,
}

impl Saved {
    /// Returns the blocks of the message, as far as its files are uploaded.
    pub(super) fn all_blocks(&self) -> Arc<[ContentBlock]> {
        with_files(&self.blocks, &self.files)
    }

    /// Replaces the blocks of the message without those of its files.
    pub(super) fn set_content(&mut self, content: Content) {
        self.blocks = content.blocks;
        self.is_markup = content.is_markup;
    }

    /// Returns the files that are not uploaded.
    fn pending_files(&self) -> Vec<PendingFile> {
        let pending = self.files.iter().filter(|file| file.token.is_none());
        pending.map(SavedFile::pending).collect()
    }

    /// Returns `true` if no file has to be uploaded.
    pub(super) fn is_uploaded(&self) -> bool {
        self.files.iter().all(|file| file.token.is_some())
    }

    /// Resets the entry to the state before its first attempt.
    pub(super) fn restart_tries(&mut self) {
        self.floor = None;
        self.first_try = None;
        self.tries = 0;
        self.unanswered = 0;
        self.held = None;
    }
}

/// An entry.
pub(super) struct Item {
    pub(super) saved: Saved,
    pub(super) step: Step,
    /// The upload of a file.
    pub(super) upload: Option<RequestId>,
    /// The batch with the newest record, until it is stored.
    pub(super) batch: Option<BatchId>,
    /// Set if any record of the entry is stored.
    pub(super) is_durable: bool,
    /// The number of files whose records are deleted together with the next stored record.
    pub(super) removed_files: usize,
    /// The time at which the entry has something to do.
    pub(super) wake_at: Option<Timestamp>,
    /// The number of consecutive failed attempts, and the time of the first one.
    pub(super) failures: u32,
    pub(super) first_failure: Timestamp,
    /// The size of the record.
    pub(super) bytes: usize,
    pub(super) blocked_by: Option<EntryId>,
    candidate: Option<Arc<Candidate>>,
    pub(super) snapshot: Arc<Entry>,
}

impl Item {
    pub(super) fn new(saved: Saved, is_durable: bool) -> Self {
        let snapshot = Arc::new(Entry {
            id: saved.id.clone(),
            conversation: saved.conversation.clone(),
            content: saved.all_blocks(),
            files: saved.pending_files(),
            custom: saved.custom.clone(),
            referenced: saved.referenced.clone(),
            created_at: saved.created,
            stage: Stage::Queued,
            durable: is_durable,
            tries: saved.tries,
            blocked_by: None,
            message: saved.message.clone(),
        });
        Self {
            saved,
            step: Step::Idle,
            upload: None,
            batch: None,
            is_durable,
            removed_files: 0,
            wake_at: None,
            failures: 0,
            first_failure: Timestamp::default(),
            bytes: 0,
            blocked_by: None,
            candidate: None,
            snapshot,
        }
    }

    /// Returns `true` if the server has accepted the message.
    pub(super) fn is_sent(&self) -> bool {
        self.saved.message.is_some()
    }

    /// Returns `true` if the message was never tried, or its only attempt was refused.
    pub(super) fn is_editable(&self) -> bool {
        let is_refused = matches!(self.saved.held, Some(HeldReason::Refused(_)));
        let is_untried = self.saved.tries == 0;
        let is_refused_once = self.saved.tries == 1 && self.saved.unanswered == 0 && is_refused;
        let is_idle = matches!(self.step, Step::Idle);
        !self.is_sent() && is_idle && (is_untried || is_refused_once)
    }

    /// Returns `true` if a failure to store the batch holds the entry. A reply and an entry that is
    /// held already are stored again instead.
    pub(super) fn is_held_by_failure(&self, batch: BatchId) -> bool {
        let is_waiting = matches!(self.step, Step::Idle | Step::Recording);
        let is_held = self.batch == Some(batch) && self.saved.held.is_none();
        is_held && is_waiting && !self.is_sent() && !self.saved.is_reply
    }

    /// Returns `true` for a held reply. It waits for a decision of the user, which a bot may never
    /// make, so it does not count towards the caps.
    pub(super) fn is_held_reply(&self) -> bool {
        self.saved.is_reply && self.saved.held.is_some() && !self.is_sent()
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
        self.saved.key.as_ref().unwrap_or(&self.saved.id)
    }

    /// Replaces the content by that of another message, with which the entry was never tried.
    pub(super) fn set_message(&mut self, message: SendMessage) {
        self.saved
            .set_content(Content::new(message.body, MarkupSource::Send));
        self.saved.custom = Custom::default();
        self.saved.custom.apply(message.custom);
        if let Some(id) = message.referenced_message {
            self.saved.referenced = Some(Reference::Message(id));
        }
    }

    /// Returns the form in which the message is recognised, if it was tried and its outcome is
    /// unknown.
    pub(super) fn candidate(&mut self) -> Option<Arc<Candidate>> {
        let Saved {
            message: None,
            // An entry whose search found nothing has no message that could arrive.
            held: None,
            unanswered: 1..,
            floor: Some(floor),
            ..
        } = self.saved
        else {
            return None;
        };
        let form = || NormalForm::new(&self.saved.all_blocks(), &self.saved.custom);
        let candidate = self.candidate.take().unwrap_or_else(|| {
            let form = form();
            Arc::new(Candidate { floor, form })
        });
        self.candidate = Some(Arc::clone(&candidate));
        Some(candidate)
    }

    /// Discards the form of an earlier content.
    pub(super) fn forget_candidate(&mut self) {
        self.candidate = None;
    }

    /// Rebuilds the snapshot. Returns `true` if it changed.
    pub(super) fn refresh(&mut self) -> bool {
        let saved = &self.saved;
        let stage = match (&saved.held, &saved.message) {
            (Some(reason), _) => Stage::Held(reason.clone()),
            (None, Some(message)) => Stage::Sent {
                message: message.clone(),
            },
            (None, None) if self.upload.is_some() => Stage::Uploading,
            (None, None) => match self.step {
                Step::Idle | Step::Recording => Stage::Queued,
                Step::InFlight(_) | Step::Searching(_) => Stage::Sending,
            },
        };
        let entry = Entry {
            content: saved.all_blocks(),
            files: saved.pending_files(),
            custom: saved.custom.clone(),
            referenced: saved.referenced.clone(),
            stage,
            durable: self.is_durable,
            tries: saved.tries,
            blocked_by: self.blocked_by.clone(),
            message: saved.message.clone(),
            ..Entry::clone(&self.snapshot)
        };
        let has_changed = entry != *self.snapshot;
        if has_changed {
            self.snapshot = Arc::new(entry);
        }
        has_changed
    }
}
