//! A session in a world whose server answers calls only on demand.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use talk_proto::{ConnectionState, RequestError, RequestId, SubscriptionId, Topic, TransportError};

use super::model::{Model, Outcome, PAUSE, Step, USERS};
use crate::support::{
    Answer, Network, Request, World, mark_as_read, millis, seconds, send, unpaced, user,
};

/// The largest number of waits until all calls have failed.
const MAX_WAITS: usize = 100;

pub(super) struct Subject {
    world: World,
    requests: Vec<RequestId>,
    subscriptions: BTreeMap<usize, Vec<SubscriptionId>>,
}

impl Subject {
    pub(super) fn new() -> Self {
        let mut world = World::new(unpaced());
        world
            .script
            .add(|request| number_of(request).map(|_| Answer::Silence));
        Self {
            world,
            requests: Vec::new(),
            subscriptions: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, step: &Step) {
        match *step {
            Step::Send {
                conversation,
                count,
            } => {
                for _ in 0..count {
                    let text = format!("number {}", self.requests.len());
                    let call = send(&format!("c{conversation}"), &text);
                    self.requests.push(self.world.call(call));
                }
            }
            Step::Mark => {
                let number = self.requests.len();
                let call = mark_as_read(&format!("number {number}"));
                self.requests.push(self.world.call(call));
            }
            Step::Answer { call, status } => self.answer(call, status),
            Step::Cancel { call } => {
                let (now, request) = (self.world.now, self.requests[call]);
                let cancelled = self.world.session.cancel(now, request);
                assert_eq!(cancelled, Ok(()));
            }
            Step::Subscribe { user: of } => {
                let topic = Topic::Online {
                    user: user(USERS[of]),
                };
                let id = self.world.subscribe(topic);
                self.subscriptions.entry(of).or_default().push(id);
            }
            Step::Unsubscribe { user } => {
                let shown = self.subscriptions.entry(user).or_default();
                let id = shown.pop().expect("it is shown");
                let ended = self.world.session.unsubscribe(self.world.now, id);
                assert_eq!(ended, Ok(()));
            }
            Step::Lose => {
                self.world.network = Network::Refuse;
                self.world.cut();
            }
            Step::Reconnect => {
                self.world.network = Network::Up(seconds(0));
                self.world.session.network_changed(self.world.now);
            }
            Step::Pause => self.world.run_for(millis(u64::from(PAUSE) * 100)),
            Step::Expire => {
                self.world.publish(&[json!({"type": "session.expired"})]);
                self.wait();
            }
            Step::Wait => self.wait(),
        }
        self.world.run();
    }

    /// Waits until all calls have failed, but at least for some minutes.
    fn wait(&mut self) {
        self.world.network = Network::Up(seconds(0));
        // After refusals, the sends to a conversation fail one after the other, in 90 s each.
        for _ in 0..MAX_WAITS {
            self.world.run_for(seconds(400));
            if self.world.session.pending_calls() == 0 {
                return;
            }
        }
    }

    fn answer(&mut self, call: usize, status: u16) {
        let is_asked = |request: &&Request| number_of(request) == Some(call);
        let asked = self.on_the_connection().rfind(is_asked);
        let seq = asked.expect("it is in flight").seq;
        let body = match status {
            200 => json!({"id": format!("m{call}")}),
            _ => json!({"errorCode": "CODE", "reasons": []}),
        };
        self.world.receive(&json!([seq, status, body]).to_string());
    }

    /// Returns the requests on the current connection.
    fn on_the_connection(&self) -> impl DoubleEndedIterator<Item = &Request> {
        let connection = self.world.log.sockets.len().checked_sub(1);
        let requests = self.world.log.requests.iter();
        requests.filter(move |request| Some(request.connection) == connection)
    }

    pub(super) fn check(&self, model: &Model) {
        self.check_outcomes(model);
        self.check_connection(model);
        self.check_sends(model);
    }

    fn check_outcomes(&self, model: &Model) {
        let resolved = self.requests.iter().enumerate().filter_map(|(n, request)| {
            let (_, result) = self.world.outcomes.get(request)?;
            let outcome = match result {
                Ok(_) => Outcome::Done,
                Err(RequestError::Server(refused)) => Outcome::Refused(refused.status),
                Err(RequestError::Transport(TransportError::Cancelled {
                    maybe_happened, ..
                })) => {
                    let maybe_happened = *maybe_happened;
                    Outcome::Cancelled { maybe_happened }
                }
                Err(RequestError::Transport(TransportError::Unanswered { .. })) => {
                    Outcome::Unanswered
                }
                Err(other) => panic!("{n}: {other:?}"),
            };
            Some((n, outcome))
        });
        let resolved: BTreeMap<_, _> = resolved.collect();
        assert_eq!(resolved, model.resolved);
        assert_eq!(self.world.session.pending_calls(), model.pending());
        let shown: usize = model.shown.values().sum();
        assert_eq!(self.world.session.subscriptions(), shown);
    }

    fn check_connection(&self, model: &Model) {
        let world = &self.world;
        let is_ready = *world.session.connection() == ConnectionState::Ready;
        assert_eq!(is_ready, model.is_connected);
        assert_eq!(world.log.token_fetches.len(), model.tokens);
        let newest = (model.tokens > 0).then(|| format!("token-{}", model.tokens));
        assert_eq!(world.log.tokens().pop(), newest);
        if !is_ready {
            let is_idle = world.session.is_idle();
            assert_eq!(is_idle, !model.needs_connection());
            return;
        }
        let mut subscribed = BTreeSet::new();
        let mut sent = BTreeSet::new();
        for request in self.on_the_connection() {
            let user = USERS
                .iter()
                .position(|user| request.path == format!("/users/{user}/online"));
            match (request.method.as_str(), user) {
                // A server whose token has expired may have dropped the subscriptions.
                _ if request.path == "/session/renew" => subscribed.clear(),
                ("SUBSCRIBE", Some(user)) => assert!(subscribed.insert(user), "twice"),
                ("UNSUBSCRIBE", Some(user)) => assert!(subscribed.remove(&user), "never"),
                _ => sent.extend(number_of(request)),
            }
        }
        assert_eq!(subscribed, model.held);
        sent.retain(|call| !world.outcomes.contains_key(&self.requests[*call]));
        let in_flight = model.in_flight();
        // A retried call was sent before, and may be held since.
        let may_be = |call: &usize| in_flight.contains(call) || model.refused.contains(call);
        assert!(
            in_flight.iter().all(|call| sent.contains(call)) && sent.iter().all(may_be),
            "{in_flight:?} should be in flight, {sent:?} is",
        );
    }

    /// Checks that messages of a conversation are sent in order, on each connection and for the
    /// first time, and that a repeated send keeps its key, which no other send has.
    fn check_sends(&self, model: &Model) {
        let mut keys = BTreeMap::new();
        let (mut latest, mut latest_again) = (BTreeMap::new(), BTreeMap::new());
        for request in self.world.log.work() {
            let Some(number) = number_of(request) else {
                continue;
            };
            let Value::String(key) = &request.data["idempotencyKey"] else {
                continue;
            };
            if !model.refused.contains(&number) {
                let lane = (request.connection, &request.path);
                let before = latest_again.insert(lane, number);
                assert!(before < Some(number), "{number} came after {before:?}");
            }
            if let Some(before) = keys.insert(number, key) {
                assert_eq!(before, key, "{number} was sent with another key");
                continue;
            }
            let before = latest.insert(&request.path, number);
            assert!(before < Some(number), "{number} came after {before:?}");
        }
        let distinct: BTreeSet<_> = keys.values().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}

/// Returns the number of the call that a request belongs to.
fn number_of(request: &Request) -> Option<usize> {
    let text = request.data["content"][0]["children"][0].as_str();
    let read = request.path.strip_suffix("/read");
    let read = read.and_then(|path| path.rsplit('/').next());
    let (_, number) = text.or(read)?.split_once("number")?;
    number.trim_start_matches("%20").trim().parse().ok()
}
