//! The invariants, which hold at every step in every state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{Debug, Write as _};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use talk_proto::{
    Event, HttpId, Input, Output, RequestId, Session, SocketId, SubscriptionId, Timestamp,
    TokenFetchId, storage::BatchId,
};

use super::inboxes::InboxInvariants;

/// The number of outputs after one input above which a drain is considered endless.
const DRAIN_LIMIT: usize = 100_000;
/// The time after which an unanswered token fetch has ended.
const FETCH_WITHIN: Duration = Duration::from_secs(60);
/// The number of drains between two checks of the `Debug` output, for speed.
const LOOK_EVERY: usize = 8;
/// The number of secrets to search for.
const SECRETS: usize = 8;

/// The current socket.
struct Socket {
    id: SocketId,
    is_open: bool,
    is_authenticated: bool,
    next_seq: u64,
    renewals: BTreeSet<u64>,
    /// Received publishes that are not acknowledged yet.
    unacknowledged: VecDeque<u64>,
}

/// An observer of a session that panics if an invariant is violated.
#[derive(Default)]
pub(crate) struct Invariants {
    socket: Option<Socket>,
    last_socket: Option<SocketId>,
    callback: Option<(TokenFetchId, Timestamp)>,
    boken: Option<HttpId>,
    exchanges: BTreeSet<HttpId>,
    /// Unanswered batches.
    batches: BTreeSet<BatchId>,
    last_batch: Option<BatchId>,
    /// Set if a batch was stored before the last answer, as only the end of a session may.
    has_extra_batch: bool,
    /// The requests; `true` if resolved.
    requests: BTreeMap<RequestId, bool>,
    pending: usize,
    /// The subscriptions; `true` if ended.
    subscriptions: BTreeMap<SubscriptionId, bool>,
    active: usize,
    drained: usize,
    drains: usize,
    has_ended: bool,
    pub(crate) inboxes: InboxInvariants,
    secrets: VecDeque<String>,
    /// Public strings, which contain no secret.
    public: String,
    /// A buffer for `Debug` output, which is reused.
    page: String,
}

impl Invariants {
    /// Requires that `text` does not appear in any `Debug` output, as long as it is one of the last
    /// few secrets. Short strings are ignored, because they would be found by chance.
    pub(crate) fn keep_secret(&mut self, text: &str) {
        let is_known = self.public.contains(text) || self.secrets.iter().any(|known| known == text);
        if text.len() >= 6 && !is_known {
            self.secrets.push_front(text.to_owned());
            self.secrets.truncate(SECRETS);
        }
    }

    /// Marks `text` as public. A fuzzer finds secrets in the comparisons of these invariants and
    /// uses them as IDs, which may be shown.
    pub(crate) fn publish(&mut self, text: &str) {
        self.public.push_str(text);
        let Self {
            secrets, public, ..
        } = self;
        secrets.retain(|secret| !public.contains(secret.as_str()));
    }

    pub(crate) fn accepted(&mut self, request: RequestId) {
        let before = self.requests.insert(request, false);
        assert_eq!(before, None, "{request:?} was given twice");
        self.pending += 1;
    }

    pub(crate) fn subscribed(&mut self, subscription: SubscriptionId) {
        let before = self.subscriptions.insert(subscription, false);
        assert_eq!(before, None, "{subscription:?} was given twice");
        self.active += 1;
    }

    /// Records that the caller set a token, which answers any fetch.
    pub(crate) fn token_set(&mut self) {
        self.callback = None;
        self.boken = None;
    }

    /// Records that the session has lost its store, which answers no earlier batch.
    #[allow(dead_code, reason = "the simulation uses it")]
    pub(crate) fn store_closed(&mut self) {
        self.batches.clear();
    }

    /// Records that tokens are fetched from the application, and answers of the service are
    /// ignored.
    pub(crate) fn token_fetch_allowed(&mut self) {
        self.boken = None;
    }

    /// Records a command. Its effects count as queued output.
    pub(crate) fn commanded(&self, session: &Session, now: Timestamp) {
        if !self.has_ended {
            let timeout = session.poll_timeout();
            assert!(timeout.is_some_and(|at| at <= now), "{timeout:?} at {now}");
        }
    }

    /// Records an input before it is passed.
    pub(crate) fn input(&mut self, now: Timestamp, input: &Input<'_>) {
        self.drained = 0;
        self.check_secrets(input);
        match input {
            Input::SocketOpened { socket } => {
                if let Some(live) = self.live(*socket) {
                    live.is_open = true;
                }
            }
            Input::SocketFrame { socket, text } => {
                if let Some(live) = self.live(*socket).filter(|live| live.is_open) {
                    live.receive(text);
                }
            }
            Input::SocketClosed { socket, .. } => {
                if self.live(*socket).is_some() {
                    self.socket = None;
                }
            }
            Input::Token { fetch, result } => {
                if let Ok(token) = result {
                    self.keep_secret(token.expose());
                }
                if self.callback.is_some_and(|(id, _)| id == *fetch) {
                    self.callback = None;
                }
            }
            Input::HttpEnd { http } | Input::HttpFailed { http, .. } => self.exchange_over(*http),
            Input::HttpHead { .. }
            | Input::HttpChunk { .. }
            | Input::FileChecked { .. }
            | Input::Tick => {}
            Input::Stored { batch } | Input::StoreFailed { batch, .. } => {
                self.batches.remove(batch);
            }
        }
        let _ = now;
    }

    /// Checks an output. `timeout` is the result of `poll_timeout` just before.
    pub(crate) fn output(&mut self, now: Timestamp, timeout: Option<Timestamp>, output: &Output) {
        self.drained += 1;
        assert!(
            self.drained < DRAIN_LIMIT,
            "a drain does not end: {output:?}"
        );
        assert!(!self.has_ended, "after the end came {output:?}");
        assert!(
            timeout.is_some_and(|at| at <= now),
            "{output:?} was queued, but the next tick was to be at {timeout:?}, not {now}",
        );
        self.check_secrets(output);
        match output {
            Output::OpenSocket { socket, .. } => self.socket_asked(*socket),
            Output::SendFrame { socket, frame } => {
                let live = self.live(*socket).filter(|live| live.is_open);
                let live = live.expect("a frame goes to a socket that is not open");
                live.say(frame.as_str());
            }
            Output::CloseSocket { socket, .. } => {
                assert!(self.live(*socket).is_some(), "{socket:?} is closed already");
                self.socket = None;
            }
            Output::FetchToken { fetch } => {
                self.no_fetch_is_under_way(now);
                self.callback = Some((*fetch, now));
            }
            Output::SendHttp { http, request } => {
                assert!(self.exchanges.insert(*http), "{http:?} was used twice");
                if request.uri().path().contains("/bokens/") {
                    self.no_fetch_is_under_way(now);
                    self.boken = Some(*http);
                }
            }
            Output::CancelHttp { http } => {
                assert!(self.exchanges.contains(http), "{http:?} is over already");
                self.exchange_over(*http);
            }
            Output::Store { batch, changes } => {
                assert!(!changes.is_empty(), "{batch:?} is empty");
                self.has_extra_batch |= !self.batches.is_empty();
                assert!(self.last_batch < Some(*batch), "{batch:?} was used before");
                self.last_batch = Some(*batch);
                self.batches.insert(*batch);
            }
            Output::CheckFile { .. } => {}
            Output::Event(event) => self.event(event),
        }
    }

    fn event(&mut self, event: &Event) {
        self.inboxes.event(event);
        match event {
            Event::Resolved { request, .. } => {
                self.pending -= 1;
                let resolved = self.requests.insert(*request, true);
                assert_eq!(
                    resolved,
                    Some(false),
                    "{request:?}: unknown, or resolved twice"
                );
            }
            Event::Updated { subscription, .. } => {
                let ended = self.subscriptions.get(subscription);
                assert_eq!(ended, Some(&false), "{subscription:?}: unknown, or ended");
            }
            Event::SubscriptionEnded { subscription, .. } => {
                self.active -= 1;
                let ended = self.subscriptions.insert(*subscription, true);
                assert_eq!(
                    ended,
                    Some(false),
                    "{subscription:?}: unknown, or ended twice"
                );
            }
            Event::Ended(_) => {
                self.has_ended = true;
                assert_eq!(self.pending(), 0, "requests are left at the end");
                assert_eq!(self.active, 0, "subscriptions are left at the end");
                assert!(self.socket.is_none(), "a socket is left at the end");
                assert!(self.exchanges.is_empty(), "HTTP is left at the end");
            }
            Event::Connection(_) | Event::Warning(_) => {}
            _ => {}
        }
    }

    /// Checks the session at the end of a drain.
    pub(crate) fn drained(&mut self, session: &Session, now: Timestamp) {
        self.drains += 1;
        if self.drains.is_multiple_of(LOOK_EVERY) {
            self.looked_at(session);
        }
        let timeout = session.poll_timeout();
        assert!(
            timeout.is_none_or(|at| at > now),
            "{timeout:?} is due at {now}"
        );
        assert!(
            self.has_ended || !self.has_extra_batch,
            "two batches are unanswered"
        );
        if self.has_ended {
            assert_eq!(timeout, None, "a session that has ended wants a tick");
        }
        assert_eq!(session.poll_timeout(), timeout, "asking changed the answer");
        assert_eq!(session.ended().is_some(), self.has_ended);
        assert_eq!(session.pending_calls(), self.pending());
        assert_eq!(session.subscriptions(), self.active);
        if let Some(socket) = &self.socket {
            let left = &socket.unacknowledged;
            assert!(left.is_empty(), "publishes without ACK: {left:?}");
        }
    }

    /// Checks that the getters of `session` show no secret and change nothing.
    fn looked_at(&mut self, session: &Session) {
        self.check_secrets(session);
        let before = std::mem::take(&mut self.page);
        self.check_secrets(session);
        assert_eq!(self.page, before, "asking changed the session");
    }

    /// Returns the number of accepted and unresolved requests.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    fn live(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.socket.as_mut().filter(|socket| socket.id == id)
    }

    fn socket_asked(&mut self, id: SocketId) {
        assert!(self.socket.is_none(), "a second socket is opened");
        assert!(self.last_socket < Some(id), "{id:?} was used before");
        self.last_socket = Some(id);
        self.socket = Some(Socket {
            id,
            is_open: false,
            is_authenticated: false,
            next_seq: 0,
            renewals: BTreeSet::new(),
            unacknowledged: VecDeque::new(),
        });
    }

    fn no_fetch_is_under_way(&mut self, now: Timestamp) {
        let timed_out = |at: Timestamp| now.saturating_since(at) >= FETCH_WITHIN;
        self.callback = self.callback.filter(|(_, at)| !timed_out(*at));
        assert_eq!(self.callback, None, "a second token fetch begins");
        assert_eq!(self.boken, None, "a second token fetch begins");
    }

    fn exchange_over(&mut self, http: HttpId) {
        self.exchanges.remove(&http);
        if self.boken == Some(http) {
            self.boken = None;
        }
    }

    fn check_secrets(&mut self, told: &impl Debug) {
        let Self { page, secrets, .. } = self;
        page.clear();
        write!(page, "{told:?}").expect("it can be printed");
        for secret in secrets.iter() {
            assert!(
                !page.contains(secret.as_str()),
                "{secret:?} is told: {page}"
            );
        }
    }
}

impl Socket {
    /// Records a frame of the server. A frame that is not valid JSON is ignored.
    fn receive(&mut self, text: &str) {
        let frame: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        let [number, kind, rest @ ..] = frame.as_slice() else {
            return;
        };
        let Ok(number) = number.get().parse() else {
            return;
        };
        if kind.get() == r#""PUBLISH""# {
            self.unacknowledged.push_back(number);
        } else if kind.get() == "200" && self.renewals.remove(&number) {
            let body = rest.first().map_or("null", |body| body.get());
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            let life = body["expiresInSeconds"].as_f64();
            self.is_authenticated |= life.is_none_or(|life| life >= 120.0);
        }
    }

    fn say(&mut self, text: &str) {
        let frame: Vec<&RawValue> = serde_json::from_str(text).expect("a frame is a JSON array");
        let number = frame.first().and_then(|number| number.get().parse().ok());
        if let [_, kind] = frame.as_slice() {
            assert_eq!(kind.get(), r#""ACK""#);
            self.unacknowledged.retain(|n| Some(*n) != number);
            return;
        }
        let [_, method, path, data, headers] = frame.as_slice() else {
            panic!("a frame of no known shape: {frame:?}");
        };
        assert_eq!(number, Some(self.next_seq), "frames are numbered in order");
        self.next_seq += 1;
        assert!(method.get().starts_with('"') && path.get().starts_with('"'));
        assert!(data.get().starts_with('{') && headers.get().starts_with('{'));
        if path.get() == r#""/session/renew""# {
            self.renewals.extend(number);
        } else {
            assert!(
                self.is_authenticated,
                "{method} {path} before authentication"
            );
        }
    }
}
