//! A world with inboxes, and a server with conversations.

use std::cell::{RefCell, RefMut};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use talk_proto::inbox::{Delivery, DeliveryId, InboxEvent, InboxId, InboxOptions, InboxStart};
use talk_proto::outbox::OutboxOptions;
use talk_proto::{Event, SessionOptions, Timestamp, model::EntryId};

use crate::support::inbox_server::InboxServer;
use crate::support::{World, options, seconds};

/// A world with inboxes.
pub(crate) struct Bench {
    pub(crate) world: World,
    server: Rc<RefCell<InboxServer>>,
    options: SessionOptions,
    /// The inbox that was opened last.
    inbox: Option<InboxId>,
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

/// Returns the options of an inbox that starts at the beginning.
pub(crate) fn beginning() -> InboxOptions {
    with(|options| options.start = InboxStart::Beginning)
}

/// Returns the size of a test: the `full` one if the environment variable `TALK_FULL_SIZE` is set,
/// which takes minutes, or else the `quick` one.
pub(crate) fn size(full: usize, quick: usize) -> usize {
    match std::env::var_os("TALK_FULL_SIZE") {
        Some(_) => full,
        None => quick,
    }
}

/// Returns changed options.
pub(crate) fn with(set: impl FnOnce(&mut InboxOptions)) -> InboxOptions {
    let mut options = InboxOptions::default();
    set(&mut options);
    options
}

/// Returns the deliveries among events.
fn deliveries(events: &[(Timestamp, Event)]) -> impl Iterator<Item = &Delivery> {
    events.iter().filter_map(|(_, event)| match event {
        Event::Inbox {
            event: InboxEvent::Delivered(delivery),
            ..
        } => Some(delivery),
        _ => None,
    })
}

impl Bench {
    /// Creates a world with a store.
    pub(crate) fn stored() -> Self {
        Self::with_outbox(OutboxOptions::default(), true)
    }

    /// Creates a world whose positions live in memory, without options of an outbox.
    pub(crate) fn in_memory() -> Self {
        Self::new(None, false)
    }

    pub(crate) fn with_outbox(outbox: OutboxOptions, has_store: bool) -> Self {
        Self::new(Some(outbox), has_store)
    }

    fn new(outbox: Option<OutboxOptions>, has_store: bool) -> Self {
        let mut options = options();
        options.outbox = outbox;
        let mut world = match has_store {
            true => World::stored(options.clone()),
            false => World::new(options.clone()),
        };
        let server = Rc::new(RefCell::new(InboxServer::new()));
        let shared = Rc::clone(&server);
        let answer = move |request: &_| shared.borrow_mut().answer(request);
        world.script.add(answer);
        Self {
            world,
            server,
            options,
            inbox: None,
        }
    }

    pub(crate) fn server(&self) -> RefMut<'_, InboxServer> {
        self.server.borrow_mut()
    }

    /// Performs changes on the server, and publishes them.
    pub(crate) fn act<R>(&mut self, act: impl FnOnce(&mut InboxServer) -> R) -> R {
        let now = self.now.as_millis();
        let mut server = self.server.borrow_mut();
        server.now = server.now.max(now);
        let result = act(&mut server);
        drop(server);
        self.publish_events();
        self.run_published();
        result
    }

    /// Publishes the events of the server to a subscribed connection.
    fn publish_events(&mut self) {
        let events = std::mem::take(&mut self.server.borrow_mut().events);
        let connection = self.log.sockets.len().checked_sub(1);
        let is_subscribed = connection.is_some() && self.server.borrow().subscribed == connection;
        if is_subscribed && !events.is_empty() {
            self.world.publish_later(&events);
        }
    }

    /// Runs until nothing happens at the current time.
    pub(crate) fn run_published(&mut self) {
        self.world.run();
        while !self.server.borrow().events.is_empty() {
            self.publish_events();
            self.world.run();
        }
    }

    /// Adds a message of bob.
    pub(crate) fn post(&mut self, room: &str, text: &str) -> String {
        self.act(|server| server.send(room, Some("bob"), text))
    }

    pub(crate) fn join(&mut self, room: &str) {
        self.act(|server| server.join(room));
    }

    /// Opens an inbox with the name `bot`.
    pub(crate) fn open(&mut self, options: InboxOptions) -> InboxId {
        let limit = options.max_unacked;
        let now = self.now;
        let inbox = self.session.open_inbox(now, "bot", options);
        let inbox = inbox.expect("the inbox is accepted");
        self.invariants.inboxes.accepted(inbox, limit);
        self.inbox = Some(inbox);
        self.run_published();
        inbox
    }

    /// Closes the inbox that was opened last.
    pub(crate) fn close_inbox(&mut self) {
        let (now, inbox) = (self.now, self.inbox.expect("an inbox"));
        assert_eq!(self.session.close_inbox(now, inbox), Ok(true));
        self.run_published();
    }

    pub(crate) fn ack(&mut self, delivery: DeliveryId) -> bool {
        let now = self.now;
        let acked = self.session.ack(now, delivery).expect("it is accepted");
        self.run_published();
        acked
    }

    /// Acknowledges all deliveries until nothing is delivered any more. Returns their number.
    pub(crate) fn ack_all(&mut self) -> usize {
        let (mut acked, mut seen) = (0, 0);
        loop {
            self.run_for(seconds(1));
            let new = self.deliveries_since(&mut seen);
            if new.is_empty() {
                return acked;
            }
            acked += new.len();
            for delivery in new {
                self.ack(delivery.id);
            }
        }
    }

    pub(crate) fn reply(&mut self, delivery: DeliveryId, text: &str) -> EntryId {
        let now = self.now;
        let entry = self.session.reply(now, delivery, text.into());
        let entry = entry.expect("the reply is accepted");
        self.run_published();
        entry
    }

    /// Crashes the process, and starts another one that opens the inbox.
    pub(crate) fn restart(&mut self, options: InboxOptions) -> InboxId {
        self.crash();
        self.open(options)
    }

    /// Crashes the process, and starts another one.
    pub(crate) fn crash(&mut self) {
        let options = self.options.clone();
        self.server.borrow_mut().subscribed = None;
        self.log.events.clear();
        self.world.restart(options);
    }

    /// Loses the connection.
    pub(crate) fn lose(&mut self) {
        self.server.borrow_mut().subscribed = None;
        self.cut();
    }

    /// Returns the deliveries since the last restart.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        deliveries(&self.log.events).cloned().collect()
    }

    /// Returns the deliveries after an event, and sets `event` to the number of events so far.
    pub(crate) fn deliveries_since(&self, event: &mut usize) -> Vec<Delivery> {
        let events = &self.log.events[*event..];
        *event += events.len();
        deliveries(events).cloned().collect()
    }

    /// Returns the delivered texts since the last restart.
    pub(crate) fn texts(&self) -> Vec<String> {
        let deliveries = self.deliveries();
        deliveries.iter().map(|it| it.message.plaintext()).collect()
    }

    /// Returns the delivery of a message by its text.
    pub(crate) fn delivery(&self, text: &str) -> DeliveryId {
        let mut deliveries = self.deliveries().into_iter();
        let delivery = deliveries.find(|it| it.message.plaintext() == text);
        delivery.expect("it was delivered").id
    }

    pub(crate) fn inbox_events(&self) -> impl Iterator<Item = &InboxEvent> {
        self.log.events.iter().filter_map(|(_, event)| match event {
            Event::Inbox { event, .. } => Some(event),
            _ => None,
        })
    }

    /// Returns the acknowledged deliveries.
    pub(crate) fn acked(&self) -> Vec<DeliveryId> {
        let acked = self.inbox_events().filter_map(|event| match event {
            InboxEvent::Acked { delivery } => Some(*delivery),
            _ => None,
        });
        acked.collect()
    }

    /// Returns the number of requests with a path that ends with `end`.
    pub(crate) fn requests(&self, method: &str, end: &str) -> usize {
        let requests = self.log.requests.iter();
        let matching = requests.filter(|it| it.method == method && it.path.ends_with(end));
        matching.count()
    }
}
