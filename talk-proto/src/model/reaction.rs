//! Reactions to messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::{fmt, iter, slice};

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::id::{Emoji, UserId};
use super::patch::diff;
use super::user::User;
use crate::json;
use crate::timestamp::Timestamp;

/// The count of an emoji on a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ReactionCount {
    /// The time at which the emoji was first added. It is kept until the last reaction is removed.
    pub created_at: Timestamp,
    /// The number of users that reacted with the emoji.
    #[serde(deserialize_with = "json::count")]
    pub count: u64,
    /// Set if the current user reacted with the emoji.
    pub current_user_reacted: bool,
}

impl ReactionCount {
    /// Creates a count.
    pub fn new(created_at: Timestamp, count: u64, current_user_reacted: bool) -> Self {
        Self {
            created_at,
            count,
            current_user_reacted,
        }
    }
}

diff! {
    /// The changes of an emoji's count.
    ReactionCountDiff {
        created_at: Option<Timestamp>,
        count: Option<u64>,
        current_user_reacted: Option<bool>,
    }
}

/// The summary of an emoji on a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReactionsSummary {
    /// The emoji.
    pub emoji: Emoji,
    /// The number of users that reacted with the emoji.
    pub count: u64,
    /// Set if the current user reacted with the emoji.
    pub current_user_reacted: bool,
}

/// A user's reaction in the shape of the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reaction {
    pub(crate) user_id: UserId,
    pub(crate) created_at: Timestamp,
}

/// A user's reaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReactionSnapshot {
    /// The user in their current state.
    pub user: Arc<User>,
    /// The time of the reaction.
    pub created_at: Timestamp,
}

/// The reactions to a message: emoji and their counts, ordered by the time at which the emoji was
/// first added, then by code points.
///
/// ```
/// # use talk_proto::{Timestamp, model::{ReactionCount, Reactions}};
/// # let of = |at| ReactionCount::new(Timestamp::from_millis(at), 1, false);
/// let entries = [("🎉".try_into()?, of(2)), ("👍".try_into()?, of(1))];
/// let reactions = Reactions::from_iter(entries);
/// assert_eq!(reactions.get("👍"), Some(&of(1)));
/// assert_eq!(reactions.summaries()[0].emoji, "👍");
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reactions(
    /// `None` if empty, as for most messages, so that the type is one word wide.
    Option<Arc<Vec<(Emoji, ReactionCount)>>>,
);

/// An iterator over emoji and their counts.
type Entries<'a> = iter::Map<
    slice::Iter<'a, (Emoji, ReactionCount)>,
    fn(&'a (Emoji, ReactionCount)) -> (&'a Emoji, &'a ReactionCount),
>;

impl<'a> IntoIterator for &'a Reactions {
    type Item = (&'a Emoji, &'a ReactionCount);
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Self::IntoIter {
        let entries = self.0.as_ref().map_or(&[][..], |entries| entries);
        entries.iter().map(|(emoji, count)| (emoji, count))
    }
}

impl Reactions {
    /// Returns an iterator over the emoji and their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&Emoji, &ReactionCount)> {
        self.into_iter()
    }

    /// Returns the count of `emoji`.
    pub fn get(&self, emoji: &str) -> Option<&ReactionCount> {
        self.iter()
            .find(|(e, _)| e.as_str() == emoji)
            .map(|(_, count)| count)
    }

    /// Returns the number of distinct emoji.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |entries| entries.len())
    }

    /// Returns `true` if there is no reaction.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Sets the count of `emoji`, or removes it.
    pub fn set(&mut self, emoji: Emoji, count: Option<ReactionCount>) {
        let mut entries = Arc::unwrap_or_clone(self.0.take().unwrap_or_default());
        entries.retain(|(e, _)| *e != emoji);
        if let Some(count) = count {
            let at = entries.partition_point(|(e, c)| {
                (c.created_at, e.as_str()) < (count.created_at, emoji.as_str())
            });
            entries.insert(at, (emoji, count));
        }
        self.0 = (!entries.is_empty()).then(|| Arc::new(entries));
    }

    /// Applies a diff. Absent members keep their value.
    pub(crate) fn apply(&mut self, diff: BTreeMap<Emoji, Option<ReactionCountDiff>>) {
        for (emoji, change) in diff {
            let count = change.map(|change| {
                let mut count = self.get(emoji.as_str()).cloned().unwrap_or_default();
                count.created_at = change.created_at.unwrap_or(count.created_at);
                count.count = change.count.unwrap_or(count.count);
                let reacted = change.current_user_reacted;
                count.current_user_reacted = reacted.unwrap_or(count.current_user_reacted);
                count
            });
            self.set(emoji, count);
        }
    }

    /// Returns the reactions in the shape of the documented API.
    pub fn summaries(&self) -> Vec<ReactionsSummary> {
        self.iter()
            .map(|(emoji, count)| ReactionsSummary {
                emoji: emoji.clone(),
                count: count.count,
                current_user_reacted: count.current_user_reacted,
            })
            .collect()
    }
}

impl FromIterator<(Emoji, ReactionCount)> for Reactions {
    fn from_iter<I: IntoIterator<Item = (Emoji, ReactionCount)>>(entries: I) -> Self {
        let mut reactions = Self::default();
        for (emoji, count) in entries {
            reactions.set(emoji, Some(count));
        }
        reactions
    }
}

/// Serialises in the shape of the server: `{EMOJI: {createdAt, count, currentUserReacted}}`.
impl Serialize for Reactions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Accepts the shape of the server and the list of the documented API. The list contains no times.
impl<'de> Deserialize<'de> for Reactions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReactionsVisitor;

        impl<'de> Visitor<'de> for ReactionsVisitor {
            type Value = Reactions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or list of reaction counts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Reactions, A::Error> {
                let mut reactions = Reactions::default();
                while let Some(summary) = seq.next_element::<ReactionsSummary>()? {
                    let at = i64::try_from(reactions.len()).unwrap_or(i64::MAX);
                    let reacted = summary.current_user_reacted;
                    let count =
                        ReactionCount::new(Timestamp::from_millis(at), summary.count, reacted);
                    reactions.set(summary.emoji, Some(count));
                }
                Ok(reactions)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reactions, A::Error> {
                let mut entries: Vec<(Emoji, ReactionCount)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                entries.sort_by(|(a, x), (b, y)| (x.created_at, a).cmp(&(y.created_at, b)));
                entries.dedup_by(|(a, _), (b, _)| a == b);
                Ok(Reactions((!entries.is_empty()).then(|| Arc::new(entries))))
            }
        }

        deserializer.deserialize_any(ReactionsVisitor)
    }
}
