//! Local echoes of outbox entries in the windows of their conversations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::collections::HashMap;
use crate::model::{ConversationId, MessageId, MessageSnapshot, UserId};
use crate::outbox::{Candidate, Echo, EchoChange, Entry};
use crate::timestamp::Timestamp;

/// The longest time of a ready connection for which an own message is invisible because it may be
/// the message of an entry in flight.
const HELD_BACK_FOR: Duration = Duration::from_secs(10);

/// The maximum number of messages of a conversation that no entry makes invisible, and of deleted
/// ones.
const MAX_KNOWN: usize = 1_000;

/// Adds messages to a set, up to [`MAX_KNOWN`].
fn note(messages: &mut BTreeSet<MessageId>, new: impl IntoIterator<Item = MessageId>) {
    messages.extend(new);
    while messages.len() > MAX_KNOWN {
        messages.pop_first();
    }
}

/// The echoes of all conversations. `None` until the first entry, so that sessions without one stay
/// small.
#[derive(Default)]
pub(super) struct Echoes(Option<Box<AllEchoes>>);

#[derive(Default)]
struct AllEchoes {
    conversations: HashMap<ConversationId, ConversationEchoes>,
    /// The conversations that may have invisible messages.
    holding: BTreeSet<ConversationId>,
}

#[derive(Default)]
struct ConversationEchoes {
    /// The entries by their number.
    entries: BTreeMap<u64, Arc<Entry>>,
    /// The forms of the entries that were tried and whose outcome is unknown, each with a server
    /// time from before the first attempt.
    candidates: BTreeMap<u64, (Arc<Candidate>, Timestamp)>,
    /// Invisible messages, each with the time from which on its delay is counted.
    held_back: BTreeMap<MessageId, Timestamp>,
    /// Messages that are visible although the outcome of an entry is unknown.
    released: BTreeSet<MessageId>,
    /// Deleted messages, whose entries are not shown any more.
    deleted: BTreeSet<MessageId>,
}

impl ConversationEchoes {
    /// Records the time of a message, which the server has reached.
    fn note_server_time(&mut self, time: Timestamp, now: Timestamp) {
        for (form, floor) in self.candidates.values_mut() {
            *floor = form.floor_after(time, now).max(*floor);
        }
    }

    /// Returns `true` if the message may be that of an entry whose outcome is unknown.
    fn may_have(&self, message: &MessageSnapshot, me: &UserId) -> bool {
        let mut candidates = self.candidates.values();
        candidates.any(|(form, floor)| message.created_at >= *floor && form.may_be(message, me))
    }
}

impl Echoes {
    /// Returns `true` if there was an entry.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    fn get(&self, conversation: &ConversationId) -> Option<&ConversationEchoes> {
        self.0.as_ref()?.conversations.get(conversation)
    }

    fn get_mut(&mut self, conversation: &ConversationId) -> Option<&mut ConversationEchoes> {
        self.0.as_mut()?.conversations.get_mut(conversation)
    }

    /// Returns the entries of a conversation, oldest first, without those of deleted messages. A
    /// held one stays visible, because the user has to act on it.
    pub(super) fn of(&self, conversation: &ConversationId) -> impl Iterator<Item = &Arc<Entry>> {
        let of = self.get(conversation).into_iter();
        of.flat_map(|of| {
            let is_deleted = |id: &MessageId| of.deleted.contains(id);
            let entries = of.entries.values();
            entries.filter(move |entry| {
                entry.held().is_some() || !entry.message().is_some_and(is_deleted)
            })
        })
    }

    /// Hides the entry of a deleted message, also if its answer follows.
    pub(super) fn note_deleted(&mut self, conversation: &ConversationId, message: &MessageId) {
        if let Some(of) = self.get_mut(conversation) {
            note(&mut of.deleted, [message.clone()]);
        }
    }

    /// Returns `true` if the message of an entry was deleted.
    pub(super) fn is_deleted(&self, conversation: &ConversationId, message: &MessageId) -> bool {
        let of = self.get(conversation);
        of.is_some_and(|of| of.deleted.contains(message))
    }

    /// Changes the echoes of a conversation. Returns the messages that may become visible.
    pub(super) fn set(
        &mut self,
        conversation: &ConversationId,
        changes: Vec<EchoChange>,
    ) -> Vec<MessageId> {
        let conversations = &mut self.0.get_or_insert_default().conversations;
        let of = conversations.entry(conversation.clone()).or_default();
        for (seq, echo) in changes {
            let before = of.candidates.remove(&seq);
            let Some(Echo { entry, candidate }) = echo else {
                // An equal entry may still wait for its answer. It does not hide this message.
                let entry = of.entries.remove(&seq);
                let message = entry.and_then(|entry| entry.message().cloned());
                note(&mut of.released, message);
                continue;
            };
            of.entries.insert(seq, entry);
            let Some(form) = candidate else {
                continue;
            };
            let before = before.filter(|(before, _)| Arc::ptr_eq(before, &form));
            let floor = before.map_or(form.floor, |(_, floor)| floor);
            of.candidates.insert(seq, (form, floor));
        }
        let held_back = of.held_back.keys().cloned().collect();
        if of.entries.is_empty() {
            conversations.remove(conversation);
        }
        held_back
    }

    /// Returns `true` if a new message of the conversation must stay invisible, because it may be
    /// the message of an entry whose outcome is unknown.
    pub(super) fn hold_back(
        &mut self,
        conversation: &ConversationId,
        message: &MessageSnapshot,
        me: &UserId,
        now: Timestamp,
    ) -> bool {
        let Some(all) = &mut self.0 else {
            return false;
        };
        let Some(of) = all.conversations.get_mut(conversation) else {
            return false;
        };
        if let Some(time) = message.server_time() {
            of.note_server_time(time, now);
        }
        let is_own = |entry: &Arc<Entry>| entry.message() == Some(&message.id);
        let is_held = !of.released.contains(&message.id)
            && of.may_have(message, me)
            && !of.entries.values().any(is_own);
        if is_held {
            of.held_back.entry(message.id.clone()).or_insert(now);
            all.holding.insert(conversation.clone());
        } else {
            of.held_back.remove(&message.id);
        }
        is_held
    }

    /// Returns `true` if the message is invisible.
    pub(super) fn is_held_back(&self, conversation: &ConversationId, message: &MessageId) -> bool {
        let of = self.get(conversation);
        of.is_some_and(|of| of.held_back.contains_key(message))
    }

    /// Restarts the delays on a ready connection.
    pub(super) fn handle_ready(&mut self, now: Timestamp) {
        let Some(all) = &mut self.0 else {
            return;
        };
        for conversation in &all.holding {
            if let Some(of) = all.conversations.get_mut(conversation) {
                of.held_back.values_mut().for_each(|since| *since = now);
            }
        }
    }

    /// Returns the messages whose delay is over. They become visible.
    pub(super) fn release_due(&mut self, now: Timestamp) -> Vec<(ConversationId, MessageId)> {
        let mut released = Vec::new();
        let Some(all) = &mut self.0 else {
            return released;
        };
        all.holding.retain(|conversation| {
            let Some(of) = all.conversations.get_mut(conversation) else {
                return false;
            };
            of.held_back.retain(|id, since| {
                let is_held = now < *since + HELD_BACK_FOR;
                if !is_held {
                    note(&mut of.released, [id.clone()]);
                    released.push((conversation.clone(), id.clone()));
                }
                is_held
            });
            !of.held_back.is_empty()
        });
        released
    }

    /// Returns the time at which the next delay is over.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let all = self.0.as_ref()?;
        let holding = all.holding.iter();
        let holding = holding.filter_map(|conversation| all.conversations.get(conversation));
        let since = holding.flat_map(|of| of.held_back.values()).min();
        since.map(|since| *since + HELD_BACK_FOR)
    }
}
