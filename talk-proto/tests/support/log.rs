//! A log of a session's outputs.

use serde_json::{Value, json};
use talk_proto::{
    ConnectionState, Event, HttpBody, HttpId, SocketId, SubscriptionId, Timestamp, Update,
};

/// A request as written in a frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) at: Timestamp,
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    pub(crate) seq: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) data: Value,
    pub(crate) headers: Value,
}

impl Request {
    /// Returns `METHOD /path`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Returns `[METHOD, path, data, headers]`, as in the vectors.
    pub(crate) fn frame(&self) -> Value {
        json!([self.method, self.path, self.data, self.headers])
    }

    /// Returns `true` if the request only maintains the connection.
    pub(crate) fn is_housekeeping(&self) -> bool {
        matches!(self.path.as_str(), "/session/renew" | "/ping")
    }
}

/// A socket that the session opened.
#[derive(Clone, Debug)]
pub(crate) struct SocketLog {
    pub(crate) id: SocketId,
    pub(crate) url: String,
    pub(crate) asked_at: Timestamp,
    pub(crate) is_open: bool,
    /// The time of the end, and the close code if the session closed the socket.
    pub(crate) closed: Option<(Timestamp, Option<u16>)>,
}

/// An HTTP request of the session.
#[derive(Clone, Debug)]
pub(crate) struct HttpAsked {
    pub(crate) id: HttpId,
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    pub(crate) uri: String,
    /// The headers, including secrets.
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: HttpBody,
    /// Set if the session has cancelled the request.
    pub(crate) cancelled: bool,
    /// Set if further inputs for the request are ignored.
    pub(crate) is_over: bool,
}

/// All outputs of a session, in order.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) sockets: Vec<SocketLog>,
    pub(crate) requests: Vec<Request>,
    pub(crate) acks: Vec<u64>,
    pub(crate) token_fetches: Vec<Timestamp>,
    pub(crate) http: Vec<HttpAsked>,
    pub(crate) events: Vec<(Timestamp, Event)>,
}

impl Log {
    /// Returns the requests without housekeeping.
    pub(crate) fn work(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|r| !r.is_housekeeping())
    }

    /// Returns the requests for `METHOD /path`.
    pub(crate) fn of(&self, line: &str) -> Vec<&Request> {
        self.requests.iter().filter(|r| r.line() == line).collect()
    }

    /// Returns the times at which requests for `METHOD /path` were sent.
    pub(crate) fn times_of(&self, line: &str) -> Vec<Timestamp> {
        self.of(line).iter().map(|r| r.at).collect()
    }

    /// Returns the tokens that were sent to the server.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let renewals = self.of("POST /session/renew");
        let token = |r: &&Request| r.data["token"].as_str().unwrap_or_default().to_owned();
        renewals.iter().map(token).collect()
    }

    /// Returns the updates of a subscription.
    pub(crate) fn updates(&self, id: SubscriptionId) -> impl Iterator<Item = &Update> {
        self.events
            .iter()
            .filter_map(move |(_, event)| match event {
                Event::Updated {
                    subscription,
                    update,
                } if *subscription == id => Some(&**update),
                _ => None,
            })
    }

    /// Returns the reported states of the connection.
    pub(crate) fn states(&self) -> Vec<&ConnectionState> {
        self.events
            .iter()
            .filter_map(|(_, event)| match event {
                Event::Connection(state) => Some(state),
                _ => None,
            })
            .collect()
    }
}
