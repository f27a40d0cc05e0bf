//! Requests to the server that bypass all sessions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use talk_emulator::server::ConnectionId;

use super::broken::broken;
use super::world::{APP, CONVERSATIONS, USERS, World};

/// The first connection number of probes, which belong to no session.
const PROBES: u64 = 1 << 62;
/// The number of messages in the first conversation of worlds with long windows.
const LONG_WINDOW: u32 = 450;
/// A user that is in every conversation and sends nothing.
pub(super) const OBSERVER: &str = "observer";

pub(super) fn is_probe(connection: ConnectionId) -> bool {
    connection.0 >= PROBES
}

/// The connections of the probes, one for each user.
#[derive(Default)]
pub(super) struct Probes {
    open: BTreeMap<String, (ConnectionId, u64)>,
}

impl World {
    /// Sends a request as `user` and returns the status and body of the server's answer.
    pub(super) fn probe(
        &mut self,
        probes: &mut Probes,
        user: &str,
        method: &str,
        path: &str,
        data: &Value,
    ) -> (u16, Value) {
        if !probes.open.contains_key(user) {
            let id = ConnectionId(PROBES + probes.open.len() as u64);
            self.server.open(self.now, id, APP, user);
            let token = self.token(user, self.now + Duration::from_secs(600));
            let renew = json!([0, "POST", "/session/renew", {"token": token}, {}]);
            self.server.handle_frame(self.now, id, &renew.to_string());
            probes.open.insert(user.to_owned(), (id, 0));
        }
        let Some((id, seq)) = probes.open.get_mut(user) else {
            return (0, Value::Null);
        };
        *seq += 1;
        let frame = json!([*seq, method, path, data, {}]).to_string();
        self.server.handle_frame(self.now, *id, &frame);
        self.post();
        let mut answer = None;
        for (connection, text) in std::mem::take(&mut self.probe_frames) {
            let frame: Value = serde_json::from_str(&text).unwrap_or_default();
            let status = frame[1].as_u64().and_then(|s| u16::try_from(s).ok());
            if connection == *id && frame[0] == *seq && status.is_some() {
                answer = status.map(|status| (status, frame[2].clone()));
            }
        }
        answer.unwrap_or_else(|| broken("the server answers", frame))
    }

    /// Creates all users, and adds them to every conversation.
    pub(super) fn populate(&mut self) {
        let mut probes = Probes::default();
        let everybody = USERS.iter().chain([&OBSERVER]);
        for user in everybody.clone() {
            let (path, name) = (format!("/users/{user}"), json!({"name": user}));
            self.probe(&mut probes, user, "POST", &path, &name);
        }
        for conversation in self.conversations() {
            let path = conversation_path(conversation);
            self.probe(&mut probes, OBSERVER, "POST", &path, &json!({}));
            let actions: Vec<_> = everybody
                .clone()
                .map(|user| json!({"id": user, "method": "POST", "params": {}}))
                .collect();
            let path = format!("{path}/participants");
            self.probe(
                &mut probes,
                OBSERVER,
                "POST",
                &path,
                &json!({"actions": actions}),
            );
        }
        if self.has_long_windows {
            self.fill_first_conversation(&mut probes);
        }
        self.close_probes(probes);
    }

    /// Sends the messages of long windows to the first conversation.
    fn fill_first_conversation(&mut self, probes: &mut Probes) {
        let path = format!("{}/messages", conversation_path(CONVERSATIONS[0]));
        for n in 0..LONG_WINDOW {
            self.now = self.now + Duration::from_millis(1);
            let content = json!([{"type": "text", "children": [format!("old {n}")]}]);
            let message = json!({"content": content, "idempotencyKey": format!("old {n}")});
            self.probe(probes, USERS[0], "POST", &path, &message);
        }
    }

    pub(super) fn close_probes(&mut self, probes: Probes) {
        for (connection, _) in probes.open.into_values() {
            self.server.closed(self.now, connection);
        }
        self.post();
        self.probe_frames.clear();
    }
}

pub(super) fn conversation_path(conversation: &str) -> String {
    format!("/conversations/{}", conversation.replace('/', "%2F"))
}
