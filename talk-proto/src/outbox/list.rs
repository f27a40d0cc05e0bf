//! The topic of all entries.

use std::collections::BTreeMap;
use std::num::NonZeroI64;
use std::sync::Arc;

use super::entry::Entry;
use super::machine::Outbox;
use crate::changes::RemovalReason;
use crate::command::SubscriptionId;
use crate::error::RequestError;
use crate::io::Event;
use crate::live::list::items::Position;
use crate::live::list::ordered_list::ListItem;
use crate::live::list::view::{ListState, ListView};
use crate::live::list::visible_items::VisibleItems;
use crate::model::EntryId;
use crate::snapshot::{Snapshot, Update};

/// The state of a list that is always complete.
const COMPLETE: ListState = ListState {
    complete: true,
    full_until: None,
    initial: usize::MAX,
    frontier: None,
};

/// The subscriptions to all entries.
pub(super) struct EntryList {
    /// The published entries, or none of them without a subscription.
    visible: VisibleItems<Entry>,
    views: BTreeMap<SubscriptionId, ListView<Entry>>,
}

impl Default for EntryList {
    fn default() -> Self {
        Self {
            visible: VisibleItems::new(),
            views: BTreeMap::new(),
        }
    }
}

impl ListItem for Entry {
    type Key = EntryId;

    fn key(&self) -> &EntryId {
        &self.id
    }
}

/// Returns the position of an entry. Older entries precede newer ones.
fn position(seq: u64) -> Position {
    Position {
        time: i64::try_from(seq).unwrap_or(i64::MAX - 1),
        tie: NonZeroI64::MIN,
    }
}

impl EntryList {
    /// Shows an entry to the subscriptions.
    pub(super) fn show(&mut self, seq: u64, entry: &Arc<Entry>) {
        if self.views.is_empty() {
            return;
        }
        let position = position(seq);
        self.visible.items.put(position, Arc::clone(entry));
        for view in self.views.values_mut() {
            view.mark_changed(position);
        }
    }

    pub(super) fn remove(&mut self, seq: u64, reason: RemovalReason) {
        let position = position(seq);
        if self.visible.items.remove(position).is_some() {
            for view in self.views.values_mut() {
                view.mark_removed(position, reason);
            }
        }
    }
}

impl Outbox {
    /// Starts a subscription to all entries.
    pub(crate) fn subscribe(&mut self, id: SubscriptionId) {
        let is_first = self.list.views.is_empty();
        self.list.views.insert(id, ListView::new());
        if is_first {
            let items = self.items.iter().filter(|(_, item)| item.is_published);
            for (seq, item) in items {
                self.list.show(*seq, item.snapshot());
            }
        }
        self.mark_dirty();
    }

    /// Ends a subscription. Returns `false` if it does not exist.
    pub(crate) fn unsubscribe(&mut self, id: SubscriptionId) -> bool {
        let is_known = self.list.views.remove(&id).is_some();
        if is_known {
            self.end_subscription(id, None);
        }
        if self.list.views.is_empty() {
            self.list.visible = VisibleItems::new();
        }
        is_known
    }

    /// Returns `true` if the subscription exists.
    pub(crate) fn is_subscribed(&self, id: SubscriptionId) -> bool {
        self.list.views.contains_key(&id)
    }

    /// Returns the number of subscriptions.
    pub(crate) fn subscriptions(&self) -> usize {
        self.list.views.len()
    }

    /// Ends all subscriptions.
    pub(super) fn end_subscriptions(&mut self, error: &RequestError) {
        for id in std::mem::take(&mut self.list.views).into_keys() {
            self.end_subscription(id, Some(error.clone()));
        }
    }

    fn end_subscription(&mut self, subscription: SubscriptionId, error: Option<RequestError>) {
        self.emit(Event::SubscriptionEnded {
            subscription,
            error,
        });
    }

    /// Reports the entries to the subscriptions that have not seen them, if the entries are known.
    pub(super) fn update_subscriptions(&mut self) {
        if !self.is_open {
            return;
        }
        let mut events = Vec::new();
        for (id, view) in &mut self.list.views {
            let diff = view.update(&mut self.list.visible, COMPLETE);
            if let Some((Some(window), changes)) = diff.update {
                let update = Update::new(Snapshot::Outbox(window), changes);
                events.push((*id, update));
            }
        }
        for (subscription, update) in events {
            self.emit(Event::Updated {
                subscription,
                update,
            });
        }
    }
}
