use std::collections::VecDeque;

/// The maximum number of unanswered requests of a connection.
const MAX_REQUESTS: usize = 1000;

/// The unanswered requests of a connection with their numbers, which ascend.
#[derive(Debug, Default)]
pub(in crate::server) struct RecordedRequests(VecDeque<(u64, RecordedRequest)>);

/// An unanswered request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordedRequest {
    /// The number of its event.
    pub(super) event: u64,
    pub(super) is_ping: bool,
    /// Set if its response may contain a token.
    pub(super) is_renewal: bool,
}

impl RecordedRequests {
    /// Adds a request. The numbers of a connection ascend: with a repeated number, it is unknown
    /// which request a response answers. Then none is kept.
    pub(super) fn insert(&mut self, seq: u64, request: RecordedRequest, is_new: bool) {
        if !is_new {
            self.remove(seq);
            return;
        }
        self.0.push_back((seq, request));
        if self.0.len() > MAX_REQUESTS {
            self.0.pop_front();
        }
    }

    /// Removes the request of a response. Returns `None` if it is unknown.
    pub(super) fn remove(&mut self, seq: u64) -> Option<RecordedRequest> {
        let at = self.0.binary_search_by_key(&seq, |(seq, _)| *seq).ok()?;
        let (_, request) = self.0.remove(at)?;
        Some(request)
    }
}
