//! Quiescent points: all faults end, and every session must show the server's data.

use std::time::Duration;

use serde_json::{Value, json};
use talk_proto::{Session, Snapshot, SubscriptionId};

use super::broken::broken;
use super::oracle::Oracle;
use super::phase::Phase;
use super::probe::OBSERVER;
use super::sends::Held;
use super::shown::{items, loaded_all};
use super::wire::Wire;
use super::world::World;

/// The longest time until a refused call or fetch is retried and typing ends.
const RETRIES: Duration = Duration::from_secs(45);
/// Everything must be settled within this time.
const SETTLED_WITHIN: Duration = Duration::from_secs(1_200);
/// An unused session must be idle within this time: its topics linger for 30 s after the
/// unsubscription, then the users in them do, and an idle connection is closed after 3 s.
const IDLE_WITHIN: Duration = Duration::from_secs(90);

impl World {
    /// Ends all faults, waits until everything is settled, and compares.
    pub(super) fn quiesce(&mut self) {
        if self.bots.is_some() {
            return self.quiesce_bots();
        }
        self.finish_tick();
        self.heal();
        self.revive_all();
        self.resume_outboxes();
        self.run_for(RETRIES);
        // Refusals that were in flight have ended sessions whose entries wait.
        self.revive_all();
        self.resume_outboxes();
        self.settle();
        self.check_sends();
        self.check_snapshots();
        self.check_echoes();
        self.check_entries();
        for client in &mut self.clients {
            client.may_lose_subscriptions = false;
            client.may_end = false;
            client.auth_failures = 0;
            client.shown.retain(|_, shown| shown.ended.is_none());
        }
        self.sends.clear();
    }

    fn revive_all(&mut self) {
        for who in 0..self.clients.len() {
            self.revive(who);
        }
    }

    fn settle(&mut self) {
        let end = self.now + SETTLED_WITHIN;
        while !self.is_settled() {
            if !self.step(end) {
                let detail: Vec<_> = self
                    .clients
                    .iter()
                    .map(|client| {
                        let entries: Vec<_> = client.session.outbox_entries().collect();
                        format!("{:?}: {:?} {entries:?}", client.phase(), client.session)
                    })
                    .collect();
                broken("everything settles", detail.join("\n"));
            }
        }
    }

    fn is_settled(&self) -> bool {
        let on_its_way = |wire: &Wire| !(wire.up.is_empty() && wire.down.is_empty());
        self.clients.iter().all(|client| {
            client.pending() == 0 && matches!(client.phase(), Phase::Settled | Phase::Idle)
        }) && !self.wires.values().any(on_its_way)
            && self.are_stores_settled()
    }

    /// Checks the outcomes of all sends.
    fn check_sends(&mut self) {
        let Some(first) = self.sends.first() else {
            return;
        };
        let mut oracle = Oracle::default();
        for conversation in self.conversations() {
            let held = self.held_since(&mut oracle, conversation, first);
            self.sends.check(conversation, &held);
        }
        self.close_probes(oracle.probes);
    }

    /// Returns the messages of a conversation whose numbers are at least `first`, oldest first.
    fn held_since(&mut self, oracle: &mut Oracle, conversation: &str, first: u64) -> Vec<Held> {
        let path = format!(
            "/me/conversations/{}/messages",
            conversation.replace('/', "%2F")
        );
        let (mut held, mut data) = (Vec::new(), json!({"limit": 100}));
        loop {
            let (_, page) = self.probe(&mut oracle.probes, OBSERVER, "GET", &path, &data);
            let messages = page["data"].as_array().cloned().unwrap_or_default();
            let numbered = messages.iter().filter_map(|message| {
                let number = message["custom"]["n"].as_str()?.parse().ok()?;
                let id = message["id"].as_str()?.to_owned();
                Some(Held { id, number })
            });
            let numbered: Vec<_> = numbered.collect();
            let is_older = numbered.iter().all(|message| message.number < first);
            held.extend(numbered);
            if page["cursor"].is_null() || is_older {
                held.reverse();
                return held;
            }
            data = json!({"limit": 100, "cursor": page["cursor"]});
        }
    }

    /// Checks that every subscription shows the server's data.
    fn check_snapshots(&mut self) {
        let mut oracle = Oracle::default();
        let all: Vec<(usize, SubscriptionId)> = self
            .clients
            .iter()
            .enumerate()
            .flat_map(|(who, client)| {
                let active = client.shown.iter().filter(|(_, s)| s.ended.is_none());
                active.map(move |(id, _)| (who, *id))
            })
            .collect();
        // A probe makes its user online. Therefore the online states are probed first.
        let is_online = |world: &Self, (who, id): (usize, SubscriptionId)| {
            let topic = &world.clients[who].shown[&id].topic;
            matches!(topic, talk_proto::Topic::Online { .. })
        };
        let (first, then): (Vec<_>, Vec<_>) = all.into_iter().partition(|at| is_online(self, *at));
        for (who, id) in first.into_iter().chain(then) {
            self.check_snapshot(&mut oracle, who, id);
        }
        self.close_probes(oracle.probes);
    }

    fn check_snapshot(&mut self, oracle: &mut Oracle, who: usize, id: SubscriptionId) {
        let client = &mut self.clients[who];
        let user = client.user;
        let Some(shown) = client.shown.get_mut(&id) else {
            return;
        };
        shown.look();
        let (topic, range) = (shown.topic.clone(), shown.range);
        let Some(snapshot) = shown.snapshot.clone() else {
            broken(
                "a subscription shows something",
                format!("{user}: {topic:?}"),
            );
        };
        if snapshot.freshness().is_cached() {
            let detail = format!("session {who} ({user}): {topic:?}");
            broken("a window from the cache is replaced", detail);
        }
        let length = items(&snapshot).map_or(0, |items| items.len());
        let truth = oracle.of(self, user, &topic, length);
        let shown = serde_json::to_value(&snapshot).unwrap_or_default();
        if let Some(difference) = difference(&shown, &truth.value, "") {
            let detail = format!("session {who} ({user}): {topic:?}{difference}");
            broken("a subscription shows what the server holds", detail);
        }
        let says_all = loaded_all(&snapshot).unwrap_or(false);
        let Some(next) = &truth.next else { return };
        if says_all {
            let detail = format!("session {who} ({user}): {topic:?}: {length} items are not all");
            broken("a list knows whether it is whole", detail);
        }
        if range.is_whole() && length < initial_window(&snapshot) {
            let detail = format!("session {who} ({user}): {topic:?}: only {length} items");
            broken("a list shows what it was asked to", detail);
        }
        if range.contains(&snapshot, next) {
            let detail = format!("session {who} ({user}): {topic:?}: {next} is not shown");
            broken("a window keeps its range", detail);
        }
    }

    /// Unsubscribes from everything. The session must become idle and close its connection.
    pub(super) fn leave(&mut self, who: usize) {
        let ids: Vec<_> = self.clients[who].shown.keys().copied().collect();
        for id in ids {
            self.execute(who, |session, now| drop(session.unsubscribe(now, id)));
        }
        for id in std::mem::take(&mut self.clients[who].searches) {
            self.execute(who, |session, now| drop(session.end_search(now, id)));
        }
        if self.rng.bool() {
            self.execute(who, Session::release);
        }
        self.undrained = Some(who);
        self.run_for(IDLE_WITHIN);
        let session = &self.clients[who].session;
        if !session.is_idle() || session.poll_timeout().is_some() {
            broken(
                "a session that nobody needs becomes idle",
                format!("{session:?}"),
            );
        }
        let is_open = |wire: &Wire| wire.client.who == who && !wire.client_is_gone;
        if self.wires.values().any(is_open) {
            broken(
                "a session that nobody needs has no connection",
                format!("{who}"),
            );
        }
    }
}

/// Returns the number of items in a list's first window.
fn initial_window(snapshot: &Snapshot) -> usize {
    match snapshot {
        Snapshot::Messages(_) => 30,
        Snapshot::Conversations(_) => 20,
        Snapshot::Participants(_) | Snapshot::Reactions(_) => 10,
        _ => 0,
    }
}

/// Describes the first difference between two values.
fn difference(shown: &Value, held: &Value, at: &str) -> Option<String> {
    if shown == held {
        return None;
    }
    match (shown, held) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys());
            let mut differences = keys.filter_map(|key| {
                let at = format!("{at}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => difference(a, b, &at),
                    (a, b) => Some(format!("{at}: {a:?} is shown, {b:?} is held")),
                }
            });
            differences.next()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(n, (a, b))| difference(a, b, &format!("{at}[{n}]")))
        }
        (Value::Array(a), Value::Array(b)) => Some(format!(
            "{at}: {} items are shown, {} are held",
            a.len(),
            b.len()
        )),
        (a, b) => Some(format!("{at}: {a} is shown, {b} is held")),
    }
}
