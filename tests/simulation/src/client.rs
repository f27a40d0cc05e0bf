//! A session with the observations of its outputs.

use std::collections::BTreeMap;
use std::time::Duration;

use talk_proto::inbox::{InboxEvent, InboxId, InboxOptions};
use talk_proto::{
    CommandError, ConnectionState, Event, Input, Output, Reply, RequestError, RequestId, Session,
    SessionError, SessionOptions, SocketClosed, SocketId, SubscriptionId, Timestamp, TokenFetchId,
    Topic, search::SearchId, storage::Record,
};

use super::broken::broken;
use super::invariants::Invariants;
use super::nested::NestedReads;
use super::observed::Observed;
use super::phase::Phase;
use super::received::Received;
use super::shown::Shown;
use super::wire;

/// The number of authentication failures after which a session may end. The session tries five
/// tokens, and a single failure can use up more than one of them.
const TROUBLES: u32 = 3;

/// The difference between the session's clock and the world's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    pub(super) ahead: Duration,
    pub(super) behind: Duration,
}

impl Clock {
    fn of_world(self, now: Timestamp) -> Timestamp {
        now + self.ahead - self.behind
    }

    fn to_world(self, at: Timestamp) -> Timestamp {
        at - self.ahead + self.behind
    }
}

/// A request that is not answered.
struct Asked {
    at: Timestamp,
    kind: AskedKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AskedKind {
    Token,
    Call,
    Live,
}

/// The time limit of an answer on a ready connection.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// A ready session has something to do within this time, unless it sleeps.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The beginning of a process.
pub(super) enum Start {
    WithoutStore,
    Restored(Vec<Record>),
    /// Another process has the store.
    Standby,
}

/// A session whose invariants are checked.
pub(super) struct Client {
    pub(super) user: &'static str,
    /// The generation of the session in this slot. A session that has ended is replaced by a new
    /// one.
    pub(super) life: u64,
    pub(super) session: Session,
    pub(super) clock: Clock,
    /// The time of the last forward jump of the clock, after which timers are due early.
    pub(super) jumped_at: Option<Timestamp>,
    pub(super) shown: BTreeMap<SubscriptionId, Shown>,
    /// The calls that were resolved since the last look at this list.
    pub(super) resolved: Vec<(RequestId, Result<Reply, RequestError>)>,
    pub(super) requests: Vec<RequestId>,
    pub(super) searches: Vec<SearchId>,
    pub(super) end: Option<SessionError>,
    pub(super) socket: Option<SocketId>,
    /// All sockets and token fetches so far, the latest last.
    pub(super) sockets: Vec<SocketId>,
    pub(super) fetches: Vec<TokenFetchId>,
    /// The application ignores updates until this time.
    pub(super) slow_until: Timestamp,
    /// The tokens that the session may use: the latest ones that it received.
    pub(super) tokens: Vec<String>,
    /// Set if something happened that may end subscriptions, or the session.
    pub(super) may_lose_subscriptions: bool,
    pub(super) may_end: bool,
    pub(super) auth_failures: u32,
    pub(super) nested_reads: NestedReads,
    /// The number of outputs after which the process crashes.
    pub(super) crash_after: Option<u32>,
    /// Events of the outbox since the last check. `None` without a store.
    pub(super) observed: Option<Vec<Observed>>,
    /// Events of inboxes since the last drain.
    pub(super) inbox_events: Vec<(InboxId, InboxEvent)>,
    /// The identities that the process has received. `None` without a cache.
    received: Option<Received>,
    is_open: bool,
    /// The unanswered requests on the socket.
    asked: BTreeMap<u64, Asked>,
    /// The time since which the server can answer.
    waiting_since: Timestamp,
    invariants: Invariants,
    /// The deadline that the session returned after its last drain, by the session's clock.
    tick_at: Option<Timestamp>,
    seen: Timestamp,
    window: usize,
}

impl Client {
    pub(super) fn new(
        user: &'static str,
        life: u64,
        options: SessionOptions,
        seed: u64,
        now: Timestamp,
        start: &Start,
    ) -> Self {
        let window = options.limits.window;
        let received = options.cache.then(Received::default);
        let session = match start {
            Start::WithoutStore => Session::new(options, seed, now),
            Start::Restored(records) => Session::restore(options, seed, now, records),
            Start::Standby => Session::standby(options, seed, now),
        };
        Self {
            user,
            life,
            clock: Clock::default(),
            jumped_at: None,
            shown: BTreeMap::new(),
            resolved: Vec::new(),
            requests: Vec::new(),
            searches: Vec::new(),
            end: None,
            socket: None,
            sockets: Vec::new(),
            fetches: Vec::new(),
            slow_until: now,
            tokens: Vec::new(),
            may_lose_subscriptions: false,
            may_end: false,
            auth_failures: 0,
            nested_reads: NestedReads::default(),
            crash_after: None,
            observed: matches!(start, Start::Restored(_)).then(Vec::new),
            inbox_events: Vec::new(),
            received,
            is_open: false,
            asked: BTreeMap::new(),
            waiting_since: now,
            invariants: Invariants::default(),
            tick_at: None,
            seen: now,
            window,
            session,
        }
    }

    /// Sets the session's clock.
    pub(super) fn set_clock(&mut self, now: Timestamp, clock: Clock) {
        if clock.of_world(now) > self.clock.of_world(now) {
            self.jumped_at = Some(now);
        }
        self.clock = clock;
    }

    /// Returns the time by the session's clock.
    pub(super) fn time(&mut self, now: Timestamp) -> Timestamp {
        let time = self.clock.of_world(now);
        if time.saturating_since(self.seen) > LONGEST_PAUSE && time > self.seen {
            self.waiting_since = time;
        }
        self.seen = self.seen.max(time);
        time
    }

    /// Returns the latest time by the session's clock. The session itself may not have received it.
    pub(super) fn latest_time(&self, now: Timestamp) -> Timestamp {
        self.clock.of_world(now).max(self.seen)
    }

    /// Returns the session's next deadline by the world's clock.
    pub(super) fn tick_at(&self) -> Option<Timestamp> {
        Some(self.clock.to_world(self.tick_at?))
    }

    /// Sends the session a command that will be resolved.
    pub(super) fn ask(
        &mut self,
        now: Timestamp,
        command: impl FnOnce(&mut Session, Timestamp) -> Result<RequestId, CommandError>,
    ) -> Option<RequestId> {
        let time = self.time(now);
        let request = command(&mut self.session, time).ok()?;
        self.invariants.accepted(request);
        self.invariants.commanded(&self.session, self.seen);
        self.requests.push(request);
        if self.requests.len() > 64 {
            self.requests.remove(0);
        }
        let limit = self.session.options().limits.pending_calls;
        if self.session.pending_calls() > limit {
            broken("calls stay under their cap", format!("{limit}"));
        }
        Some(request)
    }

    pub(super) fn subscribe(&mut self, now: Timestamp, topic: Topic) {
        let time = self.time(now);
        if let Ok(id) = self.session.subscribe(time, topic.clone()) {
            self.invariants.subscribed(id);
            self.shown.insert(id, Shown::new(topic));
        }
    }

    /// Sends the session a command without a result.
    pub(super) fn execute(
        &mut self,
        now: Timestamp,
        command: impl FnOnce(&mut Session, Timestamp),
    ) {
        let time = self.time(now);
        command(&mut self.session, time);
    }

    /// Opens an inbox.
    pub(super) fn open_inbox(
        &mut self,
        now: Timestamp,
        name: &str,
        options: InboxOptions,
    ) -> Option<InboxId> {
        let time = self.time(now);
        let max_unacked = options.max_unacked;
        let inbox = self.session.open_inbox(time, name, options).ok()?;
        self.invariants.inboxes.accepted(inbox, max_unacked);
        Some(inbox)
    }

    /// Makes the session a standby.
    pub(super) fn close_store(&mut self, now: Timestamp) {
        let time = self.time(now);
        self.invariants.store_closed();
        self.session.close_store(time);
    }

    pub(super) fn token_set(&mut self) {
        self.invariants.token_set();
    }

    pub(super) fn input(&mut self, now: Timestamp, input: Input<'_>) {
        let time = self.time(now);
        self.invariants.input(self.seen, &input);
        match &input {
            Input::SocketOpened { socket } if self.socket == Some(*socket) => self.is_open = true,
            Input::SocketFrame { socket, text } if self.socket == Some(*socket) => {
                if let Some(received) = &mut self.received {
                    received.note(text);
                }
                if let Some((seq, _)) = wire::head(text).filter(|(_, kind)| *kind != "\"PUBLISH\"")
                {
                    self.asked.remove(&seq);
                    self.nested_reads.answered(seq);
                }
            }
            Input::SocketClosed { socket, cause } if self.socket == Some(*socket) => {
                if *cause == SocketClosed::FrameTooLarge {
                    self.nested_reads.note_large_loss();
                }
                self.forget_socket();
            }
            _ => {}
        }
        self.session.handle_input(time, input);
    }

    fn forget_socket(&mut self) {
        self.socket = None;
        self.is_open = false;
        self.asked.clear();
        self.nested_reads.disconnected();
    }

    /// Returns the next output that concerns the world. Events are handled here. Returns `None`
    /// also if the process crashes before the next output.
    pub(super) fn poll(&mut self, now: Timestamp) -> Option<Output> {
        loop {
            if self.crash_after == Some(0) {
                return None;
            }
            let timeout = self.session.poll_timeout();
            let Some(output) = self.session.poll_output() else {
                self.invariants.drained(&self.session, self.seen);
                self.check_unanswered();
                self.tick_at = self.session.poll_timeout();
                return None;
            };
            self.invariants.output(self.seen, timeout, &output);
            if let Some(left) = &mut self.crash_after {
                *left -= 1;
            }
            match output {
                Output::Event(event) => self.note(now, event),
                output => {
                    self.watch(&output);
                    return Some(output);
                }
            }
        }
    }

    /// A request is answered in time, or its connection is given up.
    fn check_unanswered(&self) {
        let is_ready = *self.session.connection() == ConnectionState::Ready;
        for (seq, asked) in &self.asked {
            let since = asked.at.max(self.waiting_since);
            let is_late = self.seen.saturating_since(since) >= ANSWER_TIMEOUT;
            if is_ready && asked.kind != AskedKind::Token && is_late {
                broken(
                    "a request is answered or its connection is lost",
                    seq.to_string(),
                );
            }
        }
    }

    fn watch(&mut self, output: &Output) {
        match output {
            Output::OpenSocket { socket, .. } => {
                self.forget_socket();
                self.socket = Some(*socket);
                self.sockets.push(*socket);
            }
            Output::CloseSocket { .. } => self.forget_socket(),
            Output::FetchToken { fetch } => self.fetches.push(*fetch),
            Output::SendFrame { frame, .. } => self.watch_frame(frame.as_str()),
            _ => {}
        }
    }

    fn watch_frame(&mut self, text: &str) {
        let Some((seq, method)) = wire::head(text).filter(|(_, kind)| *kind != "\"ACK\"") else {
            return;
        };
        match wire::path(text) {
            Some("/ping") => {}
            Some("/session/renew") => {
                let is_known = self
                    .tokens
                    .iter()
                    .any(|token| text.contains(token.as_str()));
                if !is_known && !self.tokens.is_empty() {
                    broken("only the newest token is used", text);
                }
                self.ask_server(seq, AskedKind::Token);
            }
            _ => {
                let is_live = matches!(method, "\"SUBSCRIBE\"" | "\"UNSUBSCRIBE\"" | "\"GET\"");
                let kind = if is_live {
                    AskedKind::Live
                } else {
                    AskedKind::Call
                };
                self.ask_server(seq, kind);
                self.nested_reads.asked(seq, text);
            }
        }
    }

    fn ask_server(&mut self, seq: u64, kind: AskedKind) {
        let at = self.seen;
        self.asked.insert(seq, Asked { at, kind });
    }

    fn note(&mut self, now: Timestamp, event: Event) {
        let is_slow = now < self.slow_until;
        match event {
            Event::Resolved { request, result } => self.resolved.push((request, result)),
            Event::Connection(ConnectionState::Ready) => self.waiting_since = self.seen,
            Event::Updated {
                subscription,
                update,
            } => {
                let window = self.window;
                if let Some(received) = &self.received {
                    received.check(&update.snapshot);
                }
                if let Some(shown) = self.shown.get_mut(&subscription) {
                    if let Some(observed) = &mut self.observed {
                        observed.extend(Observed::of_update(shown.snapshot.as_ref(), &update));
                    }
                    shown.update(*update, is_slow, window);
                }
            }
            Event::SubscriptionEnded {
                subscription,
                error,
            } => {
                if let Some(shown) = self.shown.get_mut(&subscription) {
                    let excused = self.may_lose_subscriptions || self.session.ended().is_some();
                    if error.is_some() && !excused {
                        let detail = format!("{:?}: {error:?}", shown.topic);
                        broken("a subscription ends with a cause", detail);
                    }
                    shown.ended = Some(error);
                }
            }
            Event::Inbox { inbox, event } => self.inbox_events.push((inbox, event)),
            Event::EntryChanged(entry) => self.observe(Observed::Changed(entry)),
            Event::EntryRemoved { entry, message } => {
                self.observe(Observed::Removed { entry, message });
            }
            Event::Ended(error) => {
                if !self.may_end && self.auth_failures < TROUBLES {
                    broken("a session ends with a cause", error.to_string());
                }
                self.end = Some(error);
            }
            _ => {}
        }
    }

    fn observe(&mut self, event: Observed) {
        if let Some(observed) = &mut self.observed {
            observed.push(event);
        }
    }

    /// Returns the number of requests that are accepted and unresolved.
    pub(super) fn pending(&self) -> usize {
        self.invariants.pending()
    }

    /// Returns the phase of the session's connection.
    pub(super) fn phase(&self) -> Phase {
        if self.end.is_some() {
            return Phase::Idle;
        }
        let is_ready = *self.session.connection() == ConnectionState::Ready;
        let is_live = |asked: &Asked| asked.kind == AskedKind::Live;
        match (self.socket, self.is_open) {
            (None, _) if *self.session.connection() == ConnectionState::Idle => Phase::Idle,
            (None, _) => Phase::Waiting,
            (Some(_), false) => Phase::Opening,
            (Some(_), true) if !is_ready => Phase::Authenticating,
            (Some(_), true) if self.asked.values().any(is_live) => Phase::Subscribing,
            (Some(_), true) if !self.asked.is_empty() => Phase::Calling,
            (Some(_), true) => Phase::Settled,
        }
    }
}
