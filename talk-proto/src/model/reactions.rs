//! The reactions of one message, in the order in which snapshots show them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use super::{Emoji, ReactionCount, ReactionCountDiff, ReactionsSummary};

/// Emoji and how often each was given, the one that was added first in front; equal times are
/// ordered by the emoji's code points.
///
/// On the wire it is an object `{EMOJI: {createdAt, count, currentUserReacted}}`.
#[expect(
    clippy::box_collection,
    reason = "an empty one is one word, in every message"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reactions(
    /// Most messages have none, and are to be small then.
    Option<Box<Vec<(Emoji, ReactionCount)>>>,
);

impl Reactions {
    /// Every emoji with its count.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, ReactionCount, Reactions};
    /// # let of = |at| ReactionCount::new(Timestamp::from_millis(at), 1, false);
    /// let entries = [("👍".try_into()?, of(1)), ("🎉".try_into()?, of(2))];
    /// let reactions = Reactions::from_iter(entries);
    /// assert!(reactions.iter().all(|(_, count)| count.count == 1));
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&Emoji, &ReactionCount)> {
        let entries = self.0.iter().flat_map(|entries| entries.iter());
        entries.map(|(emoji, count)| (emoji, count))
    }

    /// The count of one emoji.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, ReactionCount, Reactions};
    /// # let of = |at| ReactionCount::new(Timestamp::from_millis(at), 1, false);
    /// let entries = [("👍".try_into()?, of(1)), ("🎉".try_into()?, of(2))];
    /// let reactions = Reactions::from_iter(entries);
    /// assert_eq!(reactions.get("👍"), Some(&of(1)));
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn get(&self, emoji: &str) -> Option<&ReactionCount> {
        self.iter()
            .find(|(e, _)| e.as_str() == emoji)
            .map(|(_, count)| count)
    }

    /// How many different emoji there are.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, ReactionCount, Reactions};
    /// # let of = |at| ReactionCount::new(Timestamp::from_millis(at), 1, false);
    /// let entries = [("👍".try_into()?, of(1)), ("🎉".try_into()?, of(2))];
    /// let reactions = Reactions::from_iter(entries);
    /// assert_eq!(reactions.len(), 2);
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |entries| entries.len())
    }

    /// Whether there is no reaction.
    ///
    /// ```
    /// assert!(talk_proto::Reactions::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Sets the count of one emoji, or removes it.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, ReactionCount, Reactions};
    /// # let of = |at| ReactionCount::new(Timestamp::from_millis(at), 1, false);
    /// let entries = [("👍".try_into()?, of(1)), ("🎉".try_into()?, of(2))];
    /// let mut reactions = Reactions::from_iter(entries);
    /// reactions.set("👍".try_into()?, None);
    /// assert_eq!(reactions.get("👍"), None);
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
    pub fn set(&mut self, emoji: Emoji, count: Option<ReactionCount>) {
        let mut entries = self.0.take().unwrap_or_default();
        entries.retain(|(e, _)| *e != emoji);
        if let Some(count) = count {
            let at = entries.partition_point(|(e, c)| {
                (c.created_at, e.as_str()) < (count.created_at, emoji.as_str())
            });
            entries.insert(at, (emoji, count));
        }
        self.0 = (!entries.is_empty()).then_some(entries);
    }

    /// Changes the emoji that `diff` names; members that are absent keep their value.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, ReactionCount, Reactions};
    /// # let of = |at| ReactionCount::new(Timestamp::from_millis(at), 1, false);
    /// let entries = [("👍".try_into()?, of(1)), ("🎉".try_into()?, of(2))];
    /// let mut reactions = Reactions::from_iter(entries);
    /// reactions.apply(serde_json::from_str(r#"{"👍": {"count": 5}, "🎉": null}"#)?);
    /// assert_eq!(reactions.get("👍").map(|reaction| reaction.count), Some(5));
    /// assert_eq!(reactions.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&mut self, diff: BTreeMap<Emoji, Option<ReactionCountDiff>>) {
        for (emoji, change) in diff {
            let count = change.map(|change| {
                let mut count = self.get(emoji.as_str()).cloned().unwrap_or(ReactionCount {
                    created_at: Default::default(),
                    count: 0,
                    current_user_reacted: false,
                });
                count.apply(&change);
                count
            });
            self.set(emoji, count);
        }
    }

    /// The reactions as a snapshot shows them.
    ///
    /// ```
    /// # use talk_proto::{Timestamp, ReactionCount, Reactions};
    /// # let of = |at| ReactionCount::new(Timestamp::from_millis(at), 1, false);
    /// let entries = [("👍".try_into()?, of(1)), ("🎉".try_into()?, of(2))];
    /// let reactions = Reactions::from_iter(entries);
    /// assert_eq!(reactions.summaries()[0].emoji, "👍");
    /// # Ok::<(), talk_proto::EmptyId>(())
    /// ```
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

impl Serialize for Reactions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Reactions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReactionsVisitor;

        impl<'de> Visitor<'de> for ReactionsVisitor {
            type Value = Reactions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of reaction counts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reactions, A::Error> {
                let mut entries: Vec<(Emoji, ReactionCount)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                entries.sort_by(|(a, x), (b, y)| (x.created_at, a).cmp(&(y.created_at, b)));
                entries.dedup_by(|(a, _), (b, _)| a == b);
                Ok(Reactions((!entries.is_empty()).then(|| Box::new(entries))))
            }
        }

        deserializer.deserialize_map(ReactionsVisitor)
    }
}
