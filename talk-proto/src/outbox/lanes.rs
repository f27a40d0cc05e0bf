//! The order of the unsent entries of each conversation.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ConversationId;

/// The unsent entries of a conversation, in the order in which they are sent.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) queue: BTreeSet<u64>,
    /// The entry that blocks the later ones.
    pub(super) blocker: Option<u64>,
    /// Set if the first entry that is not skipped can be sent, or is being sent.
    pub(super) is_runnable: bool,
}

/// The conversations with unsent entries.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<ConversationId, Lane>,
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

    /// Removes an entry that is sent or discarded.
    pub(super) fn remove(&mut self, conversation: &ConversationId, seq: u64) {
        let Some(lane) = self.lanes.get_mut(conversation) else {
            return;
        };
        self.len -= usize::from(lane.queue.remove(&seq));
        if lane.queue.is_empty() {
            self.runnable -= usize::from(lane.is_runnable);
            self.lanes.remove(conversation);
        } else {
            self.mark_dirty(conversation);
        }
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
        self.dirty.extend(self.lanes.keys().cloned());
    }
}
