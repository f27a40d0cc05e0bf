//! The order of the unsent entries of each conversation.

use std::collections::{BTreeMap, BTreeSet};

use crate::collections::HashMap;
use crate::model::ConversationId;

/// The entries of a conversation.
#[derive(Default)]
pub(super) struct Lane {
    /// The unsent entries in the order in which they are sent.
    pub(super) queue: BTreeSet<u64>,
    sent: BTreeSet<u64>,
    /// The entry that blocks the later ones.
    pub(super) blocker: Option<u64>,
    /// Set if the first entry that is not skipped can be sent, or is being sent.
    pub(super) is_runnable: bool,
}

/// The conversations with entries.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: HashMap<ConversationId, Lane>,
    pub(super) paused: BTreeSet<ConversationId>,
    /// The lanes whose first entry may have something to do.
    pub(super) dirty: BTreeSet<ConversationId>,
    /// The number of unsent entries.
    pub(super) len: usize,
    /// The number of lanes that need a connection.
    pub(super) runnable: usize,
}

impl Lanes {
    pub(super) fn insert(&mut self, conversation: &ConversationId, seq: u64) {
        let lane = self.lanes.entry(conversation.clone()).or_default();
        self.len += usize::from(lane.queue.insert(seq));
        self.mark_dirty(conversation);
    }

    pub(super) fn insert_sent(&mut self, conversation: &ConversationId, seq: u64) {
        let lane = self.lanes.entry(conversation.clone()).or_default();
        lane.sent.insert(seq);
    }

    /// Removes an entry from the queue, because it is sent or discarded.
    pub(super) fn dequeue(&mut self, conversation: &ConversationId, seq: u64) {
        let Some(lane) = self.lanes.get_mut(conversation) else {
            return;
        };
        if !lane.queue.remove(&seq) {
            return;
        }
        self.len -= 1;
        if lane.queue.is_empty() {
            self.runnable -= usize::from(std::mem::take(&mut lane.is_runnable));
            lane.blocker = None;
        } else {
            self.mark_dirty(conversation);
        }
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, conversation: &ConversationId, seq: u64) {
        self.dequeue(conversation, seq);
        if let Some(lane) = self.lanes.get_mut(conversation) {
            lane.sent.remove(&seq);
            if lane.queue.is_empty() && lane.sent.is_empty() {
                self.lanes.remove(conversation);
            }
        }
    }

    /// Returns the entries of a conversation, oldest first.
    pub(super) fn entries(&self, conversation: &ConversationId) -> impl Iterator<Item = u64> {
        let lane = self.lanes.get(conversation).into_iter();
        lane.flat_map(|lane| lane.queue.union(&lane.sent)).copied()
    }

    /// Returns the ID of a conversation with entries, so that they share its allocation.
    pub(super) fn shared_id(&self, conversation: &ConversationId) -> Option<&ConversationId> {
        let (shared, _) = self.lanes.get_key_value(conversation)?;
        Some(shared)
    }

    /// Removes all entries, and returns those of each conversation.
    pub(super) fn clear(&mut self) -> BTreeMap<ConversationId, BTreeSet<u64>> {
        let paused = std::mem::take(&mut self.paused);
        let all = std::mem::replace(
            self,
            Self {
                paused,
                ..Self::default()
            },
        );
        let entries = |lane: Lane| lane.queue.into_iter().chain(lane.sent).collect();
        let lanes = all.lanes.into_iter();
        let entries = lanes.map(|(conversation, lane)| (conversation, entries(lane)));
        entries.collect()
    }

    pub(super) fn get(&self, conversation: &ConversationId) -> Option<&Lane> {
        self.lanes.get(conversation)
    }

    pub(super) fn get_mut(&mut self, conversation: &ConversationId) -> Option<&mut Lane> {
        self.lanes.get_mut(conversation)
    }

    pub(super) fn set_runnable(&mut self, conversation: &ConversationId, is_runnable: bool) {
        if let Some(lane) = self.lanes.get_mut(conversation) {
            self.runnable -= usize::from(lane.is_runnable);
            self.runnable += usize::from(is_runnable);
            lane.is_runnable = is_runnable;
        }
    }

    pub(super) fn mark_dirty(&mut self, conversation: &ConversationId) {
        self.dirty.insert(conversation.clone());
    }

    pub(super) fn mark_all_dirty(&mut self) {
        let queued = self.lanes.iter().filter(|(_, lane)| !lane.queue.is_empty());
        let queued = queued.map(|(conversation, _)| conversation);
        self.dirty.extend(queued.cloned());
    }
}
