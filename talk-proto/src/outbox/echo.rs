//! The local echo of an entry in the windows of its conversation.

use std::sync::Arc;

use super::candidate::Candidate;
use super::entry::Entry;

/// An entry as a window shows it.
#[derive(Clone)]
pub(crate) struct Echo {
    pub(crate) entry: Arc<Entry>,
    /// Set if the entry was tried and its outcome is unknown.
    pub(crate) candidate: Option<Arc<Candidate>>,
}
