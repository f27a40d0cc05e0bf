//! Random histories: arbitrary events of a session in arbitrary order.

mod choice;
mod inboxes;
mod over_http;
mod stale;
mod step;

use std::time::Duration;

use serde_json::json;
use talk_proto::inbox::InboxId;
use talk_proto::{Input, RequestId, SessionOptions, SubscriptionId, Timestamp, search::SearchId};

use choice::{answer, call, cause, event, pick, topic};
use stale::Others;
pub(crate) use step::Step;

use super::script::{Answer, Network, TokenSource};
use super::{World, millis, seconds};

/// The maximum time, in seconds, until all pending requests are resolved after the failures end.
const HEALED_WITHIN: u32 = 600;
/// The start of every message text on the server, which must not appear in any `Debug` output.
const TEXT_OF_THE_SERVER: &str = "text of m";

/// A world with a random history.
pub(crate) struct History {
    pub(crate) world: World,
    pub(crate) requests: Vec<RequestId>,
    pub(crate) subscriptions: Vec<SubscriptionId>,
    searches: Vec<SearchId>,
    inboxes: Vec<InboxId>,
    others: Others,
}

impl History {
    pub(crate) fn new(options: SessionOptions, seed: u64) -> Self {
        let mut world = World::seeded(options, seed);
        over_http::hold(&mut world);
        Self {
            world,
            requests: Vec::new(),
            subscriptions: Vec::new(),
            searches: Vec::new(),
            inboxes: Vec::new(),
            others: Others::new(),
        }
    }

    /// Runs `steps`, then ends all failures and checks the result.
    pub(crate) fn live(&mut self, steps: &[Step]) {
        for step in steps {
            self.take(step);
        }
        self.heal();
    }

    /// Ends all failures. All pending requests must be resolved, and no state must remain after all
    /// subscriptions end.
    pub(crate) fn heal(&mut self) {
        let world = &mut self.world;
        world.script.forget();
        world.network = Network::Up(Duration::ZERO);
        world.tokens = TokenSource::After(Duration::ZERO);
        world.run();
        // Unanswered requests are sent again on the next connection.
        world.cut();
        self.resolve_everything();
        let world = &mut self.world;
        for subscription in std::mem::take(&mut self.subscriptions) {
            // The subscription may have ended already.
            let _ = world.session.unsubscribe(world.now, subscription);
        }
        for search in std::mem::take(&mut self.searches) {
            let _ = world.session.end_search(world.now, search);
        }
        for inbox in std::mem::take(&mut self.inboxes) {
            let _ = world.session.close_inbox(world.now, inbox);
        }
        world.run_for(seconds(120));
        if world.end().is_none() {
            assert!(world.session.is_idle(), "{:?}", world.session);
            assert_eq!(world.session.poll_timeout(), None);
        }
    }

    fn resolve_everything(&mut self) {
        for _ in 0..HEALED_WITHIN {
            self.answer_held_requests();
            if self.world.invariants.pending() == 0 {
                return;
            }
            self.world.run_for(seconds(1));
        }
        panic!("{} requests are left", self.world.invariants.pending());
    }

    pub(crate) fn take(&mut self, step: &Step) {
        self.world.invariants.keep_secret(TEXT_OF_THE_SERVER);
        match step {
            Step::Call { kind, id, drains } => {
                self.requests.extend(self.world.try_call(call(*kind, *id)));
                if !drains {
                    return;
                }
            }
            Step::CallAgo { kind, id, ago } => self.call_ago(*kind, *id, *ago),
            Step::Subscribe { topic: kind, id } => {
                let topic = topic(*kind, *id);
                self.subscriptions.extend(self.world.try_subscribe(topic));
            }
            Step::Unsubscribe(which) => {
                if let Some(id) = pick(&self.subscriptions, *which) {
                    let _ = self.world.session.unsubscribe(self.world.now, id);
                }
            }
            Step::LoadMore { which, count } => {
                if let Some(id) = pick(&self.subscriptions, *which) {
                    let count = count.map(usize::from);
                    self.requests.extend(self.world.load_more(id, count));
                }
            }
            Step::Cancel(which) => {
                if let Some(id) = pick(&self.requests, *which) {
                    let _ = self.world.session.cancel(self.world.now, id);
                }
            }
            Step::SetToken => drop(self.world.set_token("set-token")),
            Step::AllowTokenFetch => self.world.allow_token_fetch(),
            Step::NetworkChanged => self.world.session.network_changed(self.world.now),
            Step::Release => self.world.session.release(self.world.now),
            Step::Shutdown(0) => self.world.session.shutdown(self.world.now),
            Step::Shutdown(_) => {}
            Step::Inbox { kind, which } => self.take_inbox(*kind, *which),
            Step::StartSearch(_)
            | Step::Query { .. }
            | Step::SearchMore { .. }
            | Step::EndSearch(_)
            | Step::Upload { .. }
            | Step::Http { .. }
            | Step::HttpPiece { .. } => self.take_over_http(step),
            outside => self.take_from_outside(outside),
        }
        self.world.run();
    }

    /// Makes a call with a clock that is behind the last reported time.
    fn call_ago(&mut self, kind: u8, id: u8, ago: u16) {
        let world = &mut self.world;
        world.input(Input::Tick);
        let then = earlier(world.now, ago);
        if let Ok(request) = world.session.call(then, call(kind, id)) {
            world.invariants.accepted(request);
            self.requests.push(request);
        }
    }

    /// Performs a step outside of the session. Pending commands are drained first, as a separate
    /// tick.
    fn take_from_outside(&mut self, step: &Step) {
        let world = &mut self.world;
        world.drain();
        match step {
            Step::Pass(time) => world.run_for(millis((*time).into())),
            Step::PassSeconds(time) => world.run_for(seconds((*time).into())),
            Step::Sleep(time) => world.sleep_until(world.now + seconds((*time).into())),
            Step::Tick { ago } => {
                let then = earlier(world.now, *ago);
                world.session.handle_input(then, Input::Tick);
            }
            Step::Close(kind) => world.close(cause(*kind)),
            Step::Network(kind) => {
                world.network = match kind % 4 {
                    0 => Network::Refuse,
                    1 => Network::Hang,
                    _ => Network::Up(millis(u64::from(*kind) * 10)),
                }
            }
            Step::Tokens(kind) => {
                world.tokens = match kind % 16 {
                    0 => TokenSource::NeverAnswers,
                    1 if *kind > 240 => TokenSource::Fails,
                    _ => TokenSource::After(millis(u64::from(*kind) * 300)),
                }
            }
            Step::TokenLife(seconds) => {
                let life = json!({"expiresInSeconds": seconds});
                world.script.add(move |request| {
                    (request.path == "/session/renew").then(|| Answer::Reply(200, life.clone()))
                });
            }
            Step::Answers { kind, count } => {
                let answers = std::iter::repeat_n(answer(*kind), usize::from(count % 8));
                world.script.next.extend(answers);
            }
            Step::Publish { event: kind, id } => world.publish(&[event(*kind, *id)]),
            Step::PublishNumbered {
                number,
                event: kind,
            } => world.receive(&json!([number, "PUBLISH", event(*kind, 1)]).to_string()),
            Step::Answer { seq, status } => {
                world.receive(&json!([seq, status, {"errorCode": "ANY"}]).to_string());
            }
            Step::Text(text) => world.receive(text),
            Step::Stale { which, kind } => self.others.give(world, *which, *kind),
            _ => {}
        }
    }
}

fn earlier(now: Timestamp, millis: u16) -> Timestamp {
    now - Duration::from_millis(millis.into())
}
