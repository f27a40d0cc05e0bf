//! The messages of a conversation and their reactions.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::content;
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
    /// The number of earlier messages with the same time, which only imports have.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) order: u64,
    #[serde(default)]
    pub(super) origin: Origin,
    /// The text as a back end sent it, with markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(order: &u64) -> bool {
    *order == 0
}

/// The front that created a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Origin {
    /// The service reports this origin also for messages sent through its data API.
    #[default]
    Rest,
    Import,
}

/// The place of a message in its conversation: messages with equal times are ordered by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) order: u64,
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

/// The messages of one conversation, by time and by ID.
#[derive(Debug, Default)]
pub(super) struct Messages {
    by_place: BTreeMap<Place, Message>,
    places: BTreeMap<String, Place>,
    /// The places of the messages that reference a message.
    quotes: BTreeMap<String, BTreeSet<Place>>,
    /// The IDs of changed messages.
    dirty: BTreeSet<String>,
    /// Set if a message had a file when it was added.
    has_files: bool,
}

impl Messages {
    /// Restores the stored messages of a conversation. This is faster than to
    /// [`restore`](Self::restore) each of them, because a map of sorted entries is built without
    /// searches.
    pub(super) fn from_stored(mut messages: Vec<(Place, Message)>) -> Self {
        let mut restored = Self::default();
        messages
            .iter()
            .for_each(|(_, message)| restored.note_references(message));
        let places = messages.iter().map(|(place, it)| (it.id.clone(), *place));
        restored.places = places.collect();
        messages.sort_by_cached_key(|(place, _)| *place);
        restored.by_place = messages.into_iter().collect();
        restored
    }

    /// Adds other stored messages of the same conversation.
    pub(super) fn merge(&mut self, others: Self) {
        if self.by_place.is_empty() {
            *self = others;
        } else {
            let messages = others.by_place.into_values();
            messages.for_each(|message| self.restore(message));
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Message> {
        self.by_place.get(self.places.get(id)?)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Message> {
        let message = self.by_place.get_mut(self.places.get(id)?)?;
        mark(&mut self.dirty, id);
        Some(message)
    }

    pub(super) fn last(&self) -> Option<&Message> {
        self.by_place.last_key_value().map(|(_, message)| message)
    }

    /// Iterates over the messages before the given place, newest first.
    pub(super) fn before(&self, place: Option<Place>) -> impl Iterator<Item = &Message> {
        let end = place.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.by_place.range((Bound::Unbounded, end));
        range.rev().map(|(_, message)| message)
    }

    /// Iterates over the IDs of all messages.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.places.keys()
    }

    /// Adds a message, after all others with the same time.
    pub(super) fn insert(&mut self, mut message: Message) {
        mark(&mut self.dirty, &message.id);
        message.order = u64::MAX;
        let mut earlier = self.by_place.range(..message.place()).rev();
        message.order = match earlier.next() {
            Some((last, _)) if last.at == message.created_at => last.order + 1,
            _ => 0,
        };
        self.restore(message);
    }

    /// Restores a stored message.
    pub(super) fn restore(&mut self, message: Message) {
        let place = message.place();
        self.note_references(&message);
        self.places.insert(message.id.clone(), place);
        self.by_place.insert(place, message);
    }

    /// Notes the message and the file to which a message refers.
    fn note_references(&mut self, message: &Message) {
        if let Some(referenced) = &message.referenced {
            self.quotes
                .entry(referenced.clone())
                .or_default()
                .insert(message.place());
        }
        self.has_files |= content::may_have_file(&message.content);
    }

    /// Removes a message and all references to it.
    pub(super) fn remove(&mut self, id: &str) -> Option<Message> {
        let message = self.by_place.remove(&self.places.remove(id)?)?;
        mark(&mut self.dirty, id);
        for quoting in self.quotes.remove(id).unwrap_or_default() {
            if let Some(quoting) = self.by_place.get_mut(&quoting) {
                quoting.referenced = None;
                mark(&mut self.dirty, &quoting.id);
            }
        }
        if let Some(referenced) = &message.referenced
            && let Some(quotes) = self.quotes.get_mut(referenced)
        {
            quotes.remove(&message.place());
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

    /// Replaces the content of restored messages with files. A message for which `change` returns
    /// `None` stays. No message is marked as changed.
    pub(super) fn replace_files(
        &mut self,
        change: impl Fn(&ContentJson) -> Option<Box<ContentJson>>,
    ) {
        if !self.has_files {
            return;
        }
        for message in self.by_place.values_mut() {
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
    origin: Origin,
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
    /// Creates a message without reactions. It is a system message if it has no sender.
    pub(super) fn new(
        id: String,
        sender: Option<String>,
        created_at: u64,
        content: Box<ContentJson>,
    ) -> Self {
        Self {
            id,
            kind: match sender {
                Some(_) => MessageKind::UserMessage,
                None => MessageKind::SystemMessage,
            },
            sender,
            custom: Custom::new(),
            created_at,
            edited_at: None,
            referenced: None,
            content,
            reactions: BTreeMap::new(),
            order: 0,
            origin: Origin::Rest,
            text: None,
        }
    }

    pub(super) fn place(&self) -> Place {
        Place {
            at: self.created_at,
            order: self.order,
        }
    }

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
            origin: self.origin,
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
