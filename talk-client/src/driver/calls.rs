//! The pending calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use talk_proto::{
    CommandError, ConnectionState, Reply, RequestError, RequestId, Timestamp, TransportError,
};

use crate::error::Error;
use crate::handle::{LocalId, ReplySender};

/// The pending calls with their reply senders and deadlines.
pub(super) struct Calls {
    /// The time-out of calls that have no own one.
    timeout: Option<Duration>,
    requests: BTreeMap<LocalId, RequestId>,
    waiting: BTreeMap<RequestId, Waiting>,
    deadlines: BTreeSet<(Timestamp, RequestId)>,
}

struct Waiting {
    local_id: LocalId,
    reply: ReplySender,
    deadline: Option<Deadline>,
}

struct Deadline {
    at: Timestamp,
    /// The time-out of the call.
    after: Duration,
    /// Set once the call has expired.
    expired: Option<Expired>,
}

struct Expired {
    last_failure: Option<String>,
}

impl Calls {
    pub(super) fn new(timeout: Option<Duration>) -> Self {
        Self {
            timeout,
            requests: BTreeMap::new(),
            waiting: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    /// Registers a request that the core accepted, or fails the call that it refused.
    pub(super) fn register(
        &mut self,
        now: Timestamp,
        accepted: Result<RequestId, CommandError>,
        local_id: LocalId,
        reply: ReplySender,
    ) {
        let timeout = reply.timeout.or(self.timeout);
        self.insert(now, accepted, local_id, reply, timeout);
    }

    /// Registers an upload. Its duration depends on its size, so it has no deadline unless the call
    /// has one.
    pub(super) fn register_upload(
        &mut self,
        now: Timestamp,
        accepted: Result<RequestId, CommandError>,
        local_id: LocalId,
        reply: ReplySender,
    ) {
        let timeout = reply.timeout;
        self.insert(now, accepted, local_id, reply, timeout);
    }

    fn insert(
        &mut self,
        now: Timestamp,
        accepted: Result<RequestId, CommandError>,
        local_id: LocalId,
        reply: ReplySender,
        timeout: Option<Duration>,
    ) {
        let request = match accepted {
            Ok(request) => request,
            Err(error) => {
                // Fails if the caller has stopped waiting.
                let _ = reply.send(Err(error.into()));
                return;
            }
        };
        let deadline = timeout.map(|after| Deadline {
            at: now + after,
            after,
            expired: None,
        });
        let at = deadline.as_ref().map(|deadline| (deadline.at, request));
        self.deadlines.extend(at);
        self.requests.insert(local_id, request);
        let waiting = Waiting {
            local_id,
            reply,
            deadline,
        };
        self.waiting.insert(request, waiting);
    }

    /// Removes a dropped call and returns its request, which the core has to cancel.
    pub(super) fn remove(&mut self, local_id: LocalId) -> Option<RequestId> {
        let request = self.remove_id(local_id)?;
        self.remove_waiting(request);
        Some(request)
    }

    fn remove_id(&mut self, local_id: LocalId) -> Option<RequestId> {
        let request = self.requests.remove(&local_id);
        if self.requests.is_empty() {
            self.requests = BTreeMap::new();
        }
        request
    }

    /// Sends the result of a request to the caller.
    pub(super) fn resolve(&mut self, request: RequestId, result: Result<Reply, RequestError>) {
        let Some(waiting) = self.remove_waiting(request) else {
            return;
        };
        self.remove_id(waiting.local_id);
        let result = result.map_err(|error| match (error, waiting.deadline) {
            (
                RequestError::Transport(TransportError::Cancelled {
                    maybe_happened,
                    idempotent,
                }),
                Some(Deadline {
                    after,
                    expired: Some(Expired { last_failure }),
                    ..
                }),
            ) => Error::Transport(TransportError::Deadline {
                after,
                maybe_happened,
                idempotent,
                last_failure,
            }),
            (error, _) => error.into(),
        });
        // Fails if the caller has stopped waiting.
        let _ = waiting.reply.send(result);
    }

    fn remove_waiting(&mut self, request: RequestId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&request)?;
        if let Some(deadline) = &waiting.deadline {
            self.deadlines.remove(&(deadline.at, request));
        }
        if self.waiting.is_empty() {
            // An empty map keeps a node with room for eleven entries, and most sessions are idle.
            self.waiting = BTreeMap::new();
            self.deadlines = BTreeSet::new();
        }
        Some(waiting)
    }

    /// Returns the earliest deadline.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Returns a request past its deadline, which the core has to cancel. The error of its call
    /// names the last failure of the connection.
    pub(super) fn pop_expired(
        &mut self,
        now: Timestamp,
        connection: &ConnectionState,
    ) -> Option<RequestId> {
        let (at, request) = *self.deadlines.first()?;
        if at > now {
            return None;
        }
        self.deadlines.remove(&(at, request));
        let deadline = self.waiting.get_mut(&request)?.deadline.as_mut()?;
        deadline.expired = Some(Expired {
            last_failure: connection.last_failure().map(str::to_owned),
        });
        Some(request)
    }

    /// Fails all pending calls when the driver stops.
    pub(super) fn end(&mut self, error: &Error) {
        self.requests.clear();
        self.deadlines.clear();
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            let _ = waiting.reply.send(Err(error.clone()));
        }
    }
}
