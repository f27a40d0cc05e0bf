//! The state of an entry beyond its message.

use std::sync::Arc;

use super::candidate::Candidate;
use super::content::FollowUp;
use super::entry::{Entry, HeldReason};
use super::file::SavedFile;
use super::step::Step;
use crate::command::RequestId;
use crate::model::EntryId;
use crate::storage::BatchId;
use crate::timestamp::Timestamp;

/// The state of an entry beyond its message.
#[derive(PartialEq)]
pub(super) struct Progress {
    /// The files, whose blocks follow the content.
    pub(super) files: Vec<SavedFile>,
    /// The refusal of the message after which the files are uploaded a second time.
    pub(super) refused_upload: Option<HeldReason>,
    /// The time at which the user confirmed that the entry is to be sent.
    pub(super) renewed: Option<Timestamp>,
    /// The idempotency key if it is not the ID.
    pub(super) key: Option<EntryId>,
    /// A server time from before the first attempt.
    pub(super) floor: Option<Timestamp>,
    /// The time of the first attempt if this process made it.
    pub(super) tried_at: Option<Timestamp>,
    pub(super) first_try: Option<Timestamp>,
    /// The number of attempts whose outcome is unknown, including the one in flight.
    pub(super) unanswered: u32,
    pub(super) then: Option<FollowUp>,
    /// Set if a follow-up has deleted the message, so that nothing can follow any more.
    pub(super) is_deleted: bool,
    pub(super) step: Step,
    /// The upload of a file.
    pub(super) upload: Option<RequestId>,
    /// The batch with the newest record, until it is stored.
    pub(super) batch: Option<BatchId>,
    /// The number of files whose records are deleted together with the next stored record.
    pub(super) removed_files: usize,
    /// The time at which the entry has something to do.
    pub(super) wake_at: Option<Timestamp>,
    /// The number of consecutive failed attempts, and the time of the first one.
    pub(super) failures: u32,
    pub(super) first_failure: Timestamp,
    /// The form in which the message is recognised.
    pub(super) candidate: Option<Arc<Candidate>>,
    /// The visible part before the changes that are not published.
    pub(super) published: Option<Arc<Entry>>,
}

impl Progress {
    /// The progress of an entry that is stored, waits and was never tried.
    pub(super) const NONE: Self = Self {
        files: Vec::new(),
        refused_upload: None,
        renewed: None,
        key: None,
        floor: None,
        tried_at: None,
        first_try: None,
        unanswered: 0,
        then: None,
        is_deleted: false,
        step: Step::Idle,
        upload: None,
        batch: None,
        removed_files: 0,
        wake_at: None,
        failures: 0,
        first_failure: Timestamp::from_millis(0),
        candidate: None,
        published: None,
    };
}

impl Default for Progress {
    fn default() -> Self {
        Self::NONE
    }
}
