//! The session: the one type that a driver runs.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use fastrand::Rng;

use crate::command::{Reply, RequestId};
use crate::connection::{Auth, Link, LiveRequest, Queue, Reconnect, Rejections};
use crate::counters::Counters;
use crate::error::{RequestError, SessionError};
use crate::http::HttpRequests;
use crate::io::{ConnectionState, Event, Input, Output};
use crate::live::Live;
use crate::options::SessionOptions;
use crate::search::results::SearchId;
use crate::search::searches::Searches;
use crate::timestamp::Timestamp;
use crate::upload::uploads::Uploads;
use crate::wire::{FrameReader, Request};

use self::reads::Read;

mod answers;
mod authenticate;
mod commands;
mod connect;
mod http;
mod reads;
mod search;
mod settle;
mod upload;

/// A clock that is this far past what was due means that the machine slept.
const SUSPENDED_AFTER: Duration = Duration::from_secs(10);

/// One user's session with the service: a state machine without I/O, clock or randomness.
///
/// # The contract
///
/// Its methods are of four kinds:
///
/// - **Inputs** ([`handle_input`](Self::handle_input)) say what happened outside. They never fail
///   and never panic, whatever the bytes, the order or the staleness.
/// - **Commands** ([`call`](Self::call), [`subscribe`](Self::subscribe) and the others that take
///   `now`) ask for something. What is misuse is refused at once; what is accepted is resolved
///   exactly once, by an [`Event`].
/// - **Polls** ([`poll_output`](Self::poll_output), [`poll_timeout`](Self::poll_timeout)) say what
///   to do, and when to come back.
/// - **Getters** change nothing.
///
/// After an input, or after a run of inputs or commands that belong together, drain `poll_output`
/// until it gives `None`, then ask `poll_timeout`. Such a run is one tick: commands of it may share a
/// frame, what frames of it change is shown in one update, and the first `poll_output` closes it. While output is queued, `poll_timeout` is not
/// later than the last `now`; after a tick and a drain it is `None` or later than `now`.
///
/// Every [`Timestamp`] is unix milliseconds. One that goes back is taken as the latest seen. The same
/// options, seed and inputs give the same outputs, byte for byte. Two live sessions must never
/// share a seed: equal idempotency keys would swallow a message.
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
/// // One turn of a driver's loop.
/// while let Some(output) = session.poll_output() {
///     match output {
///         Output::OpenSocket { socket, url } => { /* connect, then Input::SocketOpened */ }
///         Output::SendFrame { socket, frame } => { /* send a text message */ }
///         Output::CloseSocket { socket, code } => { /* close, or stop opening */ }
///         Output::FetchToken { fetch } => { /* ask the application, then Input::Token */ }
///         Output::SendHttp { http, request } => { /* send, then Input::HttpHead and so on */ }
///         Output::CancelHttp { http } => { /* drop the exchange */ }
///         Output::Event(Event::Resolved { request, result }) => { /* wake the caller */ }
///         Output::Event(event) => { /* tell the application */ }
///     }
/// }
/// // Wait for the socket, an HTTP exchange, a token, a command, or for this time to come:
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
    outputs: VecDeque<Output>,
    unsettled: Unsettled,
    /// When something is due, as of the last drain.
    deadline: Option<Timestamp>,
    /// The same, without what changes with what is shown.
    other_deadline: Option<Timestamp>,
    /// Whether this drain is to give memory back: any but one of mere publishes, which the next one
    /// would take again at once.
    gives_back: bool,
    /// Whether the socket, if there still is one at the next drain, is to be asked for life.
    is_suspect: bool,
    link: Link,
    reconnect: Reconnect,
    auth: Auth,
    queue: Queue,
    frames: FrameReader,
    live: Live,
    /// Requests of the live half that wait for authentication, in order.
    live_ready: VecDeque<LiveRequest>,
    /// Requests of the live half that wait to be tried again.
    live_retries: Vec<(Timestamp, LiveRequest)>,
    /// How often the answer to a live request was perhaps too large, by the request.
    live_large_losses: BTreeMap<Request, u32>,
    live_rejections: Rejections,
    searches: Searches,
    uploads: Uploads,
    http: HttpRequests,
    /// Accepted calls of the queue that are not resolved.
    calls: BTreeMap<RequestId, OpenCall>,
    /// Reads that the live half is working on.
    reads: BTreeMap<RequestId, Read>,
    next_id: u64,
    /// Since when nothing needs a connection.
    unneeded_since: Option<Timestamp>,
    told: ConnectionState,
    counters: Counters,
    ended: Option<SessionError>,
}

/// What may have to be done at the next drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsettled {
    Nothing,
    /// What follows from a change of what is shown, and from the time.
    Shown,
    Anything,
}

/// The part of the session that receives the result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallPurpose {
    /// The caller of [`Session::call`].
    User,
    /// The upload with the same [`RequestId`], which waits for the server's permission.
    UploadCheck,
    /// An item of a search's page.
    SearchLookup { search: SearchId, slot: u64 },
    /// No part: the search has moved on.
    Abandoned,
}

/// A call of the queue whose requests are not all answered.
struct OpenCall {
    purpose: CallPurpose,
    places: Vec<u64>,
    remaining: usize,
    /// What the answered ones gave: the first error, or the last reply.
    result: Result<Reply, RequestError>,
}

impl Session {
    /// A session that does nothing until it is asked for something.
    ///
    /// `seed` must be random and differ from that of every other live session.
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
        let mut rng = Rng::with_seed(seed);
        Self {
            now,
            client_id: rng.u64(..1 << 53),
            rng,
            outputs: VecDeque::new(),
            unsettled: Unsettled::Nothing,
            deadline: None,
            other_deadline: None,
            gives_back: false,
            is_suspect: false,
            link: Link::Idle,
            reconnect: Reconnect::default(),
            auth: Auth::new(options.authentication.clone()),
            queue: Queue::new(options.pacing.clone()),
            frames: FrameReader::default(),
            live: Live::new(options.user_id.clone(), options.limits.clone()),
            live_ready: VecDeque::new(),
            live_retries: Vec::new(),
            live_large_losses: BTreeMap::new(),
            live_rejections: Rejections::default(),
            searches: Searches::default(),
            uploads: Uploads::default(),
            http: HttpRequests::default(),
            calls: BTreeMap::new(),
            reads: BTreeMap::new(),
            next_id: 0,
            unneeded_since: None,
            told: ConnectionState::Idle,
            counters: Counters::default(),
            ended: None,
            options,
        }
    }

    /// What the session was made from.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// assert_eq!(session.options().user_id, "alice");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// How the connection stands, as the last [`Event::Connection`] told.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// assert_eq!(*session.connection(), talk_proto::ConnectionState::Idle);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connection(&self) -> &ConnectionState {
        &self.told
    }

    /// What the session has done so far, in numbers.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// assert_eq!(session.counters().connects, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Why the session has ended, if it has.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// assert_eq!(session.ended(), None);
    /// session.shutdown(now);
    /// assert_eq!(session.ended(), Some(&talk_proto::SessionError::ShutDown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ended(&self) -> Option<&SessionError> {
        self.ended.as_ref()
    }

    /// Calls that are accepted and not resolved.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Call;
    ///
    /// session.call(now, Call::MarkAsRead { conversation: "lobby".try_into()? })?;
    /// assert_eq!(session.pending_calls(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pending_calls(&self) -> usize {
        let live = self.live.pending_requests();
        self.calls.len()
            + live.saturating_sub(self.lookups())
            + self.searches.pending()
            + self.uploads.pending()
    }

    /// Subscriptions that have not ended.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Topic;
    ///
    /// session.subscribe(now, Topic::User { user: "bob".try_into()? })?;
    /// assert_eq!(session.subscriptions(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn subscriptions(&self) -> usize {
        self.live.subscriptions()
    }

    /// Whether nothing is pending, subscribed or lingering, and there is no socket.
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
        matches!(self.link, Link::Idle)
            && !self.needs_connection()
            && self.searches.pending() == 0
            && self.uploads.pending() == 0
    }

    /// Takes what happened outside.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// session.handle_input(now, talk_proto::Input::Tick);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn handle_input(&mut self, now: Timestamp, input: Input<'_>) {
        let is_quick = self.unsettled != Unsettled::Anything;
        self.advance(now);
        if self.ended.is_some() {
            return;
        }
        match input {
            Input::SocketOpened { socket } => self.handle_socket_opened(socket),
            Input::SocketFrame { socket, text } => {
                if self.handle_frame(socket, text) && is_quick {
                    self.unsettled = Unsettled::Shown;
                }
            }
            Input::SocketClosed { socket, cause } => self.handle_socket_closed(socket, &cause),
            Input::Token { fetch, result } => self.handle_token(fetch, result),
            Input::HttpHead { .. }
            | Input::HttpChunk { .. }
            | Input::HttpEnd { .. }
            | Input::HttpFailed { .. } => {
                let event = self.http.handle_input(self.now, input);
                self.handle_http_event(event);
            }
            Input::Tick => {}
        }
    }

    /// The next thing to do, until `None`.
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
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty() && self.unsettled != Unsettled::Nothing {
            self.settle();
        }
        let output = self.outputs.pop_front();
        if output.is_none() && std::mem::take(&mut self.gives_back) {
            self.give_back();
        }
        output
    }

    /// When to give the next [`Input::Tick`]; `None` = not before something else happens.
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
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if self.unsettled != Unsettled::Nothing || !self.outputs.is_empty() {
            return Some(self.now);
        }
        self.deadline.filter(|_| self.ended.is_none())
    }

    /// Takes note of the time. One far past what was due means that the machine slept: the socket
    /// is in doubt.
    fn advance(&mut self, now: Timestamp) {
        if self.ended.is_some() {
            return;
        }
        if now.saturating_since(self.now) > SUSPENDED_AFTER {
            let due = self.poll_timeout();
            let overdue = due.map_or(Duration::ZERO, |at| now.saturating_since(at));
            self.is_suspect |= overdue > SUSPENDED_AFTER;
        }
        self.now = self.now.max(now);
        self.unsettled = Unsettled::Anything;
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Passes the result of a call to the part that made it.
    fn handle_result(
        &mut self,
        request: RequestId,
        purpose: CallPurpose,
        result: Result<Reply, RequestError>,
    ) {
        match purpose {
            CallPurpose::User => self.resolve(request, result),
            CallPurpose::UploadCheck => self.on_upload_checked(request, result),
            CallPurpose::SearchLookup { search, slot } => {
                self.on_search_lookup(search, slot, result);
            }
            CallPurpose::Abandoned => {}
        }
    }

    fn resolve(&mut self, request: RequestId, result: Result<Reply, RequestError>) {
        self.emit(Event::Resolved { request, result });
    }

    /// Ends the session once and for all.
    fn end(&mut self, error: SessionError) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(error.clone());
        let failure = RequestError::Session(error.clone());
        self.queue.end();
        for request in std::mem::take(&mut self.calls).into_keys() {
            self.uploads.remove(request);
            self.resolve(request, Err(failure.clone()));
        }
        for request in self.uploads.remove_all() {
            self.resolve(request, Err(failure.clone()));
        }
        self.searches.end_all(&failure);
        self.drain_searches();
        self.live.end(&failure);
        self.take_live_outputs();
        self.reads.clear();
        self.http.cancel_all();
        self.drain_http();
        self.close_socket();
        self.link = Link::Idle;
        self.unsettled = Unsettled::Nothing;
        self.emit(Event::Ended(error));
    }
}

/// How it stands, without anything that is said.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("app_id", &self.options.app_id)
            .field("user_id", &self.options.user_id)
            .field("connection", &self.told)
            .field("pending_calls", &self.pending_calls())
            .field("subscriptions", &self.subscriptions())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
