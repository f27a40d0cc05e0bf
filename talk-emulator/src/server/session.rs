//! Authentication of connections: `POST /session/renew`, expiry.

use serde::{Deserialize, Serialize};
use talk_proto::Timestamp;

use super::auth;
use super::connection::Session;
use super::events::Event;
use super::inspector::ConnectionChange;
use super::machine::Server;
use super::output::ConnectionId;
use super::presence;
use super::refusal::Refusal;
use super::reply::{Body, Reply, reply};
use super::seen_tokens::SeenTokens;
use super::timers::Timer;

#[derive(Deserialize)]
struct Renewal {
    token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Renewed {
    expires_in_seconds: Option<u64>,
}

impl Server {
    pub(super) fn renew(&mut self, id: ConnectionId, body: Body<'_>) -> Reply {
        let Renewal { token } = body.parse()?;
        let Some(connection) = self.connections.get(&id) else {
            return Err(Refusal::unauthorized("The connection is closed."));
        };
        let (app, user) = (connection.app.clone(), connection.user.clone());
        if self.settings.refused_apps.contains(&*app) {
            return Err(Refusal::app_not_found());
        }
        let secret = self.settings.secret();
        let identity = auth::verify(secret, &app, &token, self.now)?;
        if secret.is_some() && identity.user.as_deref() != Some(&*user) {
            return Err(Refusal::unauthorized("The token is another user's."));
        }
        if secret.is_none()
            && let Some(app) = self.apps.get_mut(&*app)
        {
            app.seen_tokens.remember(&token, &user);
        }
        self.start_session(id, identity.expires);
        let came_online = self
            .apps
            .get_mut(&*app)
            .is_some_and(|app| app.subscribers.connect(id, &user));
        if came_online {
            self.with_cx(&app, &user, |cx| presence::publish_if_exists(cx, &user));
        }
        let left = identity
            .expires
            .map(|expires| expires.saturating_since(self.now).as_secs());
        reply(&Renewed {
            expires_in_seconds: left,
        })
    }

    fn start_session(&mut self, id: ConnectionId, expires: Option<Timestamp>) {
        self.cancel_expiry(id);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.session = Session::Active { expires };
            self.events.prepend(id, connection.take_held_events());
        }
        self.note_connection(id, ConnectionChange::Authenticated);
        if let Some(expires) = expires {
            self.timers.set(expires, Timer::SessionExpires(id));
        }
    }

    /// Cancels the expiry timer of a connection.
    pub(super) fn cancel_expiry(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(&id)
            && let Session::Active {
                expires: Some(expires),
            } = connection.session
        {
            self.timers.cancel(expires, Timer::SessionExpires(id));
        }
    }

    /// Sends an event about the connection itself, also while its session is expired.
    pub(super) fn publish_now(&mut self, id: ConnectionId, event: &Event<'_>) {
        // Infallible: such an event has no members besides its type.
        let Ok(event) = serde_json::to_string(event) else {
            return;
        };
        if let Some(connection) = self.connections.get_mut(&id) {
            let text = connection.publish(&[event.into()]);
            self.send(id, text);
        }
    }

    /// Expires all sessions, because their tokens are no longer valid.
    pub(super) fn expire_all(&mut self) {
        let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for id in all {
            self.expire(id);
        }
        for app in self.apps.values_mut() {
            app.seen_tokens = SeenTokens::default();
        }
        self.flush();
    }

    /// Expires the session of a connection and notifies the client.
    pub(super) fn expire(&mut self, id: ConnectionId) {
        self.cancel_expiry(id);
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if let Session::Active { .. } = connection.session {
            // Events of earlier causes still belong to the session.
            self.flush();
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.session = Session::Expired;
            }
            self.note_connection(id, ConnectionChange::Expired);
            self.publish_now(id, &Event::SessionExpired {});
        }
    }
}
