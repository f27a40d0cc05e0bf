//! How a store comes to hold what the server holds, whatever is lost or comes in between.

use crate::error::{RequestError, ServerError};
use crate::live::interface::FetchId;
use crate::live::key::StoreKey;
use crate::live::store_cx::StoreCx;
use crate::wire::ServerEvent;

/// How many events are kept while an answer is awaited. With more, the load starts anew.
const LOG_LIMIT: usize = 10_000;

/// What a store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing that is sure: what it may hold is from before a loss.
    Unloaded,
    /// That the thing does not exist, or cannot be seen.
    Absent,
    /// The thing.
    Loaded,
}

/// What is to be made of an answer, given what was heard while it was on its way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reconcile {
    /// Take it, then apply the log.
    Apply,
    /// The thing is not there, whatever the answer says.
    Absent,
    /// It is out of date: ask again.
    Refetch,
}

/// The state of one store's subscription and load.
///
/// Events that arrive before an answer may or may not be part of it, so they are kept and
/// applied over it: every event sets values, and applying one twice changes nothing. Only events
/// from before the subscription could do harm. Therefore nothing is subscribed while the server
/// has not answered that it unsubscribed something that the same events tell of.
#[derive(Debug)]
pub(crate) struct SyncState {
    key: StoreKey,
    pub(crate) stage: Stage,
    pub(crate) fetch: Option<FetchId>,
    subscription: Option<FetchId>,
    log: Vec<ServerEvent>,
}

impl SyncState {
    pub(crate) fn new(key: StoreKey) -> Self {
        Self {
            key,
            stage: Stage::Unloaded,
            fetch: None,
            subscription: None,
            log: Vec::new(),
        }
    }

    pub(crate) fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Subscribes on a connection that is ready, unless that is done, and asks for the load.
    pub(crate) fn open(&mut self, cx: &mut StoreCx) {
        if !cx.ready || self.subscription.is_some() {
            return;
        }
        // What is known already, from a list, must not miss anything meanwhile.
        if self.stage == Stage::Unloaded && cx.requests.is_closing(&self.key.scope()) {
            cx.deferred.add(&self.key);
        } else {
            self.subscription = Some(cx.requests.subscribe(&self.key));
            cx.to_fetch.add(&self.key);
        }
    }

    /// Whether there is a subscription, sent or about to be.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.subscription.is_some()
    }

    /// Whether the subscription was sent.
    pub(crate) fn is_open(&self, cx: &StoreCx) -> bool {
        let subscription = self.subscription;
        subscription.is_some_and(|fetch| !cx.requests.is_waiting(fetch))
    }

    /// Ends the subscription; one that was not sent never is.
    pub(crate) fn close(&mut self, cx: &mut StoreCx) {
        self.drop_load(cx);
        self.unsubscribe(cx);
    }

    /// Ends the subscription, but not a load.
    pub(crate) fn unsubscribe(&mut self, cx: &mut StoreCx) {
        if let Some(fetch) = self.subscription.take() {
            cx.requests.unsubscribe(&self.key, fetch);
        }
    }

    /// The connection is gone, and with it the certainty.
    pub(crate) fn lost(&mut self) {
        self.stage = Stage::Unloaded;
        self.fetch = None;
        self.subscription = None;
        self.log.clear();
    }

    /// Whether a load should be sent now.
    pub(crate) fn should_load(&self, cx: &StoreCx) -> bool {
        self.can_load(cx) && self.subscription.is_some()
    }

    /// Whether a load could be sent, were it not for the subscription.
    pub(crate) fn can_load(&self, cx: &StoreCx) -> bool {
        cx.ready && self.fetch.is_none() && self.stage == Stage::Unloaded
    }

    /// Takes note of the current user's coming and going. Whether the thing is gone now.
    pub(crate) fn follow_membership(&mut self, event: &ServerEvent, cx: &mut StoreCx) -> bool {
        match (event, self.stage) {
            (ServerEvent::SideDeleted { .. }, Stage::Loaded) => {
                self.set_absent(cx);
                true
            }
            (ServerEvent::SideCreated { .. }, Stage::Absent) => {
                self.reload(cx);
                false
            }
            _ => false,
        }
    }

    /// Keeps the event if an answer is awaited, or if `awaiting` something beside. Whether to
    /// apply it at once. What comes before anything was sent is older than any answer.
    pub(crate) fn admit(&mut self, event: &ServerEvent, awaiting: bool, cx: &mut StoreCx) -> bool {
        let is_loading = self.stage == Stage::Unloaded && self.is_open(cx);
        if is_loading || self.fetch.is_some() || awaiting {
            self.log.push(event.clone());
            if self.log.len() > LOG_LIMIT {
                self.reload(cx);
            }
        }
        self.stage == Stage::Loaded
    }

    /// Judges an answer that the thing is there, or is not.
    pub(crate) fn judge(&self, found: bool) -> Reconcile {
        if let StoreKey::Conversations(_) = self.key {
            return if found {
                Reconcile::Apply
            } else {
                Reconcile::Absent
            };
        }
        let mut membership = self.log.iter().filter_map(|event| match event {
            ServerEvent::SideCreated { .. } => Some(true),
            ServerEvent::SideDeleted { .. } => Some(false),
            _ => None,
        });
        let stayed = membership.clone().all(|joined| joined);
        match membership.next_back() {
            Some(false) => Reconcile::Absent,
            None if !found => Reconcile::Absent,
            // Joined since: what was not there is, and what was there before leaving is old.
            Some(true) if !found || !stayed => Reconcile::Refetch,
            Some(true) | None => Reconcile::Apply,
        }
    }

    /// Needs no answer any more.
    pub(crate) fn drop_load(&mut self, cx: &mut StoreCx) {
        if let Some(fetch) = self.fetch.take() {
            cx.requests.forget(fetch);
        }
    }

    /// What came while the answer was awaited.
    pub(crate) fn log(&self) -> &[ServerEvent] {
        &self.log
    }

    /// Forgets what came, as nothing is awaited any more.
    pub(crate) fn clear_log(&mut self) {
        self.log.clear();
    }

    /// Loads everything anew.
    pub(crate) fn reload(&mut self, cx: &mut StoreCx) {
        self.drop_load(cx);
        self.stage = Stage::Unloaded;
        self.log.clear();
        cx.to_fetch.add(&self.key);
    }

    /// The thing is not there.
    pub(crate) fn set_absent(&mut self, cx: &mut StoreCx) {
        self.drop_load(cx);
        self.stage = Stage::Absent;
        self.log.clear();
        cx.changed.insert(self.key.clone());
    }
}

/// Whether a refusal says that the thing is not there for the current user.
pub(crate) fn is_absence(error: &RequestError) -> bool {
    match error {
        RequestError::Server(ServerError { status: 404, .. }) => true,
        RequestError::Server(ServerError {
            status: 403,
            error_code,
            ..
        }) => error_code == "NOT_A_PARTICIPANT",
        _ => false,
    }
}
