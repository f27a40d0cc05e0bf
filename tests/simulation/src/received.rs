//! The identities that a session has received, for the check of its live windows.

use std::collections::BTreeSet;

use talk_proto::Snapshot;

use super::broken::broken;

/// The IDs in all frames that a process of a session has received.
#[derive(Default)]
pub(super) struct Received(BTreeSet<String>);

impl Received {
    /// Records the IDs in a frame.
    pub(super) fn note(&mut self, frame: &str) {
        const ID: &str = "\"id\":\"";
        let mut rest = frame;
        while let Some(at) = rest.find(ID) {
            rest = rest.get(at + ID.len()..).unwrap_or_default();
            let id = rest.split('"').next().unwrap_or_default();
            if !self.0.contains(id) {
                self.0.insert(id.to_owned());
            }
        }
    }

    /// Checks that a live window shows only items that the server has sent to this process.
    pub(super) fn check(&self, snapshot: &Snapshot) {
        if snapshot.freshness().is_cached() {
            return;
        }
        let unknown = match snapshot {
            Snapshot::Messages(Some(window)) => {
                let mut ids = window.iter().map(|item| item.id.as_str());
                ids.find(|id| !self.0.contains(*id))
            }
            Snapshot::Conversations(window) => {
                let mut ids = window.iter().map(|item| item.id.as_str());
                ids.find(|id| !self.0.contains(*id))
            }
            _ => None,
        };
        if let Some(id) = unknown {
            broken("a live window shows only received items", id);
        }
    }
}
