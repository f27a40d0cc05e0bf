//! A session that shows the messages of a conversation, and the server that stores them.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use talk_proto::{Event, SubscriptionId, Topic};

use crate::support::{Answer, World, conversation, data, unpaced};

pub(crate) const MESSAGES: &str = "/me/conversations/c1/messages";

pub(crate) struct Chat {
    pub(crate) world: World,
    /// The messages on the server, oldest first.
    pub(crate) held: Rc<RefCell<Vec<Value>>>,
}

impl Chat {
    /// Creates a server with `count` messages, `m1` and following. Nothing is subscribed.
    pub(crate) fn of(count: u64) -> Self {
        let held: Vec<_> = (1..=count).map(numbered).collect();
        let held = Rc::new(RefCell::new(held));
        let mut world = World::ready(unpaced());
        let of_server = Rc::clone(&held);
        world.script.add(move |request| {
            let is_page = request.method == "GET" && request.path == MESSAGES;
            is_page.then(|| Answer::Reply(200, page(&of_server.borrow(), &request.data)))
        });
        Self { world, held }
    }

    /// Creates a server with `count` messages and a subscription to them.
    pub(crate) fn shown(count: u64) -> (Self, SubscriptionId) {
        let mut chat = Self::of(count);
        let subscription = chat.subscribe();
        chat.world.run();
        assert!(!chat.shows(subscription).is_empty());
        (chat, subscription)
    }

    pub(crate) fn subscribe(&mut self) -> SubscriptionId {
        self.world.subscribe(messages())
    }

    /// Adds a message to the server without an event.
    pub(crate) fn hold(&self, n: u64) {
        self.held.borrow_mut().push(numbered(n));
    }

    /// Adds a message to the server and publishes it.
    pub(crate) fn post(&mut self, n: u64) {
        self.hold(n);
        self.world.publish(&[created(n)]);
        self.world.run();
    }

    /// Returns every snapshot of a subscription as a list of IDs, newest first.
    pub(crate) fn updates(&self, subscription: SubscriptionId) -> Vec<Vec<String>> {
        let events = self.world.log.events.iter();
        let updates = events.filter_map(|(_, event)| match event {
            Event::Updated {
                subscription: id,
                update,
            } if *id == subscription => Some(ids(&update.snapshot)),
            _ => None,
        });
        updates.collect()
    }

    /// Returns the last snapshot of a subscription.
    pub(crate) fn shows(&self, subscription: SubscriptionId) -> Vec<String> {
        self.updates(subscription).pop().unwrap()
    }

    /// Returns the newest `count` messages on the server.
    pub(crate) fn newest(&self, count: usize) -> Vec<String> {
        let held = self.held.borrow();
        let newest = held.iter().rev().take(count);
        newest.map(|message| text(&message["id"])).collect()
    }
}

pub(crate) fn messages() -> Topic {
    Topic::Messages {
        conversation: conversation("c1"),
    }
}

/// Returns message `m{n}`.
pub(crate) fn numbered(n: u64) -> Value {
    data::message(&format!("m{n}"), n)
}

/// Returns the event for `m{n}`.
pub(crate) fn created(n: u64) -> Value {
    let state = numbered(n);
    json!({"type": "message.created", "conversationId": "c1", "messageId": state["id"],
           "state": state})
}

/// Returns a page of messages. Its cursor is the number of messages before its end.
pub(crate) fn page(held: &[Value], query: &Value) -> Value {
    let limit = query["limit"].as_u64().unwrap() as usize;
    let skip = query["cursor"].as_str().map_or(0, |at| at.parse().unwrap());
    let data: Vec<_> = held.iter().rev().skip(skip).take(limit).collect();
    let end = skip + data.len();
    let cursor = (end < held.len()).then(|| end.to_string());
    json!({"data": data, "cursor": cursor})
}

fn ids(snapshot: &talk_proto::Snapshot) -> Vec<String> {
    let snapshot = serde_json::to_value(snapshot).unwrap();
    let messages = snapshot.as_array().into_iter().flatten();
    messages.map(|message| text(&message["id"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
