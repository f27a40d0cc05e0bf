//! The differences between two states of a followed list.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use talk_tokio::{
    Changes, ConversationId, ConversationSnapshot, MessageId, MessageSnapshot, RemovalReason,
    Timestamp, Window,
};

/// An item of a list that is sorted from the newest to the oldest.
pub(super) trait Item: PartialEq {
    type Id: Ord;

    fn id(&self) -> &Self::Id;

    /// Returns the time that determines the order of the list.
    fn time(&self) -> Timestamp;
}

impl Item for MessageSnapshot {
    type Id = MessageId;

    fn id(&self) -> &MessageId {
        &self.id
    }

    fn time(&self) -> Timestamp {
        self.created_at
    }
}

impl Item for ConversationSnapshot {
    type Id = ConversationId;

    fn id(&self) -> &ConversationId {
        &self.id
    }

    fn time(&self) -> Timestamp {
        self.last_message_at
    }
}

/// The loaded part of a list.
pub(super) struct Listing<T> {
    pub(super) items: Vec<Arc<T>>,
    pub(super) loaded_all: bool,
}

impl<T> From<&Window<T>> for Listing<T> {
    fn from(window: &Window<T>) -> Self {
        Self {
            items: window.iter().cloned().collect(),
            loaded_all: window.loaded_all(),
        }
    }
}

impl<T: Item> Listing<T> {
    /// Returns `true` if an item with this time would be in the loaded part.
    pub(super) fn covers(&self, time: Timestamp) -> bool {
        self.loaded_all || self.items.last().is_some_and(|last| time > last.time())
    }

    /// Returns `true` if the item with this ID is loaded.
    pub(super) fn contains(&self, id: &T::Id) -> bool {
        self.items.iter().any(|item| item.id() == id)
    }
}

/// The difference of one item.
#[derive(Debug, PartialEq)]
pub(super) enum Difference<T> {
    /// The item is no longer in the list. The reason is `None` if the changes do not contain it.
    Removed(Arc<T>, Option<RemovalReason>),
    /// The item changed from the first to the second version.
    Changed(Arc<T>, Arc<T>),
    /// The item was not loaded before.
    New(Arc<T>),
}

/// A removal in JSON.
#[derive(Serialize)]
pub(super) struct Removed<'a, I> {
    pub(super) removed: &'a I,
    pub(super) reason: RemovalReason,
}

/// Returns a human-readable reason.
pub(super) fn reason_text(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Left => "left",
        RemovalReason::Filtered => "no longer matches",
        _ => "deleted",
    }
}

/// Returns the differences between two states: removals first, then from the oldest item to the
/// newest. Items beyond the loaded part are left out.
pub(super) fn differences<T: Item>(
    before: &Listing<T>,
    after: &Listing<T>,
    changes: &Changes,
) -> Vec<Difference<T>> {
    let items = before.items.iter().enumerate();
    let mut gone: BTreeMap<&T::Id, (usize, &Arc<T>)> = items
        .map(|(index, item)| (item.id(), (index, item)))
        .collect();
    let mut rest = Vec::new();
    for item in after.items.iter().rev() {
        match gone.remove(item.id()) {
            Some((_, same)) if Arc::ptr_eq(same, item) || same == item => {}
            Some((_, before)) => {
                rest.push(Difference::Changed(Arc::clone(before), Arc::clone(item)));
            }
            None => rest.push(Difference::New(Arc::clone(item))),
        }
    }
    let mut gone: Vec<_> = gone.into_values().collect();
    gone.sort_unstable_by_key(|(index, _)| std::cmp::Reverse(*index));
    let removed = gone.into_iter().filter_map(|(index, item)| {
        let reason = match changes {
            Changes::List(steps) => {
                let at = steps
                    .removed
                    .binary_search_by_key(&index, |removal| removal.index);
                Some(steps.removed.get(at.ok()?)?.reason)
            }
            _ if after.covers(item.time()) => None,
            _ => return None,
        };
        match reason {
            Some(RemovalReason::Evicted | RemovalReason::Moved { .. }) => None,
            reason => Some(Difference::Removed(Arc::clone(item), reason)),
        }
    });
    removed.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use talk_tokio::{ListChanges, Removal};

    use super::*;

    fn conversation(id: &str, time: i64) -> Arc<ConversationSnapshot> {
        let time = Timestamp::from_millis(time);
        Arc::new(ConversationSnapshot::new(
            id.try_into().unwrap(),
            time,
            time,
        ))
    }

    fn listing(
        items: &[&Arc<ConversationSnapshot>],
        loaded_all: bool,
    ) -> Listing<ConversationSnapshot> {
        Listing {
            items: items.iter().map(|item| Arc::clone(item)).collect(),
            loaded_all,
        }
    }

    fn removals(reasons: &[RemovalReason]) -> Changes {
        let mut steps = ListChanges::default();
        let removals = reasons.iter().enumerate();
        steps.removed = removals
            .map(|(index, reason)| Removal::new(index, *reason))
            .collect();
        Changes::List(steps)
    }

    #[test]
    fn differences_removed_items_have_their_reasons() {
        let [a, b, c, d] = [4, 3, 2, 1].map(|n| conversation(&format!("c{n}"), n));
        let changes = removals(&[
            RemovalReason::Left,
            RemovalReason::Filtered,
            RemovalReason::Deleted,
            RemovalReason::Evicted,
        ]);
        let before = listing(&[&a, &b, &c, &d], false);
        assert_eq!(
            differences(&before, &listing(&[], true), &changes),
            [
                Difference::Removed(c, Some(RemovalReason::Deleted)),
                Difference::Removed(b, Some(RemovalReason::Filtered)),
                Difference::Removed(a, Some(RemovalReason::Left)),
            ]
        );
    }

    #[test]
    fn differences_after_a_reset_omit_evicted_items() {
        let [a, b, c] = [3, 2, 1].map(|n| conversation(&format!("c{n}"), n));
        let before = listing(&[&a, &b, &c], false);
        for changes in [Changes::Reset, Changes::Gap] {
            assert_eq!(
                differences(&before, &listing(&[&a, &b], false), &changes),
                []
            );
            assert_eq!(
                differences(&before, &listing(&[&a, &c], false), &changes),
                [Difference::Removed(Arc::clone(&b), None)]
            );
            assert_eq!(
                differences(&before, &listing(&[&a, &b], true), &changes),
                [Difference::Removed(Arc::clone(&c), None)]
            );
        }
    }

    #[test]
    fn differences_moved_item_is_changed() {
        let [a, b] = [2, 1].map(|n| conversation(&format!("c{n}"), n));
        let moved = conversation("c1", 3);
        let mut steps = ListChanges::default();
        steps.removed = vec![Removal::new(1, RemovalReason::Moved { to: 0 })];
        steps.inserted = vec![0];
        let (before, after) = (listing(&[&a, &b], true), listing(&[&moved, &a], true));
        assert_eq!(
            differences(&before, &after, &Changes::List(steps)),
            [Difference::Changed(b, moved)]
        );
    }
}
