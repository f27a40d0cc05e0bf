//! The session: the one type that a driver runs.

use crate::collections::GiveBack;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use fastrand::Rng;

use crate::command::{Call, Reply, RequestId, SubscriptionId};
use crate::connection::{
    Auth, CallBody, Exchanges, Link, LiveRequest, Prepared, Queue, Reconnect, prepare,
};
use crate::counters::Counters;
use crate::error::{CommandError, RequestError, SessionError, TransportError};
use crate::io::{ConnectionState, Event, Input, Output};
use crate::live::Live;
use crate::options::SessionOptions;
use crate::secret::Secret;
use crate::snapshot::Topic;
use crate::time::Time;

use self::reads::Reads;
use self::search::Searches;
use self::upload::Uploads;

mod answers;
mod authenticate;
mod authorized;
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
/// After an input, or after a run of commands that belong together, drain `poll_output` until it
/// gives `None`, then ask `poll_timeout`. Such a run is one tick: commands of it may share a
/// frame, and the first `poll_output` closes it. While output is queued, `poll_timeout` is not
/// later than the last `now`; after a tick and a drain it is `None` or later than `now`.
///
/// Every [`Time`] is unix milliseconds. One that goes back is taken as the latest seen. The same
/// options, seed and inputs give the same outputs, byte for byte. Two live sessions must never
/// share a seed: equal idempotency keys would swallow a message.
///
/// ```
/// use talk_proto::{Call, Event, Input, Output, Session, SessionOptions, Time};
///
/// let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
/// let mut now = Time::from_millis(1_700_000_000_000);
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
    now: Time,
    rng: Rng,
    client_id: u64,
    outputs: VecDeque<Output>,
    /// Whether something happened since the last drain.
    unsettled: bool,
    /// Whether the socket, if there still is one at the next drain, is to be asked for life.
    is_suspect: bool,
    link: Link,
    reconnect: Reconnect,
    auth: Auth,
    queue: Queue,
    live: Live,
    /// Requests of the live half that wait for authentication, in order.
    live_ready: VecDeque<LiveRequest>,
    /// Requests of the live half that wait to be tried again.
    live_retries: Vec<(Time, LiveRequest)>,
    /// How often the answer to a live request was perhaps too large, by the request's path.
    live_large_losses: BTreeMap<String, u32>,
    searches: Searches,
    uploads: Uploads,
    exchanges: Exchanges,
    app_checked: bool,
    /// Accepted calls of the queue that are not resolved.
    calls: BTreeMap<RequestId, OpenCall>,
    reads: Reads,
    next_id: u64,
    /// Since when nothing needs a connection.
    unneeded_since: Option<Time>,
    told: ConnectionState,
    counters: Counters,
    ended: Option<SessionError>,
}

/// A call of the queue whose requests are not all answered.
struct OpenCall {
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
    /// use talk_proto::{Session, SessionOptions, Time};
    ///
    /// let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// let mut session = Session::new(options, 0x5eed, Time::from_millis(1_700_000_000_000));
    /// assert!(session.poll_output().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(options: SessionOptions, seed: u64, now: Time) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self {
            now,
            client_id: rng.u64(..1 << 53),
            rng,
            outputs: VecDeque::new(),
            unsettled: false,
            is_suspect: false,
            link: Link::Idle,
            reconnect: Reconnect::default(),
            auth: Auth::new(options.authentication.clone()),
            queue: Queue::new(options.pacing.clone()),
            live: Live::new(options.user_id.clone(), options.limits.clone()),
            live_ready: VecDeque::new(),
            live_retries: Vec::new(),
            live_large_losses: BTreeMap::new(),
            searches: Searches::default(),
            uploads: Uploads::default(),
            exchanges: Exchanges::default(),
            app_checked: false,
            calls: BTreeMap::new(),
            reads: Reads::new(),
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
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
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
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// assert_eq!(*session.connection(), talk_proto::ConnectionState::Idle);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connection(&self) -> &ConnectionState {
        &self.told
    }

    /// What the session has done so far, in numbers.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Why the session has ended, if it has.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// assert_eq!(session.ended(), None);
    /// session.shut_down(now);
    /// assert_eq!(session.ended(), Some(&talk_proto::SessionError::ShutDown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ended(&self) -> Option<&SessionError> {
        self.ended.as_ref()
    }

    /// Calls that are accepted and not resolved.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Call;
    ///
    /// session.call(now, Call::MarkAsRead { conversation: "lobby".try_into()? })?;
    /// assert_eq!(session.pending_calls(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pending_calls(&self) -> usize {
        // What looks up the results of a search is nobody's call.
        let live = self.live.pending_requests();
        self.calls.len()
            + live.saturating_sub(self.searches.lookups())
            + self.searches.pending()
            + self.uploads.pending()
    }

    /// Subscriptions that have not ended.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
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
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
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
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// session.handle_input(now, talk_proto::Input::Tick);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn handle_input(&mut self, now: Time, input: Input<'_>) {
        self.advance(now);
        if self.ended.is_some() {
            return;
        }
        match input {
            Input::SocketOpened { socket } => self.handle_socket_opened(socket),
            Input::SocketFrame { socket, text } => self.handle_frame(socket, text),
            Input::SocketClosed { socket, cause } => self.handle_socket_closed(socket, &cause),
            Input::Token { fetch, result } => self.handle_token(fetch, result),
            Input::HttpHead { http, status } => self.handle_http_head(http, status),
            Input::HttpChunk { http, chunk } => self.handle_http_chunk(http, &chunk),
            Input::HttpEnd { http } => self.handle_http_end(http),
            Input::HttpFailed { http, failure } => self.handle_http_failure(http, failure),
            Input::Tick => {}
        }
    }

    /// The next thing to do, until `None`.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
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
        if self.outputs.is_empty() && self.unsettled {
            self.settle();
        }
        let output = self.outputs.pop_front();
        if output.is_none() {
            self.outputs.give_back();
        }
        output
    }

    /// When to give the next [`Input::Tick`]; `None` = not before something else happens.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Call;
    ///
    /// assert_eq!(session.poll_timeout(), None);
    /// session.call(now, Call::MarkAsRead { conversation: "lobby".try_into()? })?;
    /// assert_eq!(session.poll_timeout(), Some(now), "there is output to be taken");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.unsettled || !self.outputs.is_empty() {
            return Some(self.now);
        }
        self.next_deadline()
    }

    /// Makes a call; its outcome comes as [`Event::Resolved`].
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Call;
    ///
    /// let conversation = "lobby".try_into()?;
    /// let message = "Hello, *world*!".into();
    /// let request = session.call(now, Call::SendMessage { conversation, message })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`], [`CommandError::TooLarge`].
    pub fn call(&mut self, now: Time, call: Call) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        let request = RequestId(self.take_id());
        match prepare(
            call,
            request,
            &self.options.user_id,
            self.now,
            &mut self.rng,
        ) {
            Prepared::Get(get) => self.queue_read(request, get),
            Prepared::Requests(bodies) => {
                let limit = self.options.limits.frame_size;
                let size = bodies.iter().map(CallBody::size).max().unwrap_or(0);
                if size > limit {
                    return Err(CommandError::TooLarge { size, limit });
                }
                let remaining = bodies.len();
                let places = bodies
                    .into_iter()
                    .map(|body| self.queue.push(body))
                    .collect();
                let call = OpenCall {
                    places,
                    remaining,
                    result: Ok(Reply::Done),
                };
                self.calls.insert(request, call);
            }
        }
        Ok(request)
    }

    /// Subscribes to a topic. Snapshots come as [`Event::Updated`], the first one when there is
    /// one.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Topic;
    ///
    /// let subscription = session.subscribe(now, Topic::Messages { conversation: "lobby".try_into()? })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManySubscriptions`].
    pub fn subscribe(&mut self, now: Time, topic: Topic) -> Result<SubscriptionId, CommandError> {
        self.accept_subscription(now)?;
        let id = SubscriptionId(self.take_id());
        self.live.subscribe(self.now, id, topic);
        Ok(id)
    }

    /// Ends a subscription; [`Event::SubscriptionEnded`] follows.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::{CommandError, Topic};
    ///
    /// let messages = session.subscribe(now, Topic::Messages { conversation: "lobby".try_into()? })?;
    /// session.unsubscribe(now, messages)?;
    /// assert_eq!(session.unsubscribe(now, messages), Err(CommandError::Unknown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Unknown`] when it has ended already.
    pub fn unsubscribe(&mut self, now: Time, id: SubscriptionId) -> Result<(), CommandError> {
        self.accept(now)?;
        self.live.unsubscribe(self.now, id)
    }

    /// Loads more of a list: `count` items more than the subscription shows now, or as many as
    /// the list's default says. [`Event::Resolved`] with [`Reply::Done`] comes when they are
    /// there.
    ///
    /// Calls that overlap widen each other: 5, then 10 while that is under way, load 10.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::{CommandError, Topic};
    ///
    /// let messages = session.subscribe(now, Topic::Messages { conversation: "lobby".try_into()? })?;
    /// let request = session.load_more(now, messages, Some(50))?;
    /// let too_many = CommandError::CountOutOfRange { given: 101, max: 100 };
    /// assert_eq!(session.load_more(now, messages, Some(101)), Err(too_many));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`], [`CommandError::Unknown`],
    /// [`CommandError::NotAList`], [`CommandError::CountOutOfRange`].
    pub fn load_more(
        &mut self,
        now: Time,
        id: SubscriptionId,
        count: Option<usize>,
    ) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        let request = RequestId(self.take_id());
        self.live.load_more(self.now, request, id, count)?;
        Ok(request)
    }

    /// Cancels a request: it is resolved at once as [`TransportError::Cancelled`], and never sent
    /// from now on.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Call;
    ///
    /// let request = session.call(now, Call::MarkAsRead { conversation: "lobby".try_into()? })?;
    /// session.cancel(now, request)?;
    /// assert_eq!(session.pending_calls(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Unknown`] when it is resolved already.
    pub fn cancel(&mut self, now: Time, request: RequestId) -> Result<(), CommandError> {
        self.accept(now)?;
        let maybe_happened = if let Some(call) = self.calls.remove(&request) {
            let mut was_sent = call.remaining < call.places.len();
            for place in call.places {
                was_sent |= self.queue.cancel(place, request);
            }
            was_sent | self.stop_upload(request).unwrap_or(false)
        } else if let Some(was_sent) = self.stop_upload(request) {
            was_sent
        } else if self.cancel_search_request(request) {
            false
        } else {
            self.reads.remove(&request);
            // Reading changes nothing on the server: it is as if it had not happened.
            self.live
                .cancel(self.now, request)
                .ok_or(CommandError::Unknown)?;
            false
        };
        self.resolve(
            request,
            Err(TransportError::Cancelled { maybe_happened }.into()),
        );
        Ok(())
    }

    /// Authenticates with this token from now on, at once if there is a connection. Calls in
    /// flight and subscriptions go on.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// session.set_token(now, "a JWT".into())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`].
    pub fn set_token(&mut self, now: Time, token: Secret) -> Result<(), CommandError> {
        self.accept(now)?;
        self.auth.set_token(token);
        self.renew_now();
        Ok(())
    }

    /// From now on [`Output::FetchToken`] can be answered, as
    /// [`Authentication::can_fetch_token`](crate::Authentication::can_fetch_token) says from the
    /// start. A token that is in use stays in use until it expires.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// session.allow_token_fetch(now);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allow_token_fetch(&mut self, now: Time) {
        if self.accept(now).is_ok() {
            self.auth.allow_callback();
        }
    }

    /// The network is back, or is another one: connects at once if an attempt was due later, and
    /// checks a connection that is open.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// session.network_changed(now);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn network_changed(&mut self, now: Time) {
        if self.accept(now).is_err() {
            return;
        }
        match &mut self.link {
            Link::Waiting { until, .. } => *until = self.now,
            Link::Open(_) => self.is_suspect = true,
            Link::Idle | Link::Opening { .. } => {}
        }
    }

    /// Nobody holds the session any more: what was unsubscribed lingers no longer.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// session.release(now);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release(&mut self, now: Time) {
        if self.accept(now).is_ok() {
            self.live.end_linger(self.now);
        }
    }

    /// Ends the session with [`SessionError::ShutDown`]: what is pending fails, the socket closes.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Time};
    /// # let now = Time::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// session.shut_down(now);
    /// assert!(session.ended().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shut_down(&mut self, now: Time) {
        if self.accept(now).is_ok() {
            self.end(SessionError::ShutDown);
        }
    }

    fn accept_request(&mut self, now: Time) -> Result<(), CommandError> {
        self.accept(now)?;
        let limit = self.options.limits.pending_calls;
        if self.pending_calls() >= limit {
            return Err(CommandError::TooManyCalls { limit });
        }
        Ok(())
    }

    fn accept_subscription(&mut self, now: Time) -> Result<(), CommandError> {
        self.accept(now)?;
        let limit = self.options.limits.subscriptions;
        if self.live.subscriptions() + self.searches.len() >= limit {
            return Err(CommandError::TooManySubscriptions { limit });
        }
        Ok(())
    }

    fn accept(&mut self, now: Time) -> Result<(), CommandError> {
        if let Some(error) = &self.ended {
            return Err(CommandError::Ended(error.clone()));
        }
        self.advance(now);
        Ok(())
    }

    /// Takes note of the time. One far past what was due means that the machine slept: the socket
    /// is in doubt.
    fn advance(&mut self, now: Time) {
        if self.ended.is_some() {
            return;
        }
        let overdue = self
            .poll_timeout()
            .map_or(Duration::ZERO, |at| now.saturating_since(at));
        self.now = self.now.max(now);
        self.unsettled = true;
        self.is_suspect |= overdue > SUSPENDED_AFTER;
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
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
        self.queue.end(&failure);
        for request in std::mem::take(&mut self.calls).into_keys() {
            self.stop_upload(request);
            self.resolve(request, Err(failure.clone()));
        }
        self.end_uploads(&failure);
        self.end_searches(&failure);
        self.reads.clear();
        self.live.end(&failure);
        self.take_live_outputs();
        for http in self.exchanges.clear() {
            self.outputs.push_back(Output::CancelHttp { http });
        }
        self.close_socket();
        self.link = Link::Idle;
        self.unsettled = false;
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
