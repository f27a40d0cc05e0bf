//! The subscriptions that somebody looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use talk_proto::{RequestError, SubscriptionId, Update};

use crate::error::Error;
use crate::handle::Ticket;
use crate::subscription::cell::Display;

/// Where the snapshots of each subscription go.
#[derive(Default)]
pub(super) struct Subscriptions {
    ids: BTreeMap<Ticket, SubscriptionId>,
    displays: BTreeMap<SubscriptionId, (Ticket, Arc<dyn Display>)>,
    /// Those that have shown nothing yet.
    blank: BTreeSet<SubscriptionId>,
}

impl Subscriptions {
    /// The core has accepted a subscription.
    pub(super) fn insert(&mut self, id: SubscriptionId, ticket: Ticket, display: Arc<dyn Display>) {
        self.ids.insert(ticket, id);
        self.displays.insert(id, (ticket, display));
        self.blank.insert(id);
    }

    /// The core's name of a subscription that has not ended.
    pub(super) fn id(&self, ticket: Ticket) -> Option<SubscriptionId> {
        self.ids.get(&ticket).copied()
    }

    /// Whether one has shown nothing yet.
    pub(super) fn await_first(&self) -> bool {
        !self.blank.is_empty()
    }

    pub(super) fn show(&mut self, id: SubscriptionId, update: Update) {
        self.fill(id);
        if let Some((_, display)) = self.displays.get(&id) {
            display.show(update.snapshot, update.changes);
        }
    }

    /// The core has ended a subscription.
    pub(super) fn end(&mut self, id: SubscriptionId, error: Option<RequestError>) {
        if let Some((ticket, display)) = self.displays.remove(&id) {
            self.ids.remove(&ticket);
            self.fill(id);
            display.end(error.map(Error::from));
        }
    }

    fn fill(&mut self, id: SubscriptionId) {
        if self.blank.remove(&id) && self.blank.is_empty() {
            // An empty set keeps room for eleven.
            self.blank = BTreeSet::new();
        }
    }

    /// The driver stops: all that are left end.
    pub(super) fn end_all(&mut self, error: &Error) {
        self.ids.clear();
        for (_, display) in std::mem::take(&mut self.displays).into_values() {
            display.end(Some(error.clone()));
        }
    }
}
