//! The reads for items that appear inside other items.

use std::collections::{BTreeMap, BTreeSet};

use super::wire;

/// The reads of users and of single messages. The core abandons a read that was in flight when an
/// oversized frame ended the connection twice. The item of the read is then absent or stale in the
/// snapshot, so the snapshot may differ from the server's data.
#[derive(Default)]
pub(super) struct NestedReads {
    /// The requests without their numbers, which change with the connection.
    in_flight: BTreeMap<u64, String>,
    /// The reads that were in flight at such a loss and have not been answered since.
    lost: BTreeSet<String>,
}

impl NestedReads {
    pub(super) fn asked(&mut self, seq: u64, frame: &str) {
        let is_nested = |path: &str| path == "/users" || path.contains("/messages/");
        if let Some((_, request)) = frame.split_once(',')
            && request.starts_with("\"GET\"")
            && wire::path(frame).is_some_and(is_nested)
        {
            self.in_flight.insert(seq, request.to_owned());
        }
    }

    pub(super) fn answered(&mut self, seq: u64) {
        if let Some(request) = self.in_flight.remove(&seq) {
            self.lost.remove(&request);
        }
    }

    /// Records that the connection is closed.
    pub(super) fn disconnected(&mut self) {
        self.in_flight.clear();
    }

    /// Records that the connection is about to be lost to an oversized frame.
    pub(super) fn note_large_loss(&mut self) {
        self.lost.extend(self.in_flight.values().cloned());
    }

    /// Returns `true` if another oversized frame would end a read.
    pub(super) fn are_at_stake(&self) -> bool {
        let mut in_flight = self.in_flight.values();
        in_flight.any(|request| self.lost.contains(request))
    }
}
