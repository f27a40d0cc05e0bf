//! Random histories, compared with a naive model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use talk_proto::Event;
use talk_proto::filter::{SimpleFilter, StringFilter};
use talk_proto::inbox::{Delivery, DeliveryId, InboxEvent, InboxOptions, InboxStart};

use super::bench::{Bench, size, with};
use crate::support::store::StoreMode;
use crate::support::{millis, seconds};

/// The number of steps of one history.
const STEPS: usize = 80;
/// The time for which a message that is not delivered may be kept.
const FRESH_FOR: i64 = 10_000;

/// A message that the model knows.
#[derive(Clone, Debug)]
struct Sent {
    room: String,
    at: i64,
    is_wanted: bool,
    deleted_at: Option<i64>,
}

/// The naive model: which messages must, may and must not be delivered.
#[derive(Default)]
struct Model {
    sent: BTreeMap<String, Sent>,
    /// The time at which the inbox was opened first.
    opened_at: i64,
    /// Messages that were delivered in any run.
    delivered: BTreeSet<String>,
    /// Messages whose acknowledgement was reported as stored.
    acked: BTreeSet<String>,
    out: BTreeMap<DeliveryId, Delivery>,
    /// The messages of the deliveries of this run.
    names: BTreeMap<DeliveryId, String>,
    /// Messages that were replied to.
    replied: BTreeSet<String>,
    seen_events: usize,
}

struct History {
    bench: Bench,
    model: Model,
    options: InboxOptions,
    rng: Rng,
    seed: u64,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let options = with(|options| {
            options.max_unacked = rng.choice([1, 3, 10, 256]).expect("a limit");
            options.max_subscribed = rng.choice([0, 1, 2, 100]).expect("a limit");
            options.own = rng.u8(..4) == 0;
            options.system = rng.u8(..4) == 0;
            options.start = match rng.u8(..3) {
                0 => InboxStart::Now,
                1 => InboxStart::Beginning,
                _ => InboxStart::At(crate::support::START),
            };
            match seed % 5 {
                2 => options.history_on_join = true,
                3 => options.conversation = Some("c1".try_into().expect("an ID")),
                4 => {
                    let filter = SimpleFilter::new().subject(StringFilter::is("open"));
                    options.filter = Some(filter.into());
                }
                _ => {}
            }
        });
        Self {
            bench: Bench::stored(),
            model: Model::default(),
            options,
            rng,
            seed,
        }
    }

    fn room(&mut self) -> String {
        format!("c{}", self.rng.u8(..5))
    }

    fn send(&mut self) {
        let room = self.room();
        let sender = match self.rng.u8(..8) {
            0 => None,
            1 => Some("alice"),
            _ => Some("bob"),
        };
        let count = if self.rng.u8(..12) == 0 {
            self.rng.usize(..300)
        } else {
            1
        };
        for _ in 0..count {
            let same_time = self.rng.u8(..6) == 0;
            let text = format!("m{}", self.model.sent.len());
            // A message after a deletion is later than the deleted one.
            let sent = self.model.sent.values().filter(|sent| sent.room == room);
            let newest = sent.map(|sent| sent.at).max();
            let (id, at) = self.bench.act(|server| {
                let last = server.rooms.get(&room).and_then(|room| room.posts.last());
                let last = last.map(|post| post.at).filter(|at| Some(*at) >= newest);
                let is_recent = |at: &i64| same_time && at + 1_000 > server.now;
                let at = last.filter(is_recent).unwrap_or_else(|| server.tick());
                (server.send_at(&room, sender, &text, at), at)
            });
            let is_wanted = match sender {
                None => self.options.system,
                Some("alice") => self.options.own,
                Some(_) => true,
            };
            let conversation = self.options.conversation.as_ref();
            let is_wanted = is_wanted && conversation.is_none_or(|it| *it == *room);
            let sent = Sent {
                room: room.clone(),
                at,
                is_wanted,
                deleted_at: None,
            };
            self.model.sent.insert(id, sent);
        }
    }

    fn delete(&mut self) {
        let sent = self.model.sent.iter_mut();
        let mut alive: Vec<_> = sent.filter(|(_, it)| it.deleted_at.is_none()).collect();
        if alive.is_empty() {
            return;
        }
        let last = alive.len() - 1;
        let index = if self.rng.bool() {
            last
        } else {
            self.rng.usize(..=last)
        };
        let (id, sent) = &mut alive[index];
        sent.deleted_at = Some(self.bench.now.as_millis());
        let (room, id) = (sent.room.clone(), (*id).clone());
        self.bench.act(|server| server.delete(&room, &id));
    }

    /// Changes the subject of a conversation, so that it begins or ceases to match the filter.
    fn set_subject(&mut self) {
        let room = self.room();
        let subject = if self.rng.bool() { "open" } else { "closed" };
        self.bench.act(|server| server.set_subject(&room, subject));
    }

    fn step(&mut self) {
        if self.options.filter.is_some() && self.rng.u8(..6) == 0 {
            self.set_subject();
        }
        match self.rng.u8(..25) {
            0..9 => self.send(),
            9 => self.delete(),
            10 | 11 => {
                let room = self.room();
                self.bench.join(&room);
            }
            12 => {
                let room = self.room();
                self.bench.act(|server| server.leave(&room));
                self.note();
                if self.rng.bool() {
                    self.bench.join(&room);
                }
            }
            13 => self.bench.lose(),
            14 => self.restart(None),
            15 => {
                let outputs = self.rng.usize(1..30);
                self.restart(Some(outputs));
            }
            16 => {
                let time = self.rng.choice([1, 50, 1_000, 5_000, 30_000, 700_000]);
                self.run_for(millis(time.expect("a time")));
            }
            17 => {
                self.bench.latency = millis(self.rng.u64(..100));
            }
            18 => {
                let modes = [StoreMode::Waits, StoreMode::Fails, StoreMode::Stores];
                let mode = self.rng.choice(modes).expect("a mode");
                self.bench.store.mode = mode;
                self.bench.complete_batches(&Ok(()));
            }
            19 => {
                let hides = self.rng.u8(..4) == 0;
                self.bench.server().hides_messages = hides;
            }
            _ => self.handle_some(),
        }
        self.run_for(Duration::ZERO);
    }

    fn run_for(&mut self, time: Duration) {
        self.bench.run_for(time);
        self.bench.run_published();
        self.note();
    }

    /// Crashes the process, perhaps after some more outputs.
    fn restart(&mut self, outputs: Option<usize>) {
        if let Some(outputs) = outputs {
            let limit = self.bench.outputs + outputs;
            self.bench.crash_after = Some(limit);
            self.handle_some();
            self.bench.run_for(seconds(2));
        }
        self.note();
        self.bench.crash();
        self.model.out.clear();
        self.model.names.clear();
        self.model.seen_events = 0;
        let options = self.options.clone();
        self.bench.open(options);
    }

    /// Acknowledges some deliveries, or replies to them.
    fn handle_some(&mut self) {
        self.note();
        for (id, delivery) in self.model.out.clone() {
            if self.bench.has_crashed() {
                return;
            }
            let message = delivery.message.id.to_string();
            // A handler that has answered before a crash answers again.
            let was_replied = self.model.replied.contains(&message);
            match self.rng.u8(..4) {
                0 => {}
                choice if choice == 1 || was_replied => {
                    self.model.replied.insert(message.clone());
                    self.bench.reply(id, &format!("re {message}"));
                    self.model.out.remove(&id);
                }
                _ => {
                    assert!(self.bench.ack(id), "seed {}: {id:?} is out", self.seed);
                    self.model.out.remove(&id);
                }
            }
        }
        self.note();
    }

    /// Checks the new events.
    fn note(&mut self) {
        let seed = self.seed;
        let seen = self.model.seen_events;
        self.model.seen_events = self.bench.log.events.len();
        let server_now = self.bench.server().now;
        for (at, event) in &self.bench.world.log.events[seen..] {
            let Event::Inbox { event, .. } = event else {
                continue;
            };
            match event.clone() {
                InboxEvent::Opened if self.model.opened_at == 0 => {
                    self.model.opened_at = server_now;
                }
                InboxEvent::Delivered(delivery) => {
                    let id = delivery.message.id.to_string();
                    self.model.names.insert(delivery.id, id.clone());
                    if let Some(sent) = self.model.sent.get(&id) {
                        let is_old = sent
                            .deleted_at
                            .is_some_and(|it| it + FRESH_FOR + 1_000 < at.as_millis());
                        assert!(!is_old, "seed {seed}: {id} was deleted before");
                        assert!(sent.is_wanted, "seed {seed}: {id} is not wanted");
                    }
                    assert!(
                        !self.model.acked.contains(&id),
                        "seed {seed}: {id} was acked"
                    );
                    self.model.delivered.insert(id);
                    self.model.out.insert(delivery.id, delivery);
                }
                InboxEvent::Acked { delivery } => {
                    let id = self.model.names[&delivery].clone();
                    self.model.acked.insert(id);
                }
                InboxEvent::Ended { error } => panic!("seed {seed}: ended with {error:?}"),
                _ => {}
            }
        }
    }

    fn finish(&mut self) {
        self.bench.store.mode = StoreMode::Stores;
        self.bench.complete_batches(&Ok(()));
        self.bench.latency = Duration::ZERO;
        if self.options.filter.is_some() {
            let rooms: Vec<_> = self.bench.server().rooms.keys().cloned().collect();
            for room in rooms {
                self.bench.act(|server| server.set_subject(&room, "open"));
            }
        }
        for _ in 0..3 {
            self.run_for(seconds(650));
            while !self.model.out.is_empty() {
                self.handle_some();
                self.run_for(seconds(1));
            }
        }
        let server = self.bench.server();
        for (id, sent) in &self.model.sent {
            let room = &server.rooms[&sent.room];
            let has_history = self.options.history_on_join;
            let is_after = |joined: i64| joined <= sent.at || has_history;
            let joined = room.joined_at.is_some_and(is_after);
            let is_late = match self.options.start {
                InboxStart::Now => sent.at > self.model.opened_at,
                InboxStart::Beginning => joined,
                _ => sent.at >= crate::support::START.as_millis(),
            };
            let must = joined && is_late && sent.is_wanted && sent.deleted_at.is_none();
            let is_delivered = self.model.delivered.contains(id);
            assert!(
                !must || is_delivered,
                "seed {}: {id} {sent:?} is lost",
                self.seed
            );
        }
        for id in &self.model.replied {
            let text = format!("re {id}");
            let answers = server.rooms.values().flat_map(|room| &room.posts);
            let count = answers.filter(|post| post.text == text).count();
            assert!(count <= 1, "seed {}: {count} answers to {id}", self.seed);
            // A reply that was not stored is not repeated if the user has left meanwhile.
            let is_stored = self.model.acked.contains(id);
            assert!(
                count == 1 || !is_stored,
                "seed {}: no answer to {id}",
                self.seed
            );
        }
    }
}

#[test]
fn random_histories_deliver_as_the_model() {
    let histories = size(2_000, 25);
    for seed in 0..histories as u64 {
        let mut history = History::new(seed);
        for room in ["c0", "c1"] {
            history.bench.join(room);
        }
        history.send();
        let options = history.options.clone();
        history.bench.open(options);
        for _ in 0..STEPS {
            history.step();
        }
        history.finish();
    }
}
