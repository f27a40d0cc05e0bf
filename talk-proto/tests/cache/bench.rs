//! A world with a cache.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use serde_json::{Value, json};
use talk_proto::model::MessageSnapshot;
use talk_proto::{
    SessionOptions, Snapshot, SubscriptionId, Topic, Update, Window, outbox::OutboxOptions,
};

use crate::support::{Answer, Network, World, conversation, data, seconds, unpaced};

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) options: SessionOptions,
    /// The messages of every conversation, newest first.
    pub(crate) messages: Rc<RefCell<Vec<Value>>>,
}

impl Deref for Bench {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Bench {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut options = unpaced();
        options.outbox = Some(OutboxOptions::default());
        options.cache = true;
        let mut world = World::stored(options.clone());
        let messages = (1..=3).rev().map(|n| data::message(&format!("m{n}"), n));
        let messages = Rc::new(RefCell::new(messages.collect::<Vec<_>>()));
        let server = Rc::clone(&messages);
        world.script.add(move |request| {
            let is_page = request.method == "GET" && request.path.ends_with("/messages");
            let from = request.data["cursor"].as_str();
            let from = from.map_or(0, |from| from.parse().expect("a number"));
            let limit = request.data["limit"].as_u64().unwrap_or(30) as usize;
            let messages = server.borrow();
            let page: Vec<_> = messages.iter().skip(from).take(limit).cloned().collect();
            let next = from + page.len();
            let cursor = (next < messages.len()).then(|| next.to_string());
            is_page.then(|| Answer::Reply(200, json!({"data": page, "cursor": cursor})))
        });
        Self {
            world,
            options,
            messages,
        }
    }

    /// Creates a session without a connection, after an earlier session that showed the lists.
    pub(crate) fn offline() -> Self {
        let mut bench = Self::new();
        bench.messages("c1");
        bench.conversations();
        bench.run_for(seconds(10));
        bench.network = Network::Refuse;
        bench.restart();
        bench
    }

    pub(crate) fn restart(&mut self) {
        let options = self.options.clone();
        // The new session uses the same IDs again.
        self.log.events.clear();
        self.world.restart(options);
        self.run();
    }

    pub(crate) fn messages(&mut self, id: &str) -> SubscriptionId {
        let conversation = conversation(id);
        let id = self.subscribe(Topic::Messages { conversation });
        self.run();
        id
    }

    pub(crate) fn conversations(&mut self) -> SubscriptionId {
        let id = self.subscribe(Topic::Conversations { filter: None });
        self.run();
        id
    }

    /// Lets connection attempts succeed, and waits for one.
    pub(crate) fn go_online(&mut self) {
        self.network = Network::Up(seconds(0));
        self.run_for(seconds(60));
    }

    /// Returns the updates of a subscription of this session.
    pub(crate) fn updates(&self, id: SubscriptionId) -> Vec<&Update> {
        self.log.updates(id).collect()
    }

    pub(crate) fn last(&self, id: SubscriptionId) -> &Update {
        self.updates(id).last().expect("an update")
    }
}

pub(crate) fn window(update: &Update) -> &Window<MessageSnapshot> {
    match &update.snapshot {
        Snapshot::Messages(Some(window)) => window,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn ids(update: &Update) -> Vec<&str> {
    match &update.snapshot {
        Snapshot::Messages(Some(window)) => window.iter().map(|it| it.id.as_str()).collect(),
        Snapshot::Conversations(window) => window.iter().map(|it| it.id.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}
