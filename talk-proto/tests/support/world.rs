//! The environment of a session.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use talk_proto::{
    Call, CommandError, ConnectionState, Event, HttpFailure, Input, Output, Reply, RequestError,
    RequestId, Secret, Session, SessionError, SessionOptions, SocketClosed, SocketId,
    SubscriptionId, Timestamp, TokenFetchId, Topic, command::MessageBody,
};

use super::log::{HttpAsked, Log, Request, SocketLog};
use super::mail::{Mail, Mailbox};
use super::script::{Answer, Network, Script, TokenSource};
use super::store::TestStore;
use super::{Invariants, START, Transcript};

/// The number of steps above which a run is considered endless.
const STEP_LIMIT: usize = 2_000_000;

/// The time and the result of a resolved request.
pub(crate) type Outcome = (Timestamp, Result<Reply, RequestError>);

/// A session with its environment.
pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) now: Timestamp,
    pub(crate) script: Script,
    pub(crate) network: Network,
    pub(crate) tokens: TokenSource,
    /// The latency of every answer of the server.
    pub(crate) latency: Duration,
    pub(crate) log: Log,
    pub(crate) outcomes: BTreeMap<RequestId, Outcome>,
    pub(crate) invariants: Invariants,
    /// The transcript, if one is recorded.
    pub(crate) transcript: Option<Transcript>,
    /// The store of a session that has one.
    pub(crate) store: TestStore,
    /// The reason for which the files of entries cannot be uploaded.
    pub(crate) file_problem: Option<&'static str>,
    /// The number of outputs after which the process crashes.
    pub(crate) crash_after: Option<usize>,
    /// The number of outputs so far.
    pub(crate) outputs: usize,
    mailbox: Mailbox,
    publishes: u64,
}

impl World {
    pub(crate) fn new(options: SessionOptions) -> Self {
        Self::seeded(options, 0x5eed)
    }

    pub(crate) fn seeded(options: SessionOptions, seed: u64) -> Self {
        let mut invariants = Invariants::default();
        for secret in [
            &options.authentication.token,
            &options.authentication.signature,
        ] {
            invariants.keep_secret(secret.as_ref().map_or("", Secret::expose));
        }
        Self {
            session: Session::new(options, seed, START),
            now: START,
            script: Script::default(),
            network: Network::Up(Duration::ZERO),
            tokens: TokenSource::After(Duration::ZERO),
            latency: Duration::ZERO,
            log: Log::default(),
            outcomes: BTreeMap::new(),
            invariants,
            transcript: None,
            store: TestStore::default(),
            file_problem: None,
            crash_after: None,
            outputs: 0,
            mailbox: Mailbox::default(),
            publishes: 0,
        }
    }

    /// Creates a world whose session has a store without records.
    pub(crate) fn stored(options: SessionOptions) -> Self {
        let mut world = Self::new(options.clone());
        world.session = Session::restore(options, 0x5eed, START, &[]);
        world
    }

    /// Returns `true` if the process has crashed.
    pub(crate) fn has_crashed(&self) -> bool {
        self.crash_after.is_some_and(|limit| self.outputs >= limit)
    }

    /// Starts another process on the records of the store. Everything in transit is lost, but the
    /// server has received every frame.
    pub(crate) fn restart(&mut self, options: SessionOptions) {
        self.crash_after = None;
        self.mailbox.clear();
        self.store.forget_unanswered();
        self.invariants = Invariants::default();
        self.publishes = 0;
        let now = self.now;
        for socket in &mut self.log.sockets {
            socket.closed.get_or_insert((now, None));
        }
        let seed = 0xbad + self.outputs as u64;
        self.session = Session::restore(options, seed, now, &self.store.records());
    }

    /// Creates a world with a connected and idle session.
    pub(crate) fn ready(options: SessionOptions) -> Self {
        let mut world = Self::new(options);
        world.call(super::mark_as_read("warm up"));
        world.run();
        assert!(matches!(
            world.log.states().last(),
            Some(ConnectionState::Ready)
        ));
        world.log.requests.clear();
        world
    }

    /// Subscribes to something, so that a connection is needed.
    pub(crate) fn keep_connected(&mut self) {
        self.subscribe(Topic::Typing {
            conversation: super::conversation("kept"),
        });
    }

    // Commands. They are not drained, so that they join the open tick.

    pub(crate) fn try_call(&mut self, call: Call) -> Result<RequestId, CommandError> {
        if let Call::SendMessage { message, .. } = &call
            && let MessageBody::Text(text) = &message.body
        {
            self.invariants.keep_secret(text);
        }
        let request = self.session.call(self.now, call)?;
        self.invariants.accepted(request);
        self.invariants.commanded(&self.session, self.now);
        Ok(request)
    }

    pub(crate) fn call(&mut self, call: Call) -> RequestId {
        self.try_call(call).expect("the call is accepted")
    }

    pub(crate) fn try_subscribe(&mut self, topic: Topic) -> Result<SubscriptionId, CommandError> {
        let subscription = self.session.subscribe(self.now, topic)?;
        self.invariants.subscribed(subscription);
        self.invariants.commanded(&self.session, self.now);
        Ok(subscription)
    }

    pub(crate) fn subscribe(&mut self, topic: Topic) -> SubscriptionId {
        self.try_subscribe(topic)
            .expect("the subscription is accepted")
    }

    pub(crate) fn load_more(
        &mut self,
        subscription: SubscriptionId,
        count: Option<usize>,
    ) -> Result<RequestId, CommandError> {
        let request = self.session.load_more(self.now, subscription, count)?;
        self.invariants.accepted(request);
        self.invariants.commanded(&self.session, self.now);
        Ok(request)
    }

    pub(crate) fn set_token(&mut self, token: &str) -> Result<(), CommandError> {
        self.invariants.keep_secret(token);
        self.session.set_token(self.now, token.into())?;
        self.invariants.token_set();
        Ok(())
    }

    pub(crate) fn allow_token_fetch(&mut self) {
        self.session.allow_token_fetch(self.now);
        self.invariants.token_fetch_allowed();
    }

    // Time.

    /// Drains, and delivers everything that arrives at the current time.
    pub(crate) fn run(&mut self) {
        self.run_until(self.now);
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Advances the time to `end`, from event to event.
    pub(crate) fn run_until(&mut self, end: Timestamp) {
        self.drain();
        for _ in 0..STEP_LIMIT {
            if !self.step(end) {
                self.now = end.max(self.now);
                return;
            }
        }
        panic!("no end after {STEP_LIMIT} steps");
    }

    /// Suspends the machine until `at`. Nothing is delivered in between.
    pub(crate) fn sleep_until(&mut self, at: Timestamp) {
        self.now = at;
        self.input(Input::Tick);
    }

    /// Completes the unanswered batches.
    pub(crate) fn complete_batches(&mut self, result: &Result<(), String>) {
        for batch in self.store.complete(result.is_ok()) {
            self.mailbox
                .put(self.now, Mail::Stored(batch, result.clone()));
        }
        self.run();
    }

    /// Advances the time until every request is resolved, but at most by `within`.
    pub(crate) fn run_until_resolved(&mut self, within: Duration) {
        let end = self.now + within;
        self.drain();
        while self.invariants.pending() > 0 {
            assert!(
                self.step(end),
                "{} requests are left",
                self.invariants.pending()
            );
        }
    }

    /// Performs the next event if it is not later than `end`. Returns `true` if there was one.
    pub(crate) fn step(&mut self, end: Timestamp) -> bool {
        if self.has_crashed() {
            return false;
        }
        let mail = self.mailbox.next_at().map(|at| at.max(self.now));
        let tick = self.session.poll_timeout().map(|at| at.max(self.now));
        let Some(at) = mail.into_iter().chain(tick).min().filter(|at| *at <= end) else {
            return false;
        };
        self.now = at;
        if mail == Some(at) {
            if let Some(mail) = self.mailbox.take() {
                self.deliver(mail);
            }
        } else {
            self.input(Input::Tick);
        }
        true
    }

    // Events from outside.

    /// Closes the connection from the server's side. Data in transit is lost.
    pub(crate) fn cut(&mut self) {
        self.close(SocketClosed::ByServer { code: Some(1006) });
    }

    pub(crate) fn close(&mut self, cause: SocketClosed) {
        if let Some(socket) = self.socket() {
            self.mailbox.drop_socket(socket);
            self.deliver(Mail::Closed(socket, cause));
        }
    }

    /// Publishes events as one step.
    pub(crate) fn publish(&mut self, events: &[Value]) {
        self.publishes += 1;
        let mut frame = vec![json!(self.publishes), json!("PUBLISH")];
        frame.extend_from_slice(events);
        self.receive(&Value::Array(frame).to_string());
    }

    /// Publishes events behind the answers that are on their way.
    pub(crate) fn publish_later(&mut self, events: &[Value]) {
        if let Some(socket) = self.socket() {
            self.publishes += 1;
            let mut frame = vec![json!(self.publishes), json!("PUBLISH")];
            frame.extend_from_slice(events);
            let frame = Mail::Frame(socket, Value::Array(frame).to_string());
            self.mailbox.put(self.now + self.latency, frame);
        }
    }

    /// Passes a frame from the server.
    pub(crate) fn receive(&mut self, text: &str) {
        if let Some(socket) = self.socket() {
            self.input(Input::SocketFrame { socket, text });
        }
    }

    /// Returns the open socket, if there is one.
    pub(crate) fn socket(&self) -> Option<SocketId> {
        let socket = self.log.sockets.last()?;
        (socket.is_open && socket.closed.is_none()).then_some(socket.id)
    }

    /// Passes an input and drains.
    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.invariants.input(self.now, &input);
        if let Some(transcript) = &mut self.transcript {
            transcript.input(self.now, &input);
        }
        if let Input::HttpEnd { http } | Input::HttpFailed { http, .. } = &input {
            let mut asked = self.log.http.iter_mut();
            if let Some(asked) = asked.find(|asked| asked.id == *http) {
                asked.is_over = true;
            }
        }
        self.session.handle_input(self.now, input);
        self.drain();
    }

    fn deliver(&mut self, mail: Mail) {
        match mail {
            Mail::Opened(socket) => {
                self.publishes = 0;
                if let Some(log) = self.log.sockets.iter_mut().rfind(|s| s.id == socket) {
                    log.is_open = true;
                }
                self.input(Input::SocketOpened { socket });
            }
            Mail::Frame(socket, text) => {
                let text = text.as_str();
                self.input(Input::SocketFrame { socket, text });
            }
            Mail::Closed(socket, cause) => {
                let now = self.now;
                if let Some(log) = self.log.sockets.iter_mut().rfind(|s| s.id == socket) {
                    log.closed.get_or_insert((now, None));
                }
                self.input(Input::SocketClosed { socket, cause });
            }
            Mail::Token(fetch, result) => {
                let result = result.map(Secret::from);
                self.input(Input::Token { fetch, result });
            }
            Mail::Stored(batch, result) => self.input(match result {
                Ok(()) => Input::Stored { batch },
                Err(reason) => Input::StoreFailed { batch, reason },
            }),
            Mail::FileChecked(request, result) => {
                self.input(Input::FileChecked { request, result });
            }
            Mail::Http(http, Some((status, body))) => {
                self.input(Input::HttpHead { http, status });
                let chunk = Bytes::from(body);
                self.input(Input::HttpChunk { http, chunk });
                self.input(Input::HttpEnd { http });
            }
            Mail::Http(http, None) => {
                let failure = HttpFailure::Network("connection refused".to_owned());
                self.input(Input::HttpFailed { http, failure });
            }
        }
    }

    /// Performs all outputs of the session.
    pub(crate) fn drain(&mut self) {
        loop {
            if self.has_crashed() {
                return;
            }
            let timeout = self.session.poll_timeout();
            let Some(output) = self.session.poll_output() else {
                break;
            };
            self.invariants.output(self.now, timeout, &output);
            if let Some(transcript) = &mut self.transcript {
                transcript.output(&output);
            }
            self.outputs += 1;
            self.obey(output);
        }
        self.invariants.drained(&self.session, self.now);
    }

    fn obey(&mut self, output: Output) {
        let now = self.now;
        match output {
            Output::OpenSocket { socket, url } => {
                self.log.sockets.push(SocketLog {
                    id: socket,
                    url,
                    asked_at: now,
                    is_open: false,
                    closed: None,
                });
                match self.network {
                    Network::Up(after) => self.mailbox.put(now + after, Mail::Opened(socket)),
                    Network::Refuse => {
                        let cause = SocketClosed::ConnectFailed("refused".to_owned());
                        self.mailbox.put(now, Mail::Closed(socket, cause));
                    }
                    Network::Hang => {}
                }
            }
            Output::SendFrame { socket, frame } => self.serve(socket, &frame.into_string()),
            Output::CloseSocket { socket, code } => {
                self.mailbox.drop_socket(socket);
                if let Some(log) = self.log.sockets.iter_mut().rfind(|s| s.id == socket) {
                    log.closed.get_or_insert((now, Some(code)));
                }
                let cause = SocketClosed::Lost("closed by the session".to_owned());
                self.mailbox.put(now, Mail::Closed(socket, cause));
            }
            Output::FetchToken { fetch } => {
                self.log.token_fetches.push(now);
                let token = format!("token-{}", self.log.token_fetches.len());
                match self.tokens {
                    TokenSource::After(time) => {
                        self.mailbox.put(now + time, Mail::Token(fetch, Ok(token)));
                    }
                    TokenSource::Fails => self.fail_token(fetch, Duration::ZERO),
                    TokenSource::FailsAfter(time) => self.fail_token(fetch, time),
                    TokenSource::NeverAnswers => {}
                }
            }
            Output::SendHttp { http, request } => {
                let uri = request.uri().to_string();
                if !self.script.holds_http(&uri) {
                    let answer = self.script.http(&uri);
                    let answer = answer.map(|(status, body)| (status, body.to_string()));
                    self.mailbox.put(now, Mail::Http(http, answer));
                }
                let (parts, body) = request.into_parts();
                self.log.http.push(HttpAsked {
                    id: http,
                    at: now,
                    method: parts.method.to_string(),
                    uri,
                    headers: parts.headers,
                    body,
                    cancelled: false,
                    is_over: false,
                });
            }
            Output::CancelHttp { http } => {
                let mut asked = self.log.http.iter_mut();
                if let Some(asked) = asked.find(|asked| asked.id == http) {
                    asked.cancelled = true;
                    asked.is_over = true;
                }
            }
            Output::Store { batch, changes } => {
                if let Some(result) = self.store.apply(batch, changes) {
                    self.mailbox.put(now, Mail::Stored(batch, result));
                }
            }
            Output::CheckFile { request, .. } => {
                let result = self.file_problem.map_or(Ok(()), |it| Err(it.to_owned()));
                self.mailbox.put(now, Mail::FileChecked(request, result));
            }
            Output::Event(event) => {
                if let Event::Resolved { request, result } = &event {
                    self.outcomes.insert(*request, (now, result.clone()));
                }
                self.log.events.push((now, event));
            }
        }
    }

    fn fail_token(&mut self, fetch: TokenFetchId, after: Duration) {
        let failure = Err("the application says no".to_owned());
        let mail = Mail::Token(fetch, failure);
        self.mailbox.put(self.now + after, mail);
    }

    /// Handles a frame on the server.
    fn serve(&mut self, socket: SocketId, text: &str) {
        let frame: Value = serde_json::from_str(text).expect("checked by the invariants");
        if frame[1] == "ACK" {
            self.log.acks.extend(frame[0].as_u64());
            return;
        }
        let request = Request {
            at: self.now,
            connection: self.log.sockets.len() - 1,
            seq: frame[0].as_u64().unwrap_or_default(),
            method: frame[1].as_str().unwrap_or_default().to_owned(),
            path: frame[2].as_str().unwrap_or_default().to_owned(),
            data: frame[3].clone(),
            headers: frame[4].clone(),
        };
        let at = self.now + self.latency;
        let text = |status, body| json!([request.seq, status, body]).to_string();
        match self.script.answer(&request) {
            Answer::Reply(status, body) => {
                let frame = Mail::Frame(socket, text(status, body));
                self.mailbox.put(at, frame);
            }
            Answer::Late(after, status, body) => {
                let frame = Mail::Frame(socket, text(status, body));
                self.mailbox.put(at + after, frame);
            }
            Answer::Silence => {}
            Answer::Raw(texts) => {
                for text in texts {
                    self.mailbox.put(at, Mail::Frame(socket, text));
                }
            }
            Answer::Drop => {
                let cause = SocketClosed::ByServer { code: None };
                self.mailbox.put(at, Mail::Closed(socket, cause));
            }
        }
        self.log.requests.push(request);
    }

    // Results.

    /// Returns the result of `request`.
    pub(crate) fn outcome(&self, request: RequestId) -> &Result<Reply, RequestError> {
        let (_, result) = self.outcomes.get(&request).expect("it is resolved");
        result
    }

    pub(crate) fn is_resolved(&self, request: RequestId) -> bool {
        self.outcomes.contains_key(&request)
    }

    /// Returns the reported reason for the end of the session.
    pub(crate) fn end(&self) -> Option<&SessionError> {
        self.log.events.iter().find_map(|(_, event)| match event {
            Event::Ended(error) => Some(error),
            _ => None,
        })
    }
}
