//! The requests that a server has received.

use std::collections::VecDeque;
use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;
use talk_proto::Timestamp;

use super::inspector::mask_request_data;
use super::machine::Server;

/// The bytes of data that are kept, of all requests together.
const MAX_BYTES: usize = 4 << 20;

/// A request that a server has received, over a WebSocket or HTTP.
///
/// `Debug` does not show the data, which may hold message text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The position in the order of requests, from 1.
    pub number: u64,
    /// The time at which it was received.
    pub at: Timestamp,
    /// The app. Empty for an HTTP request to an unknown address.
    pub app: String,
    /// The user of the WebSocket. Absent for HTTP requests.
    pub user: Option<String>,
    /// The method: `GET`, `POST`, `SUBSCRIBE`…
    pub method: String,
    /// The path on the wire, without a query: `/conversations/lobby/messages`. For HTTP requests it
    /// starts with `/api/v0/`, `/public_api/v1/` or `/v1/`.
    pub path: String,
    /// The JSON data of a WebSocket request, or the JSON body of an HTTP request.
    pub data: Option<String>,
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("number", &self.number)
            .field("at", &self.at)
            .field("app", &self.app)
            .field("user", &self.user)
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The latest requests.
#[derive(Debug, Default)]
pub(super) struct RequestLog {
    max: usize,
    requests: VecDeque<ReceivedRequest>,
    bytes: usize,
    last: u64,
}

impl RequestLog {
    pub(super) fn is_on(&self) -> bool {
        self.max > 0
    }

    pub(super) fn clear(&mut self) {
        *self = Self {
            max: self.max,
            last: self.last,
            ..Self::default()
        };
    }

    pub(super) fn push(&mut self, mut request: ReceivedRequest) {
        self.last += 1;
        request.number = self.last;
        self.bytes += size(&request);
        self.requests.push_back(request);
        while self.requests.len() > self.max || self.bytes > MAX_BYTES {
            let Some(oldest) = self.requests.pop_front() else {
                return;
            };
            self.bytes -= size(&oldest);
        }
    }
}

fn size(request: &ReceivedRequest) -> usize {
    request.path.len() + request.data.as_ref().map_or(0, String::len)
}

/// Returns a path without its query, which may contain a token or a search text.
pub(super) fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// Returns a method for the log. Another string than a method may contain anything.
pub(crate) fn logged_method(method: &str) -> &str {
    const METHODS: [&str; 9] = [
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
    ];
    let is_known = METHODS.contains(&method);
    if is_known { method } else { "unknown" }
}

impl ReceivedRequest {
    /// Returns the data as JSON, with a masked token.
    #[must_use]
    pub fn masked_data(&self) -> Option<Value> {
        let data = mask_request_data(&self.path, self.data.as_deref()?);
        serde_json::from_str(&data).ok()
    }
}

impl Server {
    /// Records the latest `max` requests from now on, with at most 4 MiB of data. 0, the default,
    /// records none. An [`Emulator`](crate::Emulator) records 1,000.
    pub fn record_requests(&mut self, max: usize) {
        self.requests = RequestLog {
            max,
            ..RequestLog::default()
        };
    }

    /// Returns the recorded requests, oldest first.
    pub fn received_requests(&self) -> impl DoubleEndedIterator<Item = &ReceivedRequest> {
        self.requests.requests.iter()
    }

    /// Returns the number of the last request.
    pub fn last_request(&self) -> u64 {
        self.requests.last
    }

    pub(super) fn record(
        &mut self,
        app: &str,
        user: Option<&str>,
        (method, path): (&str, &str),
        data: Option<&RawValue>,
    ) {
        if !self.requests.is_on() {
            return;
        }
        self.requests.push(ReceivedRequest {
            number: 0,
            at: self.now,
            app: app.to_owned(),
            user: user.map(str::to_owned),
            method: method.to_owned(),
            path: path.to_owned(),
            data: data.map(|data| data.get().to_owned()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{logged_method, without_query};

    #[test]
    fn logged_line_has_no_query_and_no_unknown_method() {
        assert_eq!(without_query("/session/renew?token=t"), "/session/renew");
        assert_eq!(without_query("/ping"), "/ping");
        assert_eq!(logged_method("SUBSCRIBE"), "SUBSCRIBE");
        assert_eq!(logged_method("SEND a text"), "unknown");
    }
}
