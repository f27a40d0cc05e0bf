//! The content of a subscription, and an application that reads it now and then.

use std::any::Any;
use std::sync::Arc;

use talk_proto::{RequestError, Snapshot, Topic, Update, Window, changes::Changes};

use super::broken::broken;
use super::range::Range;

/// The maximum number of changes in a composed list. Beyond it, they become a reset.
const CHANGES: usize = 60;

/// A subscription and its only consumer.
pub(super) struct Shown {
    pub(super) topic: Topic,
    /// The latest snapshot, if there is one.
    pub(super) snapshot: Option<Snapshot>,
    /// Set if the subscription has ended, with the cause.
    pub(super) ended: Option<Option<RequestError>>,
    pub(super) range: Range,
    /// The snapshot that the consumer took last, and the changes from it to the latest one.
    taken: Option<Snapshot>,
    pending: Option<Changes>,
}

impl Shown {
    pub(super) fn new(topic: Topic) -> Self {
        Self {
            topic,
            snapshot: None,
            ended: None,
            range: Range::default(),
            taken: None,
            pending: None,
        }
    }

    /// Applies an update. The consumer takes it unless it is slow.
    pub(super) fn update(&mut self, update: Update, is_slow: bool, window: usize) {
        check_changes(self.snapshot.as_ref(), &update.snapshot, &update.changes);
        if self.snapshot.as_ref() == Some(&update.snapshot) {
            broken("an update changes something", format!("{:?}", self.topic));
        }
        if items(&update.snapshot).is_some_and(|items| items.len() > window) {
            broken("a window stays under its cap", format!("{:?}", self.topic));
        }
        self.range.update(&update, window);
        self.snapshot = Some(update.snapshot);
        self.pending = Some(match self.pending.take() {
            Some(pending) => pending.then(update.changes, CHANGES),
            None => update.changes,
        });
        if !is_slow {
            self.look();
        }
    }

    /// Takes the latest snapshot and its changes.
    pub(super) fn look(&mut self) {
        if let (Some(snapshot), Some(changes)) = (&self.snapshot, self.pending.take()) {
            check_changes(self.taken.as_ref(), snapshot, &changes);
            self.taken = Some(snapshot.clone());
        }
    }
}

/// Returns the items of a list by identity, or `None` if the snapshot is not a list.
pub(super) fn items(snapshot: &Snapshot) -> Option<Vec<Arc<dyn Any>>> {
    fn of<T: Any>(window: Option<&Window<T>>) -> Option<Vec<Arc<dyn Any>>> {
        let items = window?.iter();
        Some(items.map(|item| Arc::clone(item) as Arc<dyn Any>).collect())
    }
    match snapshot {
        Snapshot::Messages(window) => of(window.as_ref()),
        Snapshot::Participants(window) => of(window.as_ref()),
        Snapshot::Reactions(window) => of(window.as_ref()),
        Snapshot::Conversations(window) => of(Some(window)),
        _ => None,
    }
}

/// Returns `Some(true)` if a list is fully loaded, or `None` if the snapshot is not a list.
pub(super) fn loaded_all(snapshot: &Snapshot) -> Option<bool> {
    match snapshot {
        Snapshot::Messages(window) => Some(window.as_ref()?.loaded_all()),
        Snapshot::Participants(window) => Some(window.as_ref()?.loaded_all()),
        Snapshot::Reactions(window) => Some(window.as_ref()?.loaded_all()),
        Snapshot::Conversations(window) => Some(window.loaded_all()),
        _ => None,
    }
}

/// Checks that the changes of an update lead from the previous snapshot to the new one, and that
/// all other items keep their allocations.
fn check_changes(before: Option<&Snapshot>, after: &Snapshot, changes: &Changes) {
    let Changes::List(changes) = changes else {
        return;
    };
    let before = before.and_then(items).unwrap_or_default();
    let after = items(after).unwrap_or_default();
    let applied = changes.apply(&before, &after);
    let same =
        applied.len() == after.len() && applied.iter().zip(&after).all(|(a, b)| Arc::ptr_eq(a, b));
    if !same {
        broken("changes lead to the snapshot", format!("{changes:?}"));
    }
}
