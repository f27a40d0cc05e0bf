//! A world with an outbox, and a server that keeps idempotency keys.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use serde_json::{Value, json};
use talk_proto::command::MessageBody;
use talk_proto::model::EntryId;
use talk_proto::outbox::{Enqueue, Entry, EntryAction, HeldReason, OutboxOptions, Stage};
use talk_proto::{Event, SessionOptions};

use crate::support::{Answer, Request, World, conversation, options};

/// A message on the server.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) id: String,
    pub(crate) conversation: String,
    pub(crate) sender: String,
    pub(crate) key: String,
    pub(crate) data: Value,
    pub(crate) created_at: i64,
}

impl Posted {
    pub(crate) fn text(&self) -> &str {
        let text = self.data["content"][0]["children"][0].as_str();
        text.unwrap_or_default()
    }

    /// Returns the message in the shape of the server.
    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id, "type": "UserMessage", "senderId": self.sender, "custom": {},
            "createdAt": self.created_at, "editedAt": null, "referencedMessageId": null,
            "origin": self.data["origin"].as_str().unwrap_or("rest"),
            "content": self.data["content"], "reactions": {},
        })
    }
}

/// The messages of a server that keeps idempotency keys.
#[derive(Default)]
pub(crate) struct Posts {
    pub(crate) posted: Vec<Posted>,
    /// Set if the server answers nothing.
    pub(crate) is_silent: bool,
    /// Set if the server has forgotten all keys.
    pub(crate) forgets_keys: bool,
}

impl Posts {
    fn answer(&mut self, request: &Request) -> Option<Answer> {
        let path = request.path.strip_prefix("/conversations/")?;
        let name = path.strip_suffix("/messages")?;
        if request.method != "POST" {
            return None;
        }
        let key = request.data["idempotencyKey"].as_str()?;
        let is_same = |posted: &&Posted| posted.key == key && posted.conversation == name;
        let known = self
            .posted
            .iter()
            .find(is_same)
            .filter(|_| !self.forgets_keys);
        let id = match known {
            Some(posted) => posted.id.clone(),
            None => {
                let id = format!("msg_{}", self.posted.len() + 1);
                self.posted.push(Posted {
                    id: id.clone(),
                    conversation: name.to_owned(),
                    sender: "alice".to_owned(),
                    key: key.to_owned(),
                    data: request.data.clone(),
                    created_at: request.at.as_millis(),
                });
                id
            }
        };
        if self.is_silent {
            return Some(Answer::Silence);
        }
        Some(Answer::Reply(200, json!({"id": id})))
    }

    /// Answers a request for a page of messages, newest first.
    fn page(&self, request: &Request) -> Option<Answer> {
        let path = request.path.strip_prefix("/me/conversations/")?;
        let name = path.strip_suffix("/messages")?;
        if request.method != "GET" {
            return None;
        }
        let of = self.posted.iter().rev().filter(|p| p.conversation == name);
        let from = request.data["cursor"]
            .as_str()
            .map_or(0, |at| at.parse().expect("a number"));
        let limit = request.data["limit"].as_u64().expect("a limit") as usize;
        let data: Vec<_> = of
            .clone()
            .skip(from)
            .take(limit)
            .map(Posted::json)
            .collect();
        let next = from + data.len();
        let cursor = (next < of.count()).then(|| next.to_string());
        Some(Answer::Reply(200, json!({"data": data, "cursor": cursor})))
    }
}

/// A world with an outbox.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) posts: Rc<RefCell<Posts>>,
    pub(crate) options: SessionOptions,
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
    /// Creates a world with a store.
    pub(crate) fn stored() -> Self {
        Self::with(|_| {}, true)
    }

    /// Creates a world whose outbox lives in memory.
    pub(crate) fn in_memory() -> Self {
        Self::with(|_| {}, false)
    }

    pub(crate) fn with(set: impl FnOnce(&mut OutboxOptions), has_store: bool) -> Self {
        let mut outbox = OutboxOptions::default();
        set(&mut outbox);
        let mut options = options();
        options.outbox = Some(outbox);
        let mut world = match has_store {
            true => World::stored(options.clone()),
            false => World::new(options.clone()),
        };
        let posts = Rc::new(RefCell::new(Posts::default()));
        let server = Rc::clone(&posts);
        world
            .script
            .add(move |request| server.borrow_mut().answer(request));
        let server = Rc::clone(&posts);
        world
            .script
            .add(move |request| server.borrow().page(request));
        Self {
            world,
            posts,
            options,
        }
    }

    /// Connects the session.
    pub(crate) fn connected(mut self) -> Self {
        self.keep_connected();
        self.run();
        self
    }

    pub(crate) fn enqueue(&mut self, to: &str, message: impl Into<Enqueue>) -> EntryId {
        let now = self.now;
        let message = message.into();
        if let MessageBody::Text(text) = &message.message.body {
            self.invariants.keep_secret(text);
        }
        let entry = self.session.enqueue(now, conversation(to), message);
        entry.expect("the entry is accepted")
    }

    pub(crate) fn act(&mut self, entry: &EntryId, action: EntryAction) -> bool {
        let now = self.now;
        let done = self.session.update_entry(now, entry, action);
        let done = done.expect("the action is accepted");
        self.run();
        done
    }

    pub(crate) fn restart(&mut self) {
        self.restart_with(self.options.clone());
    }

    pub(crate) fn restart_with(&mut self, options: SessionOptions) {
        self.world.restart(options);
        self.run();
    }

    pub(crate) fn entry(&self, id: &EntryId) -> &Entry {
        self.session.outbox_entry(id).expect("the entry exists")
    }

    pub(crate) fn stage(&self, id: &EntryId) -> &Stage {
        &self.entry(id).stage
    }

    pub(crate) fn held(&self, id: &EntryId) -> Option<&HeldReason> {
        self.entry(id).held()
    }

    /// Returns the texts of the unsent entries.
    pub(crate) fn unsent(&self) -> Vec<String> {
        let entries = self.session.outbox_entries();
        let unsent = entries.filter(|entry| entry.message().is_none());
        unsent.map(|entry| entry.plaintext()).collect()
    }

    /// Returns the texts of the messages on the server.
    pub(crate) fn texts(&self) -> Vec<String> {
        let posts = self.posts.borrow();
        posts.posted.iter().map(|p| p.text().to_owned()).collect()
    }

    /// Returns the keys of all sends that the server received.
    pub(crate) fn keys(&self) -> Vec<String> {
        let requests = self.log.requests.iter();
        let keys = requests.filter_map(|request| request.data["idempotencyKey"].as_str());
        keys.map(str::to_owned).collect()
    }

    /// Refuses the next sends of `text`.
    pub(crate) fn refuse(&mut self, text: &'static str, status: u16, mut times: usize) {
        self.script.add(move |request| {
            let is_it = request.data["content"][0]["children"][0] == text;
            if !is_it || times == 0 {
                return None;
            }
            times -= 1;
            Some(Answer::refuse(status, "NO"))
        });
    }

    /// Returns the names of the stages that were reported for an entry.
    pub(crate) fn reported(&self, id: &EntryId) -> Vec<(&'static str, bool)> {
        let events = self.log.events.iter();
        let changes = events.filter_map(|(_, event)| match event {
            Event::EntryChanged(entry) if entry.id == *id => {
                Some((entry.stage.name(), entry.durable))
            }
            _ => None,
        });
        changes.collect()
    }
}
