//! Access to the open connections.

use serde::Serialize;
use talk_proto::Timestamp;

use super::connection::Session;
use super::machine::Server;
use super::output::ConnectionId;

/// An open connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The ID.
    pub id: ConnectionId,
    /// The app.
    pub app: String,
    /// The user.
    pub user: String,
    /// The time at which the connection was opened.
    pub opened_at: Timestamp,
    /// Set if its session has begun and has not expired.
    pub authenticated: bool,
    /// The paths of the subscriptions.
    pub subscriptions: Vec<String>,
    /// The time at which the token expires. Absent if it does not.
    pub token_expires_at: Option<Timestamp>,
    /// The number of received requests.
    pub frames_in: u64,
    /// The number of sent frames.
    pub frames_out: u64,
}

impl Server {
    /// Returns the open connections, oldest first.
    pub fn connections(&self) -> impl DoubleEndedIterator<Item = ConnectionInfo> {
        self.connections.iter().map(|(id, connection)| {
            let app = self.apps.get(&*connection.app);
            let topics = app.map(|app| app.subscribers.topics_of(*id));
            let topics = topics.into_iter().flatten();
            let (authenticated, token_expires_at) = match connection.session {
                Session::Active { expires } => (true, expires),
                Session::New | Session::Expired => (false, None),
            };
            ConnectionInfo {
                id: *id,
                app: connection.app.to_string(),
                user: connection.user.to_string(),
                opened_at: connection.opened_at,
                authenticated,
                subscriptions: topics.map(|topic| topic.path()).collect(),
                token_expires_at,
                frames_in: connection.frames_in,
                frames_out: connection.frames_out,
            }
        })
    }

    /// Closes a connection with this code, or cuts it without a close frame. Returns `false` if it
    /// is not open.
    pub fn close_connection(
        &mut self,
        now: Timestamp,
        id: ConnectionId,
        code: Option<u16>,
    ) -> bool {
        self.advance(now);
        let is_open = self.connections.contains_key(&id);
        self.close(id, code);
        self.flush();
        is_open
    }

    /// Expires the session of a connection, as if its token had expired. Returns `false` if the
    /// connection is not open.
    pub fn expire_connection(&mut self, now: Timestamp, id: ConnectionId) -> bool {
        self.advance(now);
        self.expire(id);
        self.flush();
        self.connections.contains_key(&id)
    }

    /// Returns the IDs of the apps. An app exists from its first use.
    pub fn apps(&self) -> impl Iterator<Item = &str> {
        self.apps.keys().map(String::as_str)
    }
}
