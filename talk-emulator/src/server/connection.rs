use std::sync::Arc;

use talk_proto::Timestamp;

use super::frame;

/// One open socket.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) app: String,
    pub(super) user: String,
    pub(super) session: Session,
    publishes: u64,
    /// A connection that hangs says nothing and hears nothing.
    pub(super) is_stalled: bool,
    /// Frames that wait, while the connection is slow.
    pub(super) held: Vec<String>,
    pub(super) slow_until: Option<Timestamp>,
}

/// Whether a connection may ask for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// Not yet.
    New,
    /// Yes, until its token expires.
    Active { expires: Option<Timestamp> },
    /// No longer. What it subscribed to goes on all the same: a new token comes in a moment, and
    /// nothing would tell the client what it missed.
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

    /// The frame that carries these events.
    pub(super) fn publish(&mut self, events: &[Arc<str>]) -> String {
        self.publishes += 1;
        frame::publish(self.publishes, events)
    }
}
