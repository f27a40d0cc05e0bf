//! Reactions: the summary on a message, and who reacted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Emoji, User, UserId};
use crate::timestamp::Timestamp;

/// How often a message got one emoji, as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReactionCount {
    /// When the emoji was first added, kept while anybody is left.
    #[serde(default)]
    pub created_at: Timestamp,
    /// How many users reacted with it.
    #[serde(default)]
    pub count: u64,
    /// Whether the receiver of the message is one of them.
    #[serde(default)]
    pub current_user_reacted: bool,
}

/// What changed of one emoji's count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ReactionCountDiff {
    /// When the emoji was first added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// How many users reacted with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Whether the receiver is one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_user_reacted: Option<bool>,
}

/// One emoji on a message as a snapshot shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReactionsSummary {
    /// The emoji.
    pub emoji: Emoji,
    /// How many users reacted with it.
    pub count: u64,
    /// Whether the current user is one of them.
    pub current_user_reacted: bool,
}

/// One user's reaction as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Reaction {
    /// Who reacted.
    pub user_id: UserId,
    /// When.
    pub created_at: Timestamp,
}

impl Reaction {
    /// A reaction by `user_id` at `created_at`.
    ///
    /// ```
    /// use talk_proto::{Timestamp, Reaction};
    ///
    /// let reaction = Reaction::new("bob".try_into()?, Timestamp::from_millis(1));
    /// assert_eq!(reaction.user_id, "bob");
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn new(user_id: UserId, created_at: Timestamp) -> Self {
        Self {
            user_id,
            created_at,
        }
    }
}

/// One user's reaction as a subscription shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReactionSnapshot {
    /// Who reacted, as they are now.
    pub user: Arc<User>,
    /// When.
    pub created_at: Timestamp,
}

impl ReactionCount {
    /// Counts `count` users since `created_at`.
    ///
    /// ```
    /// use talk_proto::{Timestamp, ReactionCount};
    ///
    /// let count = ReactionCount::new(Timestamp::from_millis(1), 2, true);
    /// assert_eq!(count.count, 2);
    /// ```
    pub fn new(created_at: Timestamp, count: u64, current_user_reacted: bool) -> Self {
        Self {
            created_at,
            count,
            current_user_reacted,
        }
    }

    /// Changes what `diff` names.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, ReactionCount};
    /// let mut count = ReactionCount::new(Timestamp::from_millis(1), 2, true);
    /// count.apply(&serde_json::from_str(r#"{"count": 3}"#)?);
    /// assert_eq!((count.count, count.current_user_reacted), (3, true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&mut self, diff: &ReactionCountDiff) {
        self.created_at = diff.created_at.unwrap_or(self.created_at);
        self.count = diff.count.unwrap_or(self.count);
        self.current_user_reacted = diff
            .current_user_reacted
            .unwrap_or(self.current_user_reacted);
    }
}
