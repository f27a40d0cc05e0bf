//! The update that a store has for one viewer.

use crate::changes::Changes;
use crate::command::RequestId;
use crate::error::RequestError;
use crate::live::key::ViewerId;
use crate::snapshot::{Snapshot, Update};

/// An update for one viewer.
pub(crate) struct ViewUpdate {
    pub(crate) viewer: ViewerId,
    pub(crate) update: Option<Update>,
    /// The requests for more items that it satisfies.
    pub(crate) resolved: Vec<RequestId>,
    /// The error of a `get`, where a subscription shows an absent entity.
    pub(crate) refusal: Option<RequestError>,
}

impl ViewUpdate {
    /// Creates an update to a snapshot that is no list.
    pub(crate) fn new(viewer: ViewerId, snapshot: Snapshot) -> Self {
        Self {
            viewer,
            update: Some(Update {
                snapshot,
                changes: Changes::Reset,
            }),
            resolved: Vec::new(),
            refusal: None,
        }
    }
}
