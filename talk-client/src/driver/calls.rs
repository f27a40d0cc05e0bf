//! The calls that somebody waits for.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use talk_proto::{CommandError, Reply, RequestError, RequestId, Time, TransportError};

use crate::error::Error;
use crate::handle::{Answer, Ticket};

/// Who waits for which request.
pub(super) struct Calls {
    timeout: Option<Duration>,
    requests: BTreeMap<Ticket, RequestId>,
    waiting: BTreeMap<RequestId, Waiting>,
    /// All calls have the same time, so that the deadlines come in the order of the calls. Some are
    /// of calls that are done.
    deadlines: VecDeque<(Time, RequestId)>,
}

struct Waiting {
    ticket: Ticket,
    answer: Answer,
    overdue: bool,
}

impl Calls {
    pub(super) fn new(timeout: Option<Duration>) -> Self {
        Self {
            timeout,
            requests: BTreeMap::new(),
            waiting: BTreeMap::new(),
            deadlines: VecDeque::new(),
        }
    }

    /// The core has accepted a request, or has not.
    pub(super) fn accepted(
        &mut self,
        now: Time,
        accepted: Result<RequestId, CommandError>,
        ticket: Ticket,
        answer: Answer,
    ) {
        match accepted {
            Ok(request) => self.insert(now, request, ticket, answer),
            Err(error) => {
                // Who has stopped waiting needs no answer.
                let _ = answer.send(Err(error.into()));
            }
        }
    }

    /// The core has accepted an upload, or has not. How long it takes depends on its size: it has no
    /// deadline.
    pub(super) fn accepted_upload(
        &mut self,
        accepted: Result<RequestId, CommandError>,
        ticket: Ticket,
        answer: Answer,
    ) {
        match accepted {
            Ok(request) => self.wait(request, ticket, answer),
            Err(error) => {
                let _ = answer.send(Err(error.into()));
            }
        }
    }

    fn insert(&mut self, now: Time, request: RequestId, ticket: Ticket, answer: Answer) {
        if let Some(timeout) = self.timeout {
            if self.deadlines.len() > 2 * self.waiting.len() + 64 {
                let waiting = &self.waiting;
                self.deadlines
                    .retain(|(_, request)| waiting.contains_key(request));
            }
            self.deadlines.push_back((now + timeout, request));
        }
        self.wait(request, ticket, answer);
    }

    fn wait(&mut self, request: RequestId, ticket: Ticket, answer: Answer) {
        self.requests.insert(ticket, request);
        self.waiting.insert(
            request,
            Waiting {
                ticket,
                answer,
                overdue: false,
            },
        );
    }

    /// Nobody waits any more: the request that is to be cancelled, unless it is done.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<RequestId> {
        let request = self.requests.remove(&ticket)?;
        self.waiting.remove(&request);
        Some(request)
    }

    /// The core has resolved a request.
    pub(super) fn resolve(&mut self, request: RequestId, result: Result<Reply, RequestError>) {
        let Some(waiting) = self.waiting.remove(&request) else {
            return;
        };
        self.requests.remove(&waiting.ticket);
        let result = result.map_err(|error| match (error, self.timeout) {
            (
                RequestError::Transport(TransportError::Cancelled { maybe_happened }),
                Some(after),
            ) if waiting.overdue => Error::Transport(TransportError::Deadline {
                after,
                maybe_happened,
            }),
            (error, _) => error.into(),
        });
        // Who has stopped waiting needs no answer.
        let _ = waiting.answer.send(result);
    }

    /// When the next call is overdue.
    pub(super) fn next_deadline(&mut self) -> Option<Time> {
        while let Some((at, request)) = self.deadlines.front() {
            if self.waiting.contains_key(request) {
                return Some(*at);
            }
            self.deadlines.pop_front();
        }
        None
    }

    /// A call that is overdue, and is to be cancelled.
    pub(super) fn pop_overdue(&mut self, now: Time) -> Option<RequestId> {
        if self.next_deadline()? > now {
            return None;
        }
        let (_, request) = self.deadlines.pop_front()?;
        if let Some(waiting) = self.waiting.get_mut(&request) {
            waiting.overdue = true;
        }
        Some(request)
    }

    /// The driver stops: all that wait are told.
    pub(super) fn end(&mut self, error: &Error) {
        self.requests.clear();
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            let _ = waiting.answer.send(Err(error.clone()));
        }
    }
}
