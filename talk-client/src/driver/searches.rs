//! The searches that somebody looks at.

use std::collections::BTreeMap;
use std::sync::Arc;

use talk_proto::{CommandError, SearchId, SearchResults, SearchStatus};

use crate::handle::Ticket;
use crate::search::cell::SearchCell;

/// Where the results of each search go.
#[derive(Default)]
pub(super) struct Searches {
    /// What the core made of each search.
    ids: BTreeMap<Ticket, Result<SearchId, CommandError>>,
    cells: BTreeMap<SearchId, Arc<SearchCell>>,
}

impl Searches {
    /// The core has accepted a search, or has not, of which its first query is told.
    pub(super) fn insert(
        &mut self,
        id: Result<SearchId, CommandError>,
        ticket: Ticket,
        cell: Arc<SearchCell>,
    ) {
        match id {
            Ok(id) => drop(self.cells.insert(id, cell)),
            Err(_) => cell.end(),
        }
        self.ids.insert(ticket, id);
    }

    /// The core's name of a search.
    pub(super) fn id(&self, ticket: Ticket) -> Result<SearchId, CommandError> {
        let id = self.ids.get(&ticket).cloned();
        id.unwrap_or(Err(CommandError::Unknown))
    }

    pub(super) fn show(&self, id: SearchId, results: SearchResults, status: SearchStatus) {
        if let Some(cell) = self.cells.get(&id) {
            cell.show(results, status);
        }
    }

    /// Nobody looks at a search any more: its name, unless the core had refused it.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<SearchId> {
        let id = self.ids.remove(&ticket)?.ok()?;
        self.cells.remove(&id);
        Some(id)
    }

    /// The driver stops: all that are left end.
    pub(super) fn end_all(&mut self) {
        self.ids.clear();
        for cell in std::mem::take(&mut self.cells).into_values() {
            cell.end();
        }
    }
}
