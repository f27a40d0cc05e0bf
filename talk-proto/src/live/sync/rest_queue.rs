//! The order in which the rest of long lists is loaded: one page at a time, over all lists.

use std::collections::VecDeque;

use super::requests::LiveRequests;
use crate::live::interface::FetchId;
use crate::live::key::StoreKey;

/// The lists with a rest to load, and the page in flight.
#[derive(Default)]
pub(crate) struct RestQueue {
    /// Distinct lists. A list with further pages queues again behind the others.
    queue: VecDeque<StoreKey>,
    /// The lists that may still wait for their first items, or `None` until they are collected.
    /// Lists that open later are not among them, so that they cannot delay the rest without end.
    pub(crate) loading: Option<VecDeque<StoreKey>>,
    fetch: Option<FetchId>,
}

impl RestQueue {
    /// Adds a list, unless it is queued.
    pub(crate) fn add(&mut self, key: &StoreKey) {
        if !self.queue.contains(key) {
            self.queue.push_back(key.clone());
        }
    }

    /// Returns `true` while a page is in flight.
    pub(crate) fn is_busy(&self, requests: &LiveRequests) -> bool {
        self.fetch.is_some_and(|fetch| requests.is_open(fetch))
    }

    /// Removes and returns the next list.
    pub(crate) fn pop(&mut self) -> Option<StoreKey> {
        self.queue.pop_front()
    }

    /// Records the page in flight.
    pub(crate) fn set_fetch(&mut self, fetch: FetchId) {
        self.fetch = Some(fetch);
    }
}
