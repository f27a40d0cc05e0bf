//! HTTP exchanges whose answers are small and read whole.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::collections::GiveBack;
use crate::io::{HttpFailure, HttpId};
use crate::timestamp::Timestamp;

/// An exchange that is not over by then has failed.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// What these answers need is far smaller; more is not kept.
const MAX_BODY: usize = 64 << 10;

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Does the app exist?
    AppCheck,
    /// An anonymous token.
    Boken,
}

struct Exchange {
    purpose: Purpose,
    status: Option<u16>,
    body: Vec<u8>,
    deadline: Timestamp,
}

/// An exchange that is over: its status and body, or what went wrong.
pub(crate) struct Finished {
    pub(crate) http: HttpId,
    pub(crate) purpose: Purpose,
    pub(crate) result: Result<(u16, Vec<u8>), String>,
}

/// The exchanges under way.
#[derive(Default)]
pub(crate) struct Exchanges {
    under_way: BTreeMap<HttpId, Exchange>,
}

impl Exchanges {
    pub(crate) fn start(&mut self, now: Timestamp, http: HttpId, purpose: Purpose) {
        let deadline = now + ANSWER_WITHIN;
        let exchange = Exchange {
            purpose,
            status: None,
            body: Vec::new(),
            deadline,
        };
        self.under_way.insert(http, exchange);
    }

    pub(crate) fn handle_head(&mut self, http: HttpId, status: u16) {
        if let Some(exchange) = self.under_way.get_mut(&http) {
            exchange.status = Some(status);
        }
    }

    pub(crate) fn handle_chunk(&mut self, http: HttpId, chunk: &Bytes) {
        if let Some(exchange) = self.under_way.get_mut(&http) {
            let room = MAX_BODY.saturating_sub(exchange.body.len());
            exchange
                .body
                .extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
    }

    pub(crate) fn handle_end(&mut self, http: HttpId) -> Option<Finished> {
        let Exchange {
            purpose,
            status,
            body,
            ..
        } = self.under_way.remove(&http)?;
        let result = status
            .map(|status| (status, body))
            .ok_or_else(|| "no answer".to_owned());
        Some(Finished {
            http,
            purpose,
            result,
        })
    }

    pub(crate) fn handle_failure(
        &mut self,
        http: HttpId,
        failure: HttpFailure,
    ) -> Option<Finished> {
        let Exchange { purpose, .. } = self.under_way.remove(&http)?;
        Some(Finished {
            http,
            purpose,
            result: Err(failure.to_string()),
        })
    }

    /// An exchange that has taken too long.
    pub(crate) fn pop_overdue(&mut self, now: Timestamp) -> Option<Finished> {
        let overdue = self
            .under_way
            .iter()
            .find(|(_, exchange)| exchange.deadline <= now);
        let (&http, &Exchange { purpose, .. }) = overdue?;
        self.under_way.remove(&http);
        Some(Finished {
            http,
            purpose,
            result: Err("no answer within 60 s".to_owned()),
        })
    }

    /// Forgets an exchange.
    pub(crate) fn remove(&mut self, http: HttpId) {
        self.under_way.remove(&http);
    }

    /// Forgets every exchange; their IDs.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = HttpId> + use<> {
        std::mem::take(&mut self.under_way).into_keys()
    }

    /// Gives back the memory of what is empty.
    pub(crate) fn give_back(&mut self) {
        self.under_way.give_back();
    }

    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.under_way
            .values()
            .map(|exchange| exchange.deadline)
            .min()
    }
}
