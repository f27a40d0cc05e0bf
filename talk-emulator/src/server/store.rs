//! The persistent data of an app.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::conversation::{Conversation, Participation};
use super::dirty_map::DirtyMap;
use super::file::FileMetadata;
use super::page::ListPlace;
use super::refusal::Refusal;
use super::user::User;

/// The persistent data of an app.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) clock: LogicalClock,
    pub(super) users: DirtyMap<User>,
    pub(super) conversations: DirtyMap<Conversation>,
    pub(super) files: DirtyMap<FileMetadata>,
    /// The conversations of each user, by last activity.
    pub(super) inboxes: BTreeMap<String, BTreeSet<(u64, String)>>,
    /// The deleted conversations whose records are not removed yet.
    pub(super) deleted: BTreeMap<String, Deleted>,
}

/// The records of a deleted conversation.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    pub(super) messages: BTreeSet<String>,
    /// The senders and idempotency keys.
    pub(super) keys: BTreeSet<(String, String)>,
}

/// A clock that returns each time only once, so that items sorted by time are never equal. It runs
/// ahead of the real time while several events happen in one millisecond.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct LogicalClock {
    last: u64,
}

impl LogicalClock {
    /// Returns `now`, or the next free time after the last one.
    pub(super) fn stamp(&mut self, now: u64) -> u64 {
        self.last = now.max(self.last.saturating_add(1));
        self.last
    }

    /// Returns the last time.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Makes all later stamps newer than `at`.
    pub(super) fn advance_past(&mut self, at: u64) {
        self.last = self.last.max(at);
    }
}

impl Store {
    pub(super) fn user(&self, id: &str) -> Result<&User, Refusal> {
        self.users.get(id).ok_or_else(Refusal::user_not_found)
    }

    pub(super) fn conversation(&self, id: &str) -> Result<&Conversation, Refusal> {
        self.conversations
            .get(id)
            .ok_or_else(Refusal::conversation_not_found)
    }

    pub(super) fn conversation_mut(&mut self, id: &str) -> Result<&mut Conversation, Refusal> {
        self.conversations
            .get_mut(id)
            .ok_or_else(Refusal::conversation_not_found)
    }

    /// Returns the conversation and the user's participation. Refuses other users.
    pub(super) fn joined(
        &self,
        id: &str,
        user: &str,
    ) -> Result<(&Conversation, &Participation), Refusal> {
        let conversation = self.conversation(id)?;
        let participation = conversation
            .participants
            .get(user)
            .ok_or_else(Refusal::not_a_participant)?;
        Ok((conversation, participation))
    }

    /// Returns `true` if there are changes that were neither stored nor discarded.
    pub(super) fn is_changed(&self) -> bool {
        self.users.is_dirty() || self.conversations.is_dirty() || self.files.is_dirty()
    }

    /// Iterates over the user's conversations before the given place, latest activity first.
    pub(super) fn inbox(&self, user: &str, before: ListPlace) -> impl Iterator<Item = (u64, &str)> {
        let all = self.inboxes.get(user).into_iter();
        let before = (before.at, before.id);
        all.flat_map(move |inbox| inbox.range(..before.clone()).rev())
            .map(|(at, id)| (*at, id.as_str()))
    }

    /// Deletes a conversation. Its participants must have no entry for it in their lists.
    pub(super) fn delete_conversation(&mut self, id: &str) {
        if let Some(conversation) = self.conversations.remove(id) {
            let deleted = self.deleted.entry(id.to_owned()).or_default();
            deleted
                .messages
                .extend(conversation.messages.ids().cloned());
            deleted.keys.extend(conversation.keys.all());
        }
    }

    /// Adds a conversation to the user's list.
    pub(super) fn add_to_inbox(&mut self, id: &str, user: &str) {
        if let Some(at) = self.activity(id, user) {
            self.inboxes
                .entry(user.to_owned())
                .or_default()
                .insert((at, id.to_owned()));
        }
    }

    /// Removes a conversation from the user's list. Call this before its last activity changes.
    pub(super) fn remove_from_inbox(&mut self, id: &str, user: &str) {
        let Some(at) = self.activity(id, user) else {
            return;
        };
        if let Some(inbox) = self.inboxes.get_mut(user) {
            inbox.remove(&(at, id.to_owned()));
            if inbox.is_empty() {
                self.inboxes.remove(user);
            }
        }
    }

    /// Applies a change that may move the conversation's last activity, and updates the lists of
    /// all participants.
    pub(super) fn change_activity(&mut self, id: &str, change: impl FnOnce(&mut Conversation)) {
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        let mut place = (0, id.to_owned());
        for (user, participation) in &conversation.participants {
            place.0 = conversation.last_message_at(participation);
            if let Some(inbox) = self.inboxes.get_mut(user) {
                inbox.remove(&place);
            }
        }
        change(conversation);
        for (user, participation) in &conversation.participants {
            place.0 = conversation.last_message_at(participation);
            if let Some(inbox) = self.inboxes.get_mut(user) {
                inbox.insert(place.clone());
            }
        }
    }

    fn activity(&self, id: &str, user: &str) -> Option<u64> {
        let conversation = self.conversations.get(id)?;
        Some(conversation.last_message_at(conversation.participants.get(user)?))
    }
}
