//! The events of an outbox, and the updates of windows with echoes.

use std::sync::Arc;

use talk_proto::model::{EntryId, MessageId, MessageSnapshot};
use talk_proto::outbox::{Entry, Settled};
use talk_proto::{Snapshot, Update, Window};

/// An event that is checked after the drain.
pub(super) enum Observed {
    Changed(Arc<Entry>),
    Removed {
        entry: EntryId,
        message: Option<MessageId>,
    },
    /// An update of a window of messages that has echoes, or had some before.
    Window {
        before: Vec<Arc<Entry>>,
        after: Window<MessageSnapshot>,
        settled: Vec<Settled>,
    },
}

impl Observed {
    /// Returns the part of an update that concerns echoes.
    pub(super) fn of_update(before: Option<&Snapshot>, update: &Update) -> Option<Self> {
        let Snapshot::Messages(Some(after)) = &update.snapshot else {
            return None;
        };
        let before = match before {
            Some(Snapshot::Messages(Some(before))) => before.pending().to_vec(),
            _ => Vec::new(),
        };
        let has_echoes = !(before.is_empty() && after.pending().is_empty());
        (has_echoes || !update.settled.is_empty()).then(|| Self::Window {
            before,
            after: after.clone(),
            settled: update.settled.clone(),
        })
    }
}
