//! The local echo of an entry in the windows of its conversation.

use std::sync::Arc;

use super::candidate::Candidate;
use super::entry::Entry;
use crate::model::{EntryId, MessageId};

/// An entry as a window shows it.
#[derive(Clone)]
pub(crate) struct Echo {
    pub(crate) entry: Arc<Entry>,
    /// Set if the entry was tried and its outcome is unknown.
    pub(crate) candidate: Option<Arc<Candidate>>,
}

/// The number of an entry, and its echo, or `None` if the entry was removed.
pub(crate) type EchoChange = (u64, Option<Echo>);

/// An entry and the message that it became.
pub type Settled = (EntryId, MessageId);

/// The entries of a conversation that its window shows, oldest first. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pending(
    /// `None` if empty, as for most windows, so that the type is one word wide.
    Option<Arc<Vec<Arc<Entry>>>>,
);

impl Pending {
    pub(crate) fn new(entries: Vec<Arc<Entry>>) -> Self {
        Self(
            Some(entries)
                .filter(|entries| !entries.is_empty())
                .map(Arc::new),
        )
    }

    pub(crate) fn entries(&self) -> &[Arc<Entry>] {
        self.0.as_ref().map_or(&[], |entries| entries)
    }
}
