use std::collections::BTreeMap;
use std::sync::Arc;

use super::frame::RequestLine;

/// The maximum number of unanswered requests of a connection.
const MAX_REQUESTS: usize = 1000;

/// The unanswered requests of a connection, by number. An unreadable request has no line.
#[derive(Debug, Default)]
pub(in crate::server) struct RecordedRequests(BTreeMap<u64, Option<Arc<RequestLine>>>);

impl RecordedRequests {
    /// Adds a request. The numbers of a connection ascend: with a repeated number, it is unknown
    /// which request a response answers. Then none is kept.
    pub(super) fn insert(&mut self, seq: u64, line: Option<Arc<RequestLine>>, is_new: bool) {
        if !is_new {
            self.0.remove(&seq);
            return;
        }
        self.0.insert(seq, line);
        if self.0.len() > MAX_REQUESTS {
            self.0.pop_first();
        }
    }

    /// Removes the request of a response. Returns `None` if it is unknown.
    pub(super) fn remove(&mut self, seq: u64) -> Option<Option<Arc<RequestLine>>> {
        self.0.remove(&seq)
    }
}
