//! The public types of searches.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::hits::Hits;
use crate::model::{ConversationSnapshot, MessageSnapshot};

/// The ID of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchId(pub(crate) u64);

/// The kind of results that a search finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchKind {
    /// Messages in the current user's conversations, by their text.
    Messages,
    /// The current user's conversations, by their title or `custom.search`.
    Conversations,
}

/// The progress of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum SearchStatus {
    /// A page is being loaded.
    Searching,
    /// There are more results, or the last page failed and can be loaded again.
    CanLoadMore,
    /// All results are loaded.
    LoadedAll,
}

/// The results of a search so far, newest first. Serialises as a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SearchResults {
    /// Messages, each with its conversation.
    Messages(Hits<MessageHit>),
    /// Conversations.
    Conversations(Hits<ConversationSnapshot>),
}

impl SearchResults {
    /// Returns the number of results.
    pub fn len(&self) -> usize {
        match self {
            Self::Messages(hits) => hits.len(),
            Self::Conversations(hits) => hits.len(),
        }
    }

    /// Returns `true` if there are no results.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn truncate(&mut self, length: usize) {
        match self {
            Self::Messages(hits) => hits.truncate(length),
            Self::Conversations(hits) => hits.truncate(length),
        }
    }
}

impl Serialize for SearchResults {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Messages(hits) => hits.serialize(serializer),
            Self::Conversations(hits) => hits.serialize(serializer),
        }
    }
}

/// A message in the results of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MessageHit {
    /// The conversation of the message.
    pub conversation: Arc<ConversationSnapshot>,
    /// The message.
    pub message: Arc<MessageSnapshot>,
}
