use std::sync::Arc;

use talk_proto::Timestamp;

use super::frame;

/// An open socket.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) app: String,
    pub(super) user: String,
    pub(super) session: Session,
    publishes: u64,
    /// Set while the connection neither sends nor receives.
    pub(super) is_stalled: bool,
    /// The frames held back while the connection is slow.
    pub(super) held: Vec<String>,
    pub(super) slow_until: Option<Timestamp>,
}

/// The authentication state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// Not authenticated yet.
    New,
    /// Authenticated until the token expires.
    Active { expires: Option<Timestamp> },
    /// Expired. Its subscriptions stay: the client sends a new token and resumes.
    Expired,
}

impl Connection {
    pub(super) fn new(app: &str, user: &str) -> Self {
        Self {
            app: app.to_owned(),
            user: user.to_owned(),
            session: Session::New,
            publishes: 0,
            is_stalled: false,
            held: Vec::new(),
            slow_until: None,
        }
    }

    /// Returns the frame for these events.
    pub(super) fn publish(&mut self, events: &[Arc<str>]) -> String {
        self.publishes += 1;
        frame::publish(self.publishes, events)
    }
}
