//! The messages of a conversation and their reactions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::dirty_map::mark;
use super::patch::Custom;

/// The content of a message in its wire form.
pub(super) type ContentJson = RawValue;

/// A message.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) kind: MessageKind,
    /// The sender; null for system messages.
    pub(super) sender: Option<String>,
    pub(super) custom: Custom,
    pub(super) created_at: u64,
    pub(super) edited_at: Option<u64>,
    pub(super) referenced: Option<String>,
    pub(super) content: Box<ContentJson>,
    pub(super) reactions: BTreeMap<String, Reactions>,
}

/// The type of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum MessageKind {
    UserMessage,
    SystemMessage,
}

/// The reactions to a message with one emoji. Never empty.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reactions {
    /// The time of the first reaction with this emoji. It stays while any reaction is left.
    pub(super) created_at: u64,
    pub(super) users: BTreeMap<String, u64>,
    pub(super) by_time: BTreeMap<u64, String>,
}

/// The messages of one conversation, by time and by id.
#[derive(Debug, Default)]
pub(super) struct Messages {
    by_time: BTreeMap<u64, Message>,
    times: BTreeMap<String, u64>,
    /// The times of the messages that reference a message.
    quotes: BTreeMap<String, BTreeSet<u64>>,
    /// The IDs of changed messages.
    dirty: BTreeSet<String>,
}

impl Messages {
    pub(super) fn get(&self, id: &str) -> Option<&Message> {
        self.by_time.get(self.times.get(id)?)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Message> {
        let message = self.by_time.get_mut(self.times.get(id)?)?;
        mark(&mut self.dirty, id);
        Some(message)
    }

    pub(super) fn last(&self) -> Option<&Message> {
        self.by_time.last_key_value().map(|(_, message)| message)
    }

    /// Iterates over the messages before the given time, newest first.
    pub(super) fn before(&self, time: Option<u64>) -> impl Iterator<Item = &Message> {
        let end = time.unwrap_or(u64::MAX);
        self.by_time.range(..end).rev().map(|(_, message)| message)
    }

    /// Adds a message newer than all others.
    pub(super) fn insert(&mut self, message: Message) {
        mark(&mut self.dirty, &message.id);
        self.restore(message);
    }

    /// Restores a stored message.
    pub(super) fn restore(&mut self, message: Message) {
        self.times.insert(message.id.clone(), message.created_at);
        if let Some(referenced) = &message.referenced {
            self.quotes
                .entry(referenced.clone())
                .or_default()
                .insert(message.created_at);
        }
        self.by_time.insert(message.created_at, message);
    }

    /// Removes a message and all references to it.
    pub(super) fn remove(&mut self, id: &str) -> Option<Message> {
        let message = self.by_time.remove(&self.times.remove(id)?)?;
        mark(&mut self.dirty, id);
        for quoting in self.quotes.remove(id).unwrap_or_default() {
            if let Some(quoting) = self.by_time.get_mut(&quoting) {
                quoting.referenced = None;
                mark(&mut self.dirty, &quoting.id);
            }
        }
        if let Some(referenced) = &message.referenced
            && let Some(quotes) = self.quotes.get_mut(referenced)
        {
            quotes.remove(&message.created_at);
            if quotes.is_empty() {
                self.quotes.remove(referenced);
            }
        }
        Some(message)
    }

    /// Returns and clears the set of changed IDs.
    pub(super) fn take_dirty(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.dirty)
    }

    /// Replaces the content of each message for which `change` returns some, without marking the
    /// message as changed.
    pub(super) fn replace_contents(
        &mut self,
        change: impl Fn(&ContentJson) -> Option<Box<ContentJson>>,
    ) {
        for message in self.by_time.values_mut() {
            if let Some(content) = change(&message.content) {
                message.content = content;
            }
        }
    }
}

/// A message as seen by its receiver.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageView<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: MessageKind,
    sender_id: Option<&'a str>,
    custom: &'a Custom,
    created_at: u64,
    edited_at: Option<u64>,
    referenced_message_id: Option<&'a str>,
    /// The service reports this origin for messages sent through its data API.
    origin: &'static str,
    content: &'a ContentJson,
    reactions: BTreeMap<&'a str, ReactionView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReactionView {
    created_at: u64,
    count: usize,
    current_user_reacted: bool,
}

impl Message {
    pub(super) fn view(&self, receiver: &str) -> MessageView<'_> {
        let reactions = self.reactions.iter().map(|(emoji, reactions)| {
            let view = ReactionView {
                created_at: reactions.created_at,
                count: reactions.users.len(),
                current_user_reacted: reactions.users.contains_key(receiver),
            };
            (emoji.as_str(), view)
        });
        MessageView {
            id: &self.id,
            kind: self.kind,
            sender_id: self.sender.as_deref(),
            custom: &self.custom,
            created_at: self.created_at,
            edited_at: self.edited_at,
            referenced_message_id: self.referenced.as_deref(),
            origin: "rest",
            content: &self.content,
            reactions: reactions.collect(),
        }
    }

    /// Returns `true` if the message counts as unread for a participant with this read position.
    pub(super) fn is_unread_by(&self, user: &str, read_until: u64) -> bool {
        self.kind == MessageKind::UserMessage
            && self.sender.as_deref() != Some(user)
            && self.created_at > read_until
    }
}
