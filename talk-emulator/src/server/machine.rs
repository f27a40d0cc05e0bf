use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use talk_proto::{Timestamp, replace_lone_surrogates};
use tracing::info;

use super::connection::{Connection, Session};
use super::event_queue::EventQueue;
use super::fault::{FaultKind, Faults, StruckFault};
use super::frame;
use super::inspector::{ConnectionChange, EventLog, mask_query};
use super::output::{ConnectionId, Output};
use super::presence;
use super::random::Random;
use super::rate_limit::RateLimits;
use super::record::Checkpoint;
use super::refusal::Refusal;
use super::reply::{Body, Reply};
use super::request_cx::RequestCx;
use super::request_log::{RequestLog, logged_method, without_query};
use super::routes;
use super::seen_tokens::SeenTokens;
use super::settings::Settings;
use super::store::Store;
use super::subscribers::Subscribers;
use super::timers::{Timer, Timers};
use super::typing;
use super::typing_users::TypingUsers;
use super::webhooks::{self, WebhookQueue};

/// The close code for a client that does not renew its session.
const POLICY_VIOLATION: u16 = 1008;

/// A local TalkJS server with all its apps.
///
/// `Debug` shows no tokens and no message text.
pub struct Server {
    pub(super) settings: Settings,
    pub(super) now: Timestamp,
    /// The time by which `now` is ahead of the clocks of back ends.
    ahead: Duration,
    pub(super) random: Random,
    pub(super) apps: BTreeMap<String, App>,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) timers: Timers,
    pub(super) faults: Faults,
    pub(super) events: EventQueue,
    pub(super) outputs: VecDeque<Output>,
    pub(super) requests: RequestLog,
    pub(super) webhooks: WebhookQueue,
    pub(super) inspector: EventLog,
    /// The number of steps that have changed data.
    pub(super) data_version: u64,
    /// Set if the caller persists changes.
    pub(super) checkpoint: Option<Checkpoint>,
}

/// The state of one app: its data and its connected users.
#[derive(Debug, Default)]
pub(super) struct App {
    pub(super) store: Store,
    pub(super) subscribers: Subscribers,
    pub(super) typing: TypingUsers,
    pub(super) seen_tokens: SeenTokens,
    pub(super) rest_limits: RateLimits,
}

impl Server {
    /// Creates an empty server. Apps are created on first use.
    ///
    /// `seed` determines message IDs and file tokens; `now` is the start time.
    pub fn new(settings: Settings, seed: u64, now: Timestamp) -> Self {
        Self {
            settings,
            now,
            ahead: Duration::ZERO,
            random: Random::new(seed),
            apps: BTreeMap::new(),
            connections: BTreeMap::new(),
            timers: Timers::default(),
            faults: Faults::default(),
            events: EventQueue::default(),
            outputs: VecDeque::new(),
            requests: RequestLog::default(),
            webhooks: WebhookQueue::default(),
            inspector: EventLog::default(),
            data_version: 0,
            checkpoint: None,
        }
    }

    /// Sets how far the time of the server is ahead of the clocks of back ends, because a test has
    /// advanced it. Tokens of back ends and timestamps of webhooks follow the clocks of back ends.
    pub fn set_ahead(&mut self, ahead: Duration) {
        self.ahead = ahead;
    }

    /// Returns the time on the clocks of back ends.
    pub(super) fn back_end_time(&self) -> Timestamp {
        self.now - self.ahead
    }

    /// Handles a new socket of `user` in `app` (both percent-decoded).
    ///
    /// An open connection with the same id is dropped.
    pub fn open(&mut self, now: Timestamp, connection: ConnectionId, app: &str, user: &str) {
        self.advance(now);
        self.forget(connection);
        self.app_mut(app);
        self.connections
            .insert(connection, Connection::new(app, user, self.now));
        self.note_connection(connection, ConnectionChange::Opened);
        self.flush();
    }

    /// Handles a frame from a connection.
    pub fn handle_frame(&mut self, now: Timestamp, connection: ConnectionId, text: &str) {
        self.advance(now);
        // JavaScript sends half a character if an application has cut a string.
        let text = &*replace_lone_surrogates(text);
        let parsed = frame::parse(text);
        if self.inspector.is_on() {
            self.record_received(connection, text, parsed.as_ref());
        }
        match parsed {
            Some(Ok(request)) => self.handle_request(connection, &request),
            Some(Err(unreadable)) => self.refuse_unreadable(connection, unreadable.seq),
            None => {}
        }
    }

    /// Handles the end of a connection.
    pub fn closed(&mut self, now: Timestamp, connection: ConnectionId) {
        self.advance(now);
        self.forget(connection);
        self.flush();
    }

    /// Performs all due work. Early or repeated ticks change nothing.
    pub fn tick(&mut self, now: Timestamp) {
        self.advance(now);
    }

    /// Returns the next output, in order, or `None` if there is none.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns the time for the next [`Server::tick`]. It is now while there is output.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if self.outputs.is_empty() {
            self.timers.next()
        } else {
            Some(self.now)
        }
    }

    /// Returns the current settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Replaces the settings, effective with the next request.
    ///
    /// Sessions continue, unless the secret changes: then every session expires.
    pub fn set_settings(&mut self, now: Timestamp, settings: Settings) {
        self.advance(now);
        let is_rotated = settings.secret().is_some() && settings.secret() != self.settings.secret();
        self.settings = settings;
        if is_rotated {
            self.expire_all();
        }
        if let Some(checkpoint) = &mut self.checkpoint {
            checkpoint.has_settings = false;
        }
        // The settings may have a new address of webhooks.
        self.flush();
    }

    /// Advances the time, which never goes back, and performs all work that is due until then, each
    /// at its own time.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let now = self.now.max(now);
        while let Some((due, timer)) = self.timers.pop_due(now) {
            self.now = self.now.max(due);
            match timer {
                Timer::TypingEnds {
                    app,
                    conversation,
                    user,
                } => {
                    self.with_cx(&app, &user, |cx| typing::stop(cx, &conversation, &user));
                }
                Timer::SessionExpires(connection) => self.expire(connection),
                Timer::SlowEnds(connection) => self.release(connection),
                Timer::FaultDue(fault) => self.apply_to_matching(fault),
                Timer::WebhookTimesOut(attempt) => self.time_out_webhook(attempt),
                Timer::WebhookRetries(id) => self.webhooks.retry(id),
                Timer::WebhookHoldEnds(id) => self.webhooks.release(id),
                Timer::NotificationDue {
                    app,
                    conversation,
                    user,
                } => self.with_cx(&app, &user, |cx| {
                    webhooks::notification_due(cx, &conversation, &user);
                }),
            }
        }
        self.now = now;
        self.flush();
    }

    fn handle_request(&mut self, id: ConnectionId, request: &frame::Request<'_>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.is_stalled {
            return;
        }
        connection.frames_in += 1;
        connection.note_seq(request.seq);
        let (app, user) = (connection.app.clone(), connection.user.clone());
        let path = without_query(&request.path);
        let line = (&*request.method, path);
        self.record(&app, Some(&user), line, request.data);
        let fault = self
            .faults
            .take_matching(self.now, Some(&user), &request.path, false);
        if let Some(fault) = &fault {
            self.note_struck(StruckFault {
                at: self.now,
                fault: fault.clone(),
                connection: Some(id),
                path: Some(mask_query(&request.path).into_owned()),
                webhook: None,
            });
        }
        let reply = match fault.as_ref().map(|fault| (fault.kind, fault.delay())) {
            Some((FaultKind::Slow, delay)) => {
                self.slow_down(id, delay);
                self.reply(id, request)
            }
            Some((FaultKind::Drop, _)) => {
                // The request is processed and its answer is lost, the hardest case for a client.
                let _ = self.reply(id, request);
                self.apply_fault(id, FaultKind::Drop);
                self.flush();
                return;
            }
            Some((FaultKind::Stall, _)) => return self.apply_fault(id, FaultKind::Stall),
            Some((FaultKind::Unanswered, _)) => return,
            Some((kind, _)) if kind.targets_connections() => {
                self.apply_fault(id, kind);
                self.flush();
                self.reply(id, request)
            }
            Some((kind, _)) => Err(kind.refusal()),
            None => self.reply(id, request),
        };
        let status = reply.as_ref().map_or_else(|it| it.status, |_| 200);
        info!(
            app = &*app,
            user = &*user,
            method = logged_method(&request.method),
            path,
            status,
            "request"
        );
        self.answer(id, request.seq, reply);
        self.flush();
    }

    /// Answers a request that cannot be read, so that its client does not wait forever.
    fn refuse_unreadable(&mut self, id: ConnectionId, seq: u64) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        // Requests have ascending numbers, and each number is answered only once.
        if connection.is_stalled || !connection.note_seq(seq) {
            return;
        }
        let refusal = match connection.session {
            Session::Active { .. } => Refusal::invalid(
                "INVALID_REQUEST",
                "A request is the JSON array [seq, method, path, data, headers].",
            ),
            Session::New | Session::Expired => no_session(),
        };
        self.answer(id, seq, Err(refusal));
    }

    fn reply(&mut self, id: ConnectionId, request: &frame::Request<'_>) -> Reply {
        let body = Body(request.data);
        if (&*request.method, &*request.path) == ("POST", "/session/renew") {
            return self.renew(id, body);
        }
        match self.connections.get(&id) {
            Some(connection) if matches!(connection.session, Session::Active { .. }) => {
                let (app, user) = (connection.app.clone(), connection.user.clone());
                self.with_cx(&app, &user, |cx| {
                    routes::dispatch(cx, id, &request.method, &request.path, body)
                })
            }
            _ => Err(no_session()),
        }
    }

    fn answer(&mut self, connection: ConnectionId, seq: u64, reply: Reply) {
        let text = match reply {
            Ok(body) => frame::answer(seq, 200, &body),
            Err(refusal) => frame::answer(seq, refusal.status, &refusal.json()),
        };
        self.send(connection, text);
    }

    /// Sends the pending events, in one frame per connection, and begins to deliver webhooks.
    pub(super) fn flush(&mut self) {
        let mut overfull = Vec::new();
        for (id, events) in self.events.take() {
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            if connection.session == Session::Expired {
                if connection.hold_events(events).is_err() {
                    overfull.push(id);
                }
            } else {
                let text = connection.publish(&events);
                self.send(id, text);
            }
        }
        if !overfull.is_empty() {
            for id in overfull {
                self.close(id, Some(POLICY_VIOLATION));
            }
            // Closed connections change the online state of their users.
            self.flush();
        }
        self.start_webhooks();
        self.note_changes();
        self.discard_changes();
    }

    /// Counts the steps that have changed data.
    fn note_changes(&mut self) {
        for (id, app) in &self.apps {
            if app.store.is_changed() {
                self.data_version += 1;
                self.inspector.push_data(self.now, Some(id));
            }
        }
    }

    /// Removes a connection and its subscriptions, and updates its user's online state.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        self.cancel_expiry(id);
        self.note_connection(id, ConnectionChange::Closed);
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        let app = self.apps.get_mut(&*connection.app);
        if let Some(user) = app.and_then(|app| app.subscribers.disconnect(id)) {
            self.with_cx(&connection.app, &user, |cx| {
                presence::publish_if_exists(cx, &user);
            });
        }
    }

    /// Returns the app, creating it on first use.
    pub(super) fn app_mut(&mut self, app: &str) -> &mut App {
        self.apps.entry(app.to_owned()).or_default()
    }

    /// Calls `act` with the app's state as seen by one of its users.
    pub(super) fn with_cx<R>(
        &mut self,
        app: &str,
        me: &str,
        act: impl FnOnce(&mut RequestCx<'_>) -> R,
    ) -> R {
        let state = self.apps.entry(app.to_owned()).or_default();
        act(&mut RequestCx {
            now: self.now,
            app,
            me,
            settings: &self.settings,
            store: &mut state.store,
            subscribers: &mut state.subscribers,
            typing: &mut state.typing,
            events: &mut self.events,
            timers: &mut self.timers,
            random: &mut self.random,
            webhooks: &mut self.webhooks,
        })
    }
}

fn no_session() -> Refusal {
    Refusal::unauthorized("There is no session: renew it with a token first.")
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("now", &self.now)
            .field("apps", &self.apps.len())
            .field("connections", &self.connections.len())
            .field("outputs", &self.outputs.len())
            .finish_non_exhaustive()
    }
}
