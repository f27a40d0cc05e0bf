use std::sync::Arc;

use talk_proto::Timestamp;

use super::frame;
use super::inspector::RecordedRequests;

/// An open socket.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) app: Arc<str>,
    pub(super) user: Arc<str>,
    pub(super) session: Session,
    pub(super) opened_at: Timestamp,
    pub(super) frames_in: u64,
    pub(super) frames_out: u64,
    /// The unanswered requests that an inspector has recorded.
    pub(super) recorded: RecordedRequests,
    publishes: u64,
    /// The highest sequence number of a request.
    last_seq: Option<u64>,
    /// Set while the connection neither sends nor receives.
    pub(super) is_stalled: bool,
    /// The frames held back while the connection is slow, with the times of their creation.
    pub(super) held: Vec<(Timestamp, String)>,
    pub(super) slow_until: Option<Timestamp>,
    /// The events held back while the session is expired.
    unauthorized: Vec<Arc<str>>,
    unauthorized_bytes: usize,
}

/// The events held for an expired session exceed their limit.
#[derive(Debug)]
pub(super) struct TooManyHeld;

/// The maximum size of the events held for an expired session, in bytes.
const MAX_HELD: usize = 1024 * 1024;

/// The authentication state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// Not authenticated yet.
    New,
    /// Authenticated until the token expires.
    Active { expires: Option<Timestamp> },
    /// Expired. Its subscriptions stay, and their events are held until the client sends a new
    /// token.
    Expired,
}

impl Connection {
    pub(super) fn new(app: &str, user: &str, opened_at: Timestamp) -> Self {
        Self {
            app: app.into(),
            user: user.into(),
            session: Session::New,
            opened_at,
            frames_in: 0,
            frames_out: 0,
            recorded: RecordedRequests::default(),
            publishes: 0,
            last_seq: None,
            is_stalled: false,
            held: Vec::new(),
            slow_until: None,
            unauthorized: Vec::new(),
            unauthorized_bytes: 0,
        }
    }

    /// Holds events until the session is renewed. A client that has missed events would not
    /// notice, so the events are either all kept or the connection is closed.
    pub(super) fn hold_events(&mut self, events: Vec<Arc<str>>) -> Result<(), TooManyHeld> {
        self.unauthorized_bytes += events.iter().map(|event| event.len()).sum::<usize>();
        if self.unauthorized_bytes > MAX_HELD {
            return Err(TooManyHeld);
        }
        self.unauthorized.extend(events);
        Ok(())
    }

    /// Takes the events held while the session was expired.
    pub(super) fn take_held_events(&mut self) -> Vec<Arc<str>> {
        self.unauthorized_bytes = 0;
        std::mem::take(&mut self.unauthorized)
    }

    /// Returns `true` if a sequence number is higher than all before.
    pub(super) fn is_new_seq(&self, seq: u64) -> bool {
        self.last_seq.is_none_or(|last| seq > last)
    }

    /// Notes the sequence number of a request. Returns `true` if it is higher than all before.
    pub(super) fn note_seq(&mut self, seq: u64) -> bool {
        let is_new = self.is_new_seq(seq);
        if is_new {
            self.last_seq = Some(seq);
        }
        is_new
    }

    /// Returns the frame for these events.
    pub(super) fn publish(&mut self, events: &[Arc<str>]) -> String {
        self.publishes += 1;
        frame::publish(self.publishes, events)
    }
}
