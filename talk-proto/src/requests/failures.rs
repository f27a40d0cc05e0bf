//! Failures that are counted per request, across resends and connections.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::QueueSlot;
use crate::collections::ReleaseMemory;
use crate::error::TransportError;
use crate::model::UserId;
use crate::wire::{Method, Request};

/// The number of tokens that may be rejected for a request before it counts as refused.
const MAX_TOKENS: u32 = 5;
/// The number of losses to an oversized frame after which a request in flight fails.
const MAX_LARGE_LOSSES: u32 = 2;
/// A request that was unanswered for too long on this many connections fails.
const MAX_UNANSWERED: u32 = 3;

/// The cause of the loss of a connection, as far as it concerns requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LossCause {
    /// No request in flight was involved.
    Other,
    /// A frame was larger than the limit. It may have been the answer to any request in flight.
    LargeFrame,
    /// These requests were unanswered for too long.
    Unanswered(Vec<QueueSlot>),
}

/// The identity of a request. Calls keep their slot. The live half repeats its requests in new
/// slots, so these are identified by their content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FailureKey {
    Call(QueueSlot),
    Live(Request),
}

#[derive(Default)]
struct Failures {
    large_losses: u32,
    unanswered: u32,
    rejected_tokens: u32,
    /// The last rejected token, by the number of the first request that was sent with it.
    last_token: Option<u64>,
}

/// The failures of all pending requests.
#[derive(Default)]
pub(super) struct FailureTable(BTreeMap<FailureKey, Failures>);

impl FailureTable {
    /// Counts a token that was rejected for a request. Equal requests that fail with one token
    /// count once. Returns `true` if the request must not be sent again.
    pub(super) fn count_rejection(&mut self, key: FailureKey, token: u64) -> bool {
        let failures = self.0.entry(key).or_default();
        if failures.last_token.replace(token) != Some(token) {
            failures.rejected_tokens += 1;
        }
        failures.rejected_tokens >= MAX_TOKENS
    }

    /// Counts a loss that had this cause for these requests.
    pub(super) fn count_loss(&mut self, cause: &LossCause, keys: BTreeSet<FailureKey>) {
        for key in keys {
            let failures = self.0.entry(key).or_default();
            match cause {
                LossCause::Other => {}
                LossCause::LargeFrame => failures.large_losses += 1,
                LossCause::Unanswered(_) => failures.unanswered += 1,
            }
        }
    }

    /// Returns the error of a request that was involved in too many losses.
    pub(super) fn loss_error(
        &self,
        key: &FailureKey,
        is_idempotent: bool,
    ) -> Option<TransportError> {
        let failures = self.0.get(key)?;
        if failures.large_losses >= MAX_LARGE_LOSSES {
            Some(TransportError::FrameTooLarge)
        } else if failures.unanswered >= MAX_UNANSWERED {
            Some(TransportError::Unanswered {
                maybe_happened: true,
                idempotent: is_idempotent,
            })
        } else {
            None
        }
    }

    /// Forgets the failures of a request.
    pub(super) fn remove(&mut self, key: &FailureKey) {
        self.0.remove(key);
    }

    /// Removes the failures of a successful request of the live half, and the losses of other pages
    /// of the same entity. Requests for users are separate entities with a common path.
    pub(super) fn handle_live_success(&mut self, answered: &Request) {
        if self.0.is_empty() {
            return;
        }
        self.remove(&FailureKey::Live(answered.clone()));
        if answered.method == Method::Get && answered.path != "/users" {
            for (key, failures) in &mut self.0 {
                if matches!(key, FailureKey::Live(request) if request.path == answered.path) {
                    failures.large_losses = 0;
                    failures.unanswered = 0;
                }
            }
        }
    }

    /// Removes the failures of a failed request of the live half, and those of other requests for
    /// the same entity. A later viewer of the entity starts without failures.
    pub(super) fn handle_live_failure(&mut self, failed: &Request) {
        self.remove(&FailureKey::Live(failed.clone()));
        if failed.path != "/users" {
            self.forget_entity(&failed.path);
        }
    }

    /// Removes the failures of all requests of the live half with a path.
    pub(super) fn forget_entity(&mut self, path: &str) {
        self.0.retain(|key, _| match key {
            FailureKey::Call(_) => true,
            FailureKey::Live(request) => request.path != path,
        });
    }

    /// Removes the failures of all requests of the live half that name a user among others.
    pub(super) fn forget_user(&mut self, user: &UserId) {
        let name = serde_json::Value::from(user.as_str()).to_string();
        self.0.retain(|key, _| match key {
            FailureKey::Call(_) => true,
            FailureKey::Live(request) => request.path != "/users" || !request.data.contains(&name),
        });
    }

    /// Handles a connection loss, after which the live half repeats its requests.
    pub(super) fn handle_lost(&mut self) {
        self.0.retain(|key, failures| {
            failures.last_token = None;
            if let FailureKey::Live(_) = key {
                failures.rejected_tokens = 0;
            }
            failures.rejected_tokens > 0 || failures.large_losses > 0 || failures.unanswered > 0
        });
    }

    /// Returns `true` if no request has failed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Releases the memory of an empty table.
    pub(super) fn release_memory(&mut self) {
        self.0.release_memory();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> FailureKey {
        FailureKey::Live(Request::bare(Method::Get, path.to_owned()))
    }

    /// Counts rejections of all allowed tokens except the last.
    fn nearly(table: &mut FailureTable, key: &FailureKey, from: u64) {
        for token in from..from + u64::from(MAX_TOKENS) - 1 {
            assert!(!table.count_rejection(key.clone(), token));
        }
    }

    #[test]
    fn count_rejection_equal_tokens_count_once() {
        let mut table = FailureTable::default();
        let counts = [1, 1, 2, 3, 4, 4, 5].map(|token| table.count_rejection(get("/a"), token));
        assert_eq!(counts, [false, false, false, false, false, false, true]);
    }

    #[test]
    fn count_rejection_counts_each_request_apart() {
        let mut table = FailureTable::default();
        nearly(&mut table, &get("/a"), 1);
        assert!(!table.count_rejection(get("/b"), 5));
        assert!(table.count_rejection(get("/a"), 5));
    }

    #[test]
    fn count_rejection_restarts_after_success_and_loss() {
        let mut table = FailureTable::default();
        nearly(&mut table, &get("/a"), 1);
        table.handle_live_success(&Request::bare(Method::Get, "/b".to_owned()));
        table.handle_live_success(&Request::bare(Method::Get, "/a".to_owned()));
        nearly(&mut table, &get("/a"), 10);
        table.handle_lost();
        nearly(&mut table, &get("/a"), 20);
        assert!(table.count_rejection(get("/a"), 30));
    }

    #[test]
    fn live_failure_forgets_other_requests_for_the_entity() {
        let mut table = FailureTable::default();
        let subscribe = Request::bare(Method::Subscribe, "/a".to_owned());
        let keys = [get("/a"), get("/b"), FailureKey::Live(subscribe.clone())];
        for _ in 0..MAX_LARGE_LOSSES {
            table.count_loss(&LossCause::LargeFrame, BTreeSet::from(keys.clone()));
        }
        table.handle_live_failure(&subscribe);
        let errors = keys.map(|key| table.loss_error(&key, true).is_some());
        assert_eq!(errors, [false, true, false]);
    }

    #[test]
    fn losses_are_counted_until_an_answer() {
        let unanswered = TransportError::Unanswered {
            maybe_happened: true,
            idempotent: true,
        };
        for (cause, limit, error) in [
            (LossCause::LargeFrame, 2, TransportError::FrameTooLarge),
            (LossCause::Unanswered(Vec::new()), 3, unanswered),
        ] {
            let mut table = FailureTable::default();
            for _ in 0..limit {
                assert_eq!(table.loss_error(&get("/a"), true), None);
                table.count_loss(&cause, BTreeSet::from([get("/a")]));
                table.handle_lost();
            }
            assert_eq!(table.loss_error(&get("/a"), true), Some(error));
            table.handle_live_success(&Request::bare(Method::Get, "/a".to_owned()));
            assert_eq!(table.loss_error(&get("/a"), true), None);
        }
    }
}
