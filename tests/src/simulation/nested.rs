//! What a session reads that it shows within something else.

use std::collections::{BTreeMap, BTreeSet};

use super::wire;

/// Reads of users and of single messages. One that was in flight at two losses to a frame that is
/// too large is given up; what it was for is then shown as missing, or as it was, which the
/// server's truth does not say.
#[derive(Default)]
pub(super) struct NestedReads {
    /// Without their numbers, which another connection gives anew.
    in_flight: BTreeMap<u64, String>,
    /// Those that were in flight at such a loss, and not answered since.
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

    /// The connection is gone.
    pub(super) fn disconnected(&mut self) {
        self.in_flight.clear();
    }

    /// The connection is about to go because of a frame that is too large.
    pub(super) fn note_large_loss(&mut self) {
        self.lost.extend(self.in_flight.values().cloned());
    }

    /// Returns `true` if one would be given up at such a loss.
    pub(super) fn are_at_stake(&self) -> bool {
        let mut in_flight = self.in_flight.values();
        in_flight.any(|request| self.lost.contains(request))
    }
}
