//! The live subscriptions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use talk_proto::{RequestError, SubscriptionId, Update};

use crate::error::Error;
use crate::handle::LocalId;
use crate::subscription::slot::SnapshotSink;

/// The live subscriptions and the sinks of their snapshots.
#[derive(Default)]
pub(super) struct Subscriptions {
    ids: BTreeMap<LocalId, SubscriptionId>,
    sinks: BTreeMap<SubscriptionId, (LocalId, Arc<dyn SnapshotSink>)>,
    /// The subscriptions that wait for their first snapshot.
    without_snapshot: BTreeSet<SubscriptionId>,
}

impl Subscriptions {
    /// Registers a subscription that the core has accepted.
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

    /// Returns the core's ID of a subscription, unless it has ended.
    pub(super) fn id(&self, local_id: LocalId) -> Option<SubscriptionId> {
        self.ids.get(&local_id).copied()
    }

    /// Returns `true` if a subscription waits for its first snapshot.
    pub(super) fn awaits_first_snapshot(&self) -> bool {
        !self.without_snapshot.is_empty()
    }

    pub(super) fn update(&mut self, id: SubscriptionId, update: Update) {
        if !update.freshness().is_cached() {
            self.fill(id);
        }
        if let Some((_, sink)) = self.sinks.get(&id) {
            sink.update(update.snapshot, update.changes, update.settled);
        }
    }

    /// Ends a subscription that the core has ended.
    pub(super) fn end(&mut self, id: SubscriptionId, error: Option<RequestError>) {
        if let Some((local_id, sink)) = self.sinks.remove(&id) {
            self.ids.remove(&local_id);
            self.fill(id);
            sink.end(error.map(Error::from));
        }
    }

    fn fill(&mut self, id: SubscriptionId) {
        if self.without_snapshot.remove(&id) && self.without_snapshot.is_empty() {
            // An empty set keeps a node with room for eleven entries.
            self.without_snapshot = BTreeSet::new();
        }
    }

    /// Ends all subscriptions when the driver stops.
    pub(super) fn end_all(&mut self, error: &Error) {
        self.ids.clear();
        for (_, sink) in std::mem::take(&mut self.sinks).into_values() {
            sink.end(Some(error.clone()));
        }
    }
}
