//! The subscriptions that somebody looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use talk_proto::{RequestError, SubscriptionId, Update};

use crate::error::Error;
use crate::handle::LocalId;
use crate::subscription::slot::SnapshotSink;

/// Where the snapshots of each subscription go.
#[derive(Default)]
pub(super) struct Subscriptions {
    ids: BTreeMap<LocalId, SubscriptionId>,
    sinks: BTreeMap<SubscriptionId, (LocalId, Arc<dyn SnapshotSink>)>,
    /// Those that have shown nothing yet.
    without_snapshot: BTreeSet<SubscriptionId>,
}

impl Subscriptions {
    /// The core has accepted a subscription.
    pub(super) fn insert(
        &mut self,
        id: SubscriptionId,
        local_id: LocalId,
        sink: Arc<dyn SnapshotSink>,
    ) {
        self.ids.insert(local_id, id);
        self.sinks.insert(id, (local_id, sink));
        self.without_snapshot.insert(id);
    }

    /// The core's name of a subscription that has not ended.
    pub(super) fn id(&self, local_id: LocalId) -> Option<SubscriptionId> {
        self.ids.get(&local_id).copied()
    }

    /// Whether one has shown nothing yet.
    pub(super) fn awaits_first_snapshot(&self) -> bool {
        !self.without_snapshot.is_empty()
    }

    pub(super) fn update(&mut self, id: SubscriptionId, update: Update) {
        self.fill(id);
        if let Some((_, sink)) = self.sinks.get(&id) {
            sink.update(update.snapshot, update.changes);
        }
    }

    /// The core has ended a subscription.
    pub(super) fn end(&mut self, id: SubscriptionId, error: Option<RequestError>) {
        if let Some((local_id, sink)) = self.sinks.remove(&id) {
            self.ids.remove(&local_id);
            self.fill(id);
            sink.end(error.map(Error::from));
        }
    }

    fn fill(&mut self, id: SubscriptionId) {
        if self.without_snapshot.remove(&id) && self.without_snapshot.is_empty() {
            // An empty set keeps room for eleven.
            self.without_snapshot = BTreeSet::new();
        }
    }

    /// The driver stops: all that are left end.
    pub(super) fn end_all(&mut self, error: &Error) {
        self.ids.clear();
        for (_, sink) in std::mem::take(&mut self.sinks).into_values() {
            sink.end(Some(error.clone()));
        }
    }
}
