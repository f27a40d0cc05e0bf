//! The subscriptions that somebody looks at.

use std::collections::BTreeMap;
use std::sync::Arc;

use talk_proto::{RequestError, SubscriptionId, Update};

use crate::error::Error;
use crate::handle::Ticket;
use crate::subscription::Display;

/// Where the snapshots of each subscription go.
#[derive(Default)]
pub(super) struct Subscriptions {
    ids: BTreeMap<Ticket, SubscriptionId>,
    displays: BTreeMap<SubscriptionId, (Ticket, Arc<dyn Display>)>,
}

impl Subscriptions {
    /// The core has accepted a subscription.
    pub(super) fn insert(&mut self, id: SubscriptionId, ticket: Ticket, display: Arc<dyn Display>) {
        self.ids.insert(ticket, id);
        self.displays.insert(id, (ticket, display));
    }

    /// The core's name of a subscription that has not ended.
    pub(super) fn id(&self, ticket: Ticket) -> Option<SubscriptionId> {
        self.ids.get(&ticket).copied()
    }

    pub(super) fn show(&self, id: SubscriptionId, update: Update) {
        if let Some((_, display)) = self.displays.get(&id) {
            display.show(update.snapshot, update.changes);
        }
    }

    /// The core has ended a subscription.
    pub(super) fn end(&mut self, id: SubscriptionId, error: Option<RequestError>) {
        if let Some((ticket, display)) = self.displays.remove(&id) {
            self.ids.remove(&ticket);
            display.end(error.map(Error::from));
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
