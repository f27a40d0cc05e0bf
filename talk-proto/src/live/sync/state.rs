//! The subscription and load state of a store.

use serde::Serialize;

use super::response::{Response, decode, is_absence};
use crate::error::RequestError;
use crate::live::interface::FetchId;
use crate::live::key::StoreKey;
use crate::live::store_cx::StoreCx;
use crate::wire::{Salvage, ServerEvent};

/// The maximum number of logged events while a response is pending. Above it the load restarts.
const LOG_LIMIT: usize = 10_000;

/// The state of a store's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The current state is unknown. The store may still have the state from before a connection
    /// loss.
    Unloaded,
    /// The entity does not exist, or the current user may not see it.
    Absent,
    /// The state is current.
    Loaded,
}

/// The way in which a response is combined with the events that were logged while it was pending.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reconcile {
    /// Apply the response, then the log.
    Apply,
    /// Treat the entity as absent, regardless of the response.
    Absent,
    /// Discard the outdated response and fetch again.
    Refetch,
}

/// The state of a store's subscription and load.
///
/// A response may or may not reflect the events that arrive before it. Therefore these events are
/// logged and applied to the response. This is correct because every event sets values, so that
/// applying it twice has no further effect. The list of messages ignores the new last message of a
/// deletion that it reflects already. Only events from before the subscription could corrupt
/// the state, so a store subscribes only after the server has acknowledged every UNSUBSCRIBE that
/// covers the same events.
#[derive(Debug)]
pub(crate) struct SyncState {
    key: StoreKey,
    pub(crate) stage: Stage,
    pub(crate) fetch: Option<FetchId>,
    subscription: Option<FetchId>,
    /// Boxed, because it is empty while the store is loaded.
    #[expect(
        clippy::box_collection,
        reason = "every store has the field, and few need it"
    )]
    log: Option<Box<Vec<ServerEvent>>>,
}

/// The data of a GET without parameters.
#[derive(Serialize)]
struct NoParameters {}

impl SyncState {
    pub(crate) fn new(key: StoreKey) -> Self {
        Self {
            key,
            stage: Stage::Unloaded,
            fetch: None,
            subscription: None,
            log: None,
        }
    }

    pub(crate) fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Subscribes and schedules a load if the connection is ready and no subscription exists.
    pub(crate) fn open(&mut self, cx: &mut StoreCx) {
        if !cx.ready || self.subscription.is_some() {
            return;
        }
        // State from a list is subscribed at once, because it must not miss events in between.
        if self.stage == Stage::Unloaded && cx.requests.is_closing(&self.key.scope()) {
            cx.deferred.insert(self.key.clone());
        } else {
            self.subscription = Some(cx.requests.subscribe(&self.key));
            cx.to_fetch.add(&self.key);
        }
    }

    /// Returns `true` if a subscription was sent or is queued.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.subscription.is_some()
    }

    /// Returns `true` if the subscription was sent.
    pub(crate) fn is_open(&self, cx: &StoreCx) -> bool {
        let subscription = self.subscription;
        subscription.is_some_and(|fetch| !cx.requests.is_waiting(fetch))
    }

    /// Returns `true` if the state is current and no load is pending.
    pub(crate) fn is_settled(&self) -> bool {
        self.stage == Stage::Loaded && self.fetch.is_none() && self.log.is_none()
    }

    /// Returns the subscription of a settled state.
    pub(crate) fn settled_subscription(&self) -> Option<FetchId> {
        self.subscription.filter(|_| self.is_settled())
    }

    /// Restores a current state with this subscription.
    pub(crate) fn set_settled(&mut self, subscription: FetchId) {
        self.stage = Stage::Loaded;
        self.subscription = Some(subscription);
    }

    /// Ends the subscription and the load.
    pub(crate) fn close(&mut self, cx: &mut StoreCx) {
        self.cancel_load(cx);
        self.unsubscribe(cx);
    }

    /// Ends the subscription, but not a load.
    pub(crate) fn unsubscribe(&mut self, cx: &mut StoreCx) {
        if let Some(fetch) = self.subscription.take() {
            cx.requests.unsubscribe(&self.key, fetch);
        }
    }

    /// Marks the state as outdated after a connection loss.
    pub(crate) fn handle_lost(&mut self) {
        self.stage = Stage::Unloaded;
        self.fetch = None;
        self.subscription = None;
        self.log = None;
    }

    /// Returns `true` if the current state is known.
    pub(crate) fn is_known(&self) -> bool {
        self.stage != Stage::Unloaded
    }

    /// Returns `true` if a subscribed store should send a load now.
    pub(crate) fn should_load(&self, cx: &StoreCx) -> bool {
        self.can_load(cx) && self.subscription.is_some()
    }

    /// Returns `true` if a load can be sent, with or without a subscription.
    pub(crate) fn can_load(&self, cx: &StoreCx) -> bool {
        cx.ready && self.fetch.is_none() && self.stage == Stage::Unloaded
    }

    /// Sends a GET without parameters.
    pub(crate) fn load(&mut self, cx: &mut StoreCx) {
        self.load_with(&NoParameters {}, cx);
    }

    /// Sends a GET with parameters.
    pub(crate) fn load_with(&mut self, query: &impl Serialize, cx: &mut StoreCx) {
        self.fetch = Some(cx.requests.load(&self.key, query));
    }

    /// Decodes the response to the load. Returns `Err` if the entity is absent. Reports a failure
    /// and returns `None`.
    pub(crate) fn decode<T: Salvage>(
        &mut self,
        response: Response<'_>,
        cx: &mut StoreCx,
    ) -> Option<Result<T, RequestError>> {
        self.fetch = None;
        match decode(response, &mut cx.damaged_items) {
            Err(error) if !is_absence(&error) => {
                cx.failed.push_back((self.key.clone(), error));
                None
            }
            value => Some(value),
        }
    }

    /// Handles the current user joining or leaving the conversation. Returns `true` if the entity
    /// has just become absent.
    pub(crate) fn follow_membership(&mut self, event: &ServerEvent, cx: &mut StoreCx) -> bool {
        match (self.membership(event), self.stage) {
            (Some(false), Stage::Loaded) => {
                self.set_absent(cx);
                true
            }
            (Some(true), Stage::Absent) => {
                self.reload(cx);
                false
            }
            _ => false,
        }
    }

    /// Returns the current user's membership of the conversation after an event that changes it.
    fn membership(&self, event: &ServerEvent) -> Option<bool> {
        match event {
            // A list of conversations does not belong to one conversation.
            _ if matches!(self.key, StoreKey::Conversations(_)) => None,
            ServerEvent::SideCreated { .. } => Some(true),
            ServerEvent::SideDeleted { .. } => Some(false),
            _ => None,
        }
    }

    /// Logs an event while a response is pending or the store has `other_fetches`. Returns `true`
    /// if the event should be applied now.
    pub(crate) fn admit(
        &mut self,
        event: &ServerEvent,
        other_fetches: bool,
        cx: &mut StoreCx,
    ) -> bool {
        // An event that arrives before the subscription was sent is older than any response.
        let is_loading = self.stage == Stage::Unloaded && self.is_open(cx);
        if is_loading || self.fetch.is_some() || other_fetches {
            let log = self.log.get_or_insert_default();
            log.push(event.clone());
            if log.len() > LOG_LIMIT {
                self.reload(cx);
            }
        }
        self.stage == Stage::Loaded
    }

    /// Decides how to combine a response with the log. `found` is set if the response contains the
    /// entity.
    pub(crate) fn reconcile(&self, found: bool) -> Reconcile {
        let log = self.log().iter();
        let mut membership = log.filter_map(|event| self.membership(event));
        let stayed = membership.clone().all(|joined| joined);
        match membership.next_back() {
            Some(false) => Reconcile::Absent,
            None if !found => Reconcile::Absent,
            // The user has joined since. If the response has no entity, it exists now. If it has
            // one, it may be from before the user left.
            Some(true) if !found || !stayed => Reconcile::Refetch,
            Some(true) | None => Reconcile::Apply,
        }
    }

    /// Cancels a pending load.
    pub(crate) fn cancel_load(&mut self, cx: &mut StoreCx) {
        if let Some(fetch) = self.fetch.take() {
            cx.requests.forget(fetch);
        }
    }

    /// Returns the events that arrived while a response was pending.
    pub(crate) fn log(&self) -> &[ServerEvent] {
        self.log.as_ref().map_or(&[], |log| log)
    }

    pub(crate) fn clear_log(&mut self) {
        self.log = None;
    }

    /// Restarts the load.
    pub(crate) fn reload(&mut self, cx: &mut StoreCx) {
        self.set_stage(Stage::Unloaded, cx);
        cx.to_fetch.add(&self.key);
    }

    /// Marks the entity as absent.
    pub(crate) fn set_absent(&mut self, cx: &mut StoreCx) {
        self.set_stage(Stage::Absent, cx);
        cx.changed.insert(self.key.clone());
    }

    /// Sets the stage and discards a pending load and the log.
    pub(crate) fn set_stage(&mut self, stage: Stage, cx: &mut StoreCx) {
        self.cancel_load(cx);
        self.stage = stage;
        self.log = None;
    }
}
