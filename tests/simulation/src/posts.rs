//! The messages that the server has created, by idempotency key.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use talk_proto::Timestamp;

use super::wire;

/// A request that sends a message.
pub(super) struct PostFrame {
    /// The conversation, as in the path.
    pub(super) conversation: String,
    pub(super) key: String,
    /// Set if an entry of an outbox is sent. Other sends are numbered.
    pub(super) is_entry: bool,
    frame: Vec<Value>,
}

impl PostFrame {
    /// Returns `None` for other requests.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (_, method) = wire::head(text)?;
        let conversation = wire::path(text)?.strip_prefix("/conversations/")?;
        let conversation = conversation.strip_suffix("/messages")?;
        if method != "\"POST\"" || conversation.contains('/') {
            return None;
        }
        let conversation = conversation.to_owned();
        let frame: Vec<Value> = serde_json::from_str(text).ok()?;
        let key = frame.get(3)?["idempotencyKey"].as_str()?.to_owned();
        let is_entry = frame.get(3)?["custom"]["n"].is_null();
        Some(Self {
            conversation,
            key,
            is_entry,
            frame,
        })
    }

    /// Returns the content of the message.
    pub(super) fn content(&self) -> &Value {
        self.frame
            .get(3)
            .map_or(&Value::Null, |data| &data["content"])
    }

    /// Returns the request with another key and, if `is_normalised`, with other white space.
    fn rewrite(mut self, key: String, is_normalised: bool) -> String {
        if let Some(data) = self.frame.get_mut(3) {
            data["idempotencyKey"] = json!(key);
            if is_normalised {
                normalise(&mut data["content"]);
            }
        }
        Value::from(self.frame).to_string()
    }
}

/// Replaces runs of spaces in all texts by one space.
fn normalise(content: &mut Value) {
    match content {
        Value::String(text) => *text = text.replace("  ", " "),
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(members) => {
            if let Some(children) = members.get_mut("children") {
                normalise(children);
            }
        }
        _ => {}
    }
}

/// A message.
pub(super) struct Post {
    pub(super) at: Timestamp,
    /// The place in the order of creation.
    pub(super) number: u64,
    /// Set if a request to delete it has arrived, or if the server has lost its data.
    pub(super) is_gone: bool,
}

/// The messages and keys of all users on the server, and the rules for new ones.
#[derive(Default)]
pub(super) struct Posts {
    messages: BTreeMap<String, Post>,
    by_key: BTreeMap<String, Vec<String>>,
    statuses: BTreeMap<String, BTreeSet<u16>>,
    /// The number of refusals of each key.
    refusals: BTreeMap<String, u64>,
    /// The number of times that the server has lost its keys.
    forgotten: u64,
    /// The keys that were used before the server lost them.
    forgotten_keys: BTreeSet<String>,
    pub(super) checks_access_first_until: Timestamp,
    pub(super) normalises_until: Timestamp,
}

impl Posts {
    /// Returns the request as the server handles it.
    pub(super) fn served(&self, now: Timestamp, post: PostFrame) -> String {
        let key = match self.forgotten {
            0 => post.key.clone(),
            times => format!("{}~{times}", post.key),
        };
        post.rewrite(key, now < self.normalises_until)
    }

    /// Records the answer that the server has prepared.
    pub(super) fn answered(&mut self, now: Timestamp, key: &str, answer: &str) {
        let frame: Value = serde_json::from_str(answer).unwrap_or_default();
        let status = frame[1].as_u64().and_then(|status| status.try_into().ok());
        self.note_status(key, status.unwrap_or(0));
        let Some(id) = frame[2]["id"].as_str() else {
            return;
        };
        if !self.messages.contains_key(id) {
            let post = Post {
                at: now,
                number: self.messages.len() as u64,
                is_gone: false,
            };
            self.messages.insert(id.to_owned(), post);
            let of_key = self.by_key.entry(key.to_owned()).or_default();
            of_key.push(id.to_owned());
        }
    }

    /// Records the status of an answer to a session.
    pub(super) fn note_status(&mut self, key: &str, status: u16) {
        let statuses = self.statuses.entry(key.to_owned()).or_default();
        statuses.insert(status);
        let refusals = self.refusals.entry(key.to_owned()).or_default();
        *refusals += u64::from((400..500).contains(&status));
    }

    /// Records a request that changes messages.
    pub(super) fn note_request(&mut self, text: &str) {
        let is_deletion = wire::head(text).is_some_and(|(_, method)| method == "\"DELETE\"");
        let message = wire::path(text).and_then(|path| path.split_once("/messages/"));
        if let Some((_, message)) = message.filter(|_| is_deletion)
            && let Some(post) = self.messages.get_mut(message)
        {
            post.is_gone = true;
        }
    }

    /// Ends all faults of the server.
    pub(super) fn heal(&mut self, now: Timestamp) {
        self.checks_access_first_until = now;
        self.normalises_until = now;
    }

    /// Records that the server has lost its keys.
    pub(super) fn forget_keys(&mut self) {
        self.forgotten += 1;
        self.forgotten_keys.extend(self.by_key.keys().cloned());
    }

    /// Records that the server has lost its data.
    pub(super) fn forget(&mut self) {
        for post in self.messages.values_mut() {
            post.is_gone = true;
        }
        self.by_key.clear();
    }

    pub(super) fn message(&self, id: &str) -> Option<&Post> {
        self.messages.get(id)
    }

    /// Returns the messages that were created with a key.
    pub(super) fn of_key(&self, key: &str) -> &[String] {
        self.by_key.get(key).map_or(&[], |messages| messages)
    }

    /// Returns `true` if the server has lost the key since it was used.
    pub(super) fn was_forgotten(&self, key: &str) -> bool {
        self.forgotten_keys.contains(key)
    }

    /// Returns the number of times that a request with the key was refused.
    pub(super) fn refusals(&self, key: &str) -> u64 {
        self.refusals.get(key).copied().unwrap_or(0)
    }

    /// Returns `true` if a request with the key was answered with this status.
    pub(super) fn had_status(&self, key: &str, status: u16) -> bool {
        let statuses = self.statuses.get(key);
        statuses.is_some_and(|statuses| statuses.contains(&status))
    }
}
