//! The session: the state machine that a driver runs.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use fastrand::Rng;

use self::durable::Durable;
use crate::command::{Reply, RequestId};
use crate::connection::Connection;
use crate::counters::Counters;
use crate::error::{RequestError, SessionError};
use crate::http::HttpRequests;
use crate::io::{ConnectionState, Event, Input, Output};
use crate::live::Live;
use crate::options::{Authentication, SessionOptions};
use crate::requests::RequestQueue;
use crate::search::searches::Searches;
use crate::storage::Record;
use crate::timestamp::Timestamp;
use crate::upload::uploads::Uploads;

mod cache;
mod commands;
mod durable;
mod http;
mod inbox;
mod outbox;
mod route;
mod search;
mod settle;
mod standby;
mod storage;
mod upload;

/// The delay of a tick from which on the session assumes that the machine was suspended.
const SUSPENDED_AFTER: Duration = Duration::from_secs(10);

/// A user's session with the service: a state machine without I/O, clock or randomness.
///
/// # The contract
///
/// Its methods are of four kinds:
///
/// - **Inputs** ([`handle_input`](Self::handle_input)) report frames, results and ticks. They never
///   fail and never panic, for any bytes, order or staleness.
/// - **Commands** ([`call`](Self::call), [`subscribe`](Self::subscribe) and the others that take
///   `now`) start work. Misuse is refused at once; an accepted command is resolved exactly once,
///   by an [`Event`].
/// - **Polls** ([`poll_output`](Self::poll_output), [`poll_timeout`](Self::poll_timeout))
///   return the next effect, and the time of the next tick.
/// - **Getters** change nothing.
///
/// After an input, or a batch of inputs or commands, drain `poll_output` until it returns `None`,
/// then call `poll_timeout`. Such a batch is one tick: its commands may share a frame, its changes
/// appear in one update, and the first `poll_output` ends it. While output is queued,
/// `poll_timeout` is not later than the last `now`; after a tick and a drain it is `None` or later
/// than `now`.
///
/// Every [`Timestamp`] is unix milliseconds. A timestamp before the last one counts as the last
/// one. The same options, seed and inputs give the same outputs, byte for byte. Two active sessions
/// must never share a seed: with equal idempotency keys the server would discard one of two
/// messages.
///
/// ```
/// use talk_proto::{Call, Event, Input, Output, Session, SessionOptions, Timestamp};
///
/// let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
/// let mut now = Timestamp::from_millis(1_700_000_000_000);
/// let mut session = Session::new(options, 0x5eed, now);
/// let call = Call::SendMessage { conversation: "lobby".try_into()?, message: "Hello".into() };
/// let request = session.call(now, call)?;
///
/// // One round of a driver's loop.
/// while let Some(output) = session.poll_output() {
///     match output {
///         Output::OpenSocket { socket, url } => { /* connect, then Input::SocketOpened */ }
///         Output::SendFrame { socket, frame } => { /* send a WebSocket message */ }
///         Output::CloseSocket { socket, code } => { /* close, or stop opening */ }
///         Output::FetchToken { fetch } => { /* call the application, then Input::Token */ }
///         Output::SendHttp { http, request } => { /* send, then Input::HttpHead and so on */ }
///         Output::CancelHttp { http } => { /* drop the request */ }
///         Output::Store { batch, changes } => { /* store, then Input::Stored */ }
///         Output::CheckFile { request, path, .. } => { /* check, then Input::FileChecked */ }
///         Output::Event(Event::Resolved { request, result }) => { /* wake the caller */ }
///         Output::Event(event) => { /* notify the application */ }
///     }
/// }
/// // Wait for the socket, an HTTP request, a token, a command, or this time:
/// if let Some(at) = session.poll_timeout() {
///     now = at;
///     session.handle_input(now, Input::Tick);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    options: SessionOptions,
    now: Timestamp,
    rng: Rng,
    client_id: u64,
    next_id: u64,
    outputs: VecDeque<Output>,
    dirty: Dirty,
    /// The time at which something is due, as of the last drain.
    deadline: Option<Timestamp>,
    /// Set if empty collections should be shrunk after this drain. Publish-only drains and those
    /// with a pending call skip it, because the next publish or answer would reallocate.
    needs_release: bool,
    connection: Connection,
    queue: RequestQueue,
    live: Live,
    searches: Searches,
    uploads: Uploads,
    http: HttpRequests,
    durable: Durable,
    last_reported_state: ConnectionState,
    ended: Option<SessionError>,
}

/// The work of the next drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dirty {
    Clean,
    /// Live snapshots changed, so only the live half and the deadline need work.
    Live,
    All,
}

impl Session {
    /// Creates a session, which does nothing before the first command. Its outbox lives in memory.
    ///
    /// `seed` must be random and differ from the seed of every other active session.
    ///
    /// ```
    /// use talk_proto::{Session, SessionOptions, Timestamp};
    ///
    /// let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// let mut session = Session::new(options, 0x5eed, Timestamp::from_millis(1_700_000_000_000));
    /// assert!(session.poll_output().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(options: SessionOptions, seed: u64, now: Timestamp) -> Self {
        Self::with_records(options, seed, now, None)
    }

    /// Creates a session with a store. `records` are the records of earlier runs for the same
    /// addresses, app and user, in any order; none on the first run. The driver performs
    /// [`Output::Store`].
    ///
    /// Unsent entries are sent, which opens a connection. Records of unknown versions are kept and
    /// reported by [`Event::Storage`].
    ///
    /// ```
    /// use talk_proto::{Session, SessionOptions, Timestamp, outbox::OutboxOptions};
    ///
    /// let mut options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// options.outbox = Some(OutboxOptions::default());
    /// let now = Timestamp::from_millis(1_700_000_000_000);
    /// let session = Session::restore(options, 0x5eed, now, &[]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restore(options: SessionOptions, seed: u64, now: Timestamp, records: &[Record]) -> Self {
        Self::with_records(options, seed, now, Some(records))
    }

    fn with_records(
        options: SessionOptions,
        seed: u64,
        now: Timestamp,
        records: Option<&[Record]>,
    ) -> Self {
        let durable = Durable::new(&options, now, records);
        let is_restored = records.is_some() && durable.sends_or_receives();
        let dirty = match is_restored {
            true => Dirty::All,
            false => Dirty::Clean,
        };
        let mut rng = Rng::with_seed(seed);
        let mut session = Self {
            now,
            client_id: rng.u64(..1 << 53),
            rng,
            next_id: 0,
            outputs: VecDeque::new(),
            dirty,
            deadline: None,
            needs_release: false,
            connection: Connection::new(options.authentication.clone()),
            queue: RequestQueue::new(options.pacing),
            live: Live::new(options.user_id.clone(), options.limits.clone()),
            searches: Searches::default(),
            uploads: Uploads::default(),
            http: HttpRequests::default(),
            durable,
            last_reported_state: ConnectionState::Idle,
            ended: None,
            options,
        };
        session.restore_cache(records.unwrap_or_default());
        session
    }

    /// Returns the options of the session.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// Returns the state of the connection, as reported by the last [`Event::Connection`].
    pub fn connection(&self) -> &ConnectionState {
        &self.last_reported_state
    }

    /// Returns the counters of the session.
    pub fn counters(&self) -> Counters {
        Counters {
            retries: self.queue.retry_count(),
            missed_inbox_events: self.durable.missed_inbox_events(),
            ..self.connection.counters()
        }
    }

    /// Returns the reason for the end of the session, or `None` if it is active.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// assert_eq!(session.ended(), None);
    /// session.shutdown(now);
    /// assert_eq!(session.ended(), Some(&talk_proto::SessionError::Shutdown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ended(&self) -> Option<&SessionError> {
        self.ended.as_ref()
    }

    /// Returns the number of pending calls.
    pub fn pending_calls(&self) -> usize {
        self.queue.pending_calls() + self.searches.pending() + self.uploads.pending()
    }

    /// Returns the number of active subscriptions.
    pub fn subscriptions(&self) -> usize {
        let outbox = self.durable.outbox.as_ref();
        self.live.subscriptions() + outbox.map_or(0, |outbox| outbox.subscriptions())
    }

    /// Returns `true` if there is no pending call, no active or lingering subscription, and no
    /// socket, as in a session that has ended.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// assert!(session.is_idle());
    /// session.subscribe(now, talk_proto::Topic::User { user: "bob".try_into()? })?;
    /// assert!(!session.is_idle());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_idle(&self) -> bool {
        let has_work = self.needs_connection()
            || self.searches.pending() > 0
            || self.uploads.pending() > 0
            || self.durable.has_unsaved_cache();
        self.ended.is_some() || self.connection.is_idle() && !has_work
    }

    /// Handles an input. Accepts every input in every state.
    pub fn handle_input(&mut self, now: Timestamp, input: Input<'_>) {
        let is_clean = self.dirty != Dirty::All;
        self.advance(now);
        if self.ended.is_some() {
            return;
        }
        match input {
            Input::SocketOpened { socket } => self.connection.handle_opened(self.now, socket),
            Input::SocketFrame { socket, text } => {
                let is_plain = self.handle_frame(socket, text);
                if is_plain && is_clean && !self.durable.sends_or_receives() {
                    self.dirty = Dirty::Live;
                }
            }
            Input::SocketClosed { socket, cause } => {
                self.connection.handle_closed(self.now, socket, &cause);
                self.drain_connection();
            }
            Input::Token { fetch, result } => {
                self.connection.handle_token(self.now, fetch, result);
                self.drain_connection();
            }
            Input::HttpHead { .. }
            | Input::HttpChunk { .. }
            | Input::HttpEnd { .. }
            | Input::HttpFailed { .. } => {
                let event = self.http.handle_input(self.now, input);
                self.handle_http_event(event);
            }
            Input::Stored { batch } => self.durable.handle_stored(self.now, batch),
            Input::StoreFailed { batch, reason } => self.handle_store_failed(batch, reason),
            Input::FileChecked { request, result } => self.handle_file_checked(request, result),
            Input::Tick => {}
        }
    }

    /// Returns the next effect, or `None` if there is none.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::{Call, Output};
    ///
    /// session.call(now, Call::MarkAsRead { conversation: "lobby".try_into()? })?;
    /// let mut opens_a_socket = false;
    /// while let Some(output) = session.poll_output() {
    ///     opens_a_socket |= matches!(output, Output::OpenSocket { .. });
    /// }
    /// assert!(opens_a_socket);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty() && self.dirty != Dirty::Clean {
            self.settle();
        }
        if self.outputs.is_empty() && std::mem::take(&mut self.needs_release) {
            self.release_memory();
        }
        self.outputs.pop_front()
    }

    /// Returns the time of the next [`Input::Tick`], or `None` if none is needed before another
    /// input.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Call;
    ///
    /// assert_eq!(session.poll_timeout(), None);
    /// session.call(now, Call::MarkAsRead { conversation: "lobby".try_into()? })?;
    /// assert_eq!(session.poll_timeout(), Some(now), "there is output to be taken");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if self.dirty != Dirty::Clean || !self.outputs.is_empty() {
            return Some(self.now);
        }
        self.deadline.filter(|_| self.ended.is_none())
    }

    /// Advances the time. After a very late tick the socket is probed, because the machine was
    /// probably suspended.
    fn advance(&mut self, now: Timestamp) {
        if self.ended.is_some() {
            return;
        }
        if now.saturating_since(self.now) > SUSPENDED_AFTER {
            let due = self.poll_timeout();
            let overdue = due.map_or(Duration::ZERO, |at| now.saturating_since(at));
            if overdue > SUSPENDED_AFTER {
                self.connection.suspect(now);
            }
        }
        self.now = self.now.max(now);
        self.dirty = Dirty::All;
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn resolve(&mut self, request: RequestId, mut result: Result<Reply, RequestError>) {
        self.mask_token(&mut result);
        self.emit(Event::Resolved { request, result });
    }

    /// Masks the words of the token in the `Debug` output of a refusal.
    fn mask_token(&self, result: &mut Result<Reply, RequestError>) {
        if let Err(RequestError::Server(refused)) = result
            && let Some(token) = self.connection.token()
        {
            refused.mask_text(token.expose());
        }
    }

    /// Ends the session.
    fn end(&mut self, mut error: SessionError) {
        if self.ended.is_some() {
            return;
        }
        if let SessionError::Refused(refused) | SessionError::SignatureRejected(refused) =
            &mut error
        {
            let Authentication {
                token, signature, ..
            } = &self.options.authentication;
            let secrets = [token.as_ref(), signature.as_ref(), self.connection.token()];
            for secret in secrets.into_iter().flatten() {
                refused.mask_text(secret.expose());
            }
        }
        self.ended = Some(error.clone());
        let failure = RequestError::Session(error.clone());
        for (request, purpose) in self.queue.end() {
            self.handle_result(request, purpose, Err(failure.clone()));
        }
        for request in self.uploads.remove_all() {
            self.resolve(request, Err(failure.clone()));
        }
        self.searches.end_all(&failure);
        self.drain_searches();
        self.live.end(&failure);
        self.drain_live();
        self.end_outbox(&failure);
        self.end_inboxes(&failure);
        self.store_last_batch();
        self.http.cancel_all();
        self.drain_http();
        self.connection.shutdown();
        self.drain_connection();
        self.dirty = Dirty::Clean;
        self.emit(Event::Ended(error));
    }
}

/// Shows the state without tokens and message texts.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("app_id", &self.options.app_id)
            .field("user_id", &self.options.user_id)
            .field("connection", &self.last_reported_state)
            .field("pending_calls", &self.pending_calls())
            .field("subscriptions", &self.subscriptions())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
