//! Searches: a query over HTTP whose results show as they come.

mod machine;
mod stream;

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::model::{ConversationSnapshot, MessageSnapshot};

pub(crate) use machine::{Found, MAX_PAGE, Machine, NEXT_PAGE, Progress};

/// One search of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchId(pub(crate) u64);

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchKind {
    /// Messages in the current user's conversations, by their text.
    Messages,
    /// The current user's conversations, by their subject or `custom.search`.
    Conversations,
}

/// Whether a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SearchStatus {
    /// Results are on their way.
    Searching,
    /// There is more to load, or the page that was being loaded failed and can be asked for again.
    CanLoadMore,
    /// That was all.
    LoadedAll,
}

/// What a search has found so far, newest first. Serialises as the list of the results.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SearchResults {
    /// Messages, each with its conversation.
    Messages(Vec<Arc<MessageHit>>),
    /// Conversations.
    Conversations(Vec<Arc<ConversationSnapshot>>),
}

impl SearchResults {
    /// How many there are.
    ///
    /// ```
    /// assert_eq!(talk_proto::SearchResults::Messages(vec![]).len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        match self {
            Self::Messages(found) => found.len(),
            Self::Conversations(found) => found.len(),
        }
    }

    /// Whether nothing is found.
    ///
    /// ```
    /// assert!(talk_proto::SearchResults::Conversations(vec![]).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn truncate(&mut self, length: usize) {
        match self {
            Self::Messages(found) => found.truncate(length),
            Self::Conversations(found) => found.truncate(length),
        }
    }
}

impl Serialize for SearchResults {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Messages(found) => found.serialize(serializer),
            Self::Conversations(found) => found.serialize(serializer),
        }
    }
}

/// A message that a search found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MessageHit {
    /// The conversation that it is in.
    pub conversation: Arc<ConversationSnapshot>,
    /// The message.
    pub message: Arc<MessageSnapshot>,
}
