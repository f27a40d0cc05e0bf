//! Requests that the control API makes in the name of a user.

use serde_json::value::RawValue;
use talk_proto::Timestamp;

use super::machine::Server;
use super::output::ConnectionId;
use super::refusal::Refusal;
use super::reply::Body;
use super::routes;

/// The connection of these requests, which is never open.
const NO_CONNECTION: ConnectionId = ConnectionId(u64::MAX);

impl Server {
    /// Answers a request of a user as over a WebSocket, and returns the status and the JSON data of
    /// the response. Connected clients receive its events. Faults do not apply.
    ///
    /// Returns `None` if the user does not exist. A subscription needs a connection, and is
    /// refused.
    pub fn act(
        &mut self,
        now: Timestamp,
        (app, user): (&str, &str),
        (method, path): (&str, &str),
        data: Option<&RawValue>,
    ) -> Option<(u16, String)> {
        self.advance(now);
        let known = self.apps.get(app)?;
        if !known.store.users.contains_key(user) {
            return None;
        }
        let reply = if matches!(method, "SUBSCRIBE" | "UNSUBSCRIBE") {
            Err(Refusal::invalid(
                "INVALID_REQUEST",
                "A subscription needs a connection.",
            ))
        } else {
            self.with_cx(app, user, |cx| {
                routes::dispatch(cx, NO_CONNECTION, method, path, Body(data))
            })
        };
        self.flush();
        if reply.is_ok() && method == "POST" && path.ends_with("/typing") {
            // Typing is no data, and the inspector sees no frame of this request.
            self.inspector.push_data(self.now, Some(app));
        }
        Some(match reply {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status, refusal.json()),
        })
    }
}
