//! The update of a viewer.

use crate::changes::Changes;
use crate::command::RequestId;
use crate::error::RequestError;
use crate::live::key::ViewerId;
use crate::snapshot::{Snapshot, Update};

/// An update for a viewer.
pub(crate) struct ViewUpdate {
    pub(crate) viewer: ViewerId,
    pub(crate) update: Option<Box<Update>>,
    /// The requests for more items that the update satisfies.
    pub(crate) resolved: Vec<RequestId>,
    /// The error of a `get`. A subscription shows an absent entity instead.
    pub(crate) refusal: Option<RequestError>,
}

impl ViewUpdate {
    /// Creates an update to a snapshot that is not a list.
    pub(crate) fn new(viewer: ViewerId, snapshot: Snapshot) -> Self {
        Self {
            viewer,
            update: Some(Update::new(snapshot, Changes::Reset)),
            resolved: Vec::new(),
            refusal: None,
        }
    }
}
