//! The searches that somebody looks at.

use std::collections::BTreeMap;
use std::sync::Arc;

use talk_proto::{CommandError, SearchId, SearchResults, SearchStatus};

use crate::handle::LocalId;
use crate::search::slot::SearchSlot;

/// Where the results of each search go.
#[derive(Default)]
pub(super) struct Searches {
    /// What the core made of each search.
    ids: BTreeMap<LocalId, Result<SearchId, CommandError>>,
    slots: BTreeMap<SearchId, Arc<SearchSlot>>,
}

impl Searches {
    /// The core has accepted a search, or has not, of which its first query is told.
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

    /// The core's name of a search.
    pub(super) fn id(&self, local_id: LocalId) -> Result<SearchId, CommandError> {
        let id = self.ids.get(&local_id).cloned();
        id.unwrap_or(Err(CommandError::Unknown))
    }

    pub(super) fn update(&self, id: SearchId, results: SearchResults, status: SearchStatus) {
        if let Some(slot) = self.slots.get(&id) {
            slot.update(results, status);
        }
    }

    /// Nobody looks at a search any more: its name, unless the core had refused it.
    pub(super) fn remove(&mut self, local_id: LocalId) -> Option<SearchId> {
        let id = self.ids.remove(&local_id)?.ok()?;
        self.slots.remove(&id);
        Some(id)
    }

    /// The driver stops: all that are left end.
    pub(super) fn end_all(&mut self) {
        self.ids.clear();
        for slot in std::mem::take(&mut self.slots).into_values() {
            slot.end();
        }
    }
}
