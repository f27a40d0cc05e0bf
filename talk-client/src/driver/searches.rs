//! The running searches.

use std::collections::BTreeMap;
use std::sync::Arc;

use talk_proto::{
    CommandError,
    search::{SearchId, SearchResults, SearchStatus},
};

use crate::handle::LocalId;
use crate::search::slot::SearchSlot;

/// The running searches and the slots of their results.
#[derive(Default)]
pub(super) struct Searches {
    /// The core's ID of each search, or the error with which the core refused it.
    ids: BTreeMap<LocalId, Result<SearchId, CommandError>>,
    slots: BTreeMap<SearchId, Arc<SearchSlot>>,
}

impl Searches {
    /// Registers a search that the core has accepted or refused. Queries of a refused search return
    /// the error.
    pub(super) fn insert(
        &mut self,
        id: Result<SearchId, CommandError>,
        local_id: LocalId,
        slot: Arc<SearchSlot>,
    ) {
        match id {
            Ok(id) => drop(self.slots.insert(id, slot)),
            Err(_) => slot.end(),
        }
        self.ids.insert(local_id, id);
    }

    /// Returns the core's ID of a search.
    pub(super) fn id(&self, local_id: LocalId) -> Result<SearchId, CommandError> {
        let id = self.ids.get(&local_id).cloned();
        id.unwrap_or(Err(CommandError::Unknown))
    }

    pub(super) fn update(&self, id: SearchId, results: SearchResults, status: SearchStatus) {
        if let Some(slot) = self.slots.get(&id) {
            slot.update(results, status);
        }
    }

    /// Removes a search and returns its ID, unless the core had refused it.
    pub(super) fn remove(&mut self, local_id: LocalId) -> Option<SearchId> {
        let id = self.ids.remove(&local_id)?.ok()?;
        self.slots.remove(&id);
        Some(id)
    }

    /// Ends all searches when the driver stops.
    pub(super) fn end_all(&mut self) {
        self.ids.clear();
        for slot in std::mem::take(&mut self.slots).into_values() {
            slot.end();
        }
    }
}
