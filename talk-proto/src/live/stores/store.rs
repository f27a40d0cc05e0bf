//! What the live half asks of every store.

use serde_json::value::RawValue;

use crate::changes::Changes;
use crate::command::RequestId;
use crate::error::RequestError;
use crate::live::key::{Dependent, ViewerId};
use crate::live::store_cx::StoreCx;
use crate::live::sync::state::SyncState;
use crate::snapshot::{Snapshot, Update};
use crate::wire::ServerEvent;

/// The body of an answer, or why there is none.
pub(crate) type Response<'a> = Result<Option<&'a RawValue>, RequestError>;

/// One thing that the server tells about, shared by all who look at it.
pub(crate) trait Store {
    /// Subscribes, if the connection is ready. Called once for each connection.
    fn open(&mut self, cx: &mut StoreCx);

    /// The connection is gone.
    fn lost(&mut self);

    /// Ends the subscription and lets go of what the store shows.
    fn close(&mut self, cx: &mut StoreCx);

    /// Its subscription and load.
    fn sync(&mut self) -> &mut SyncState;

    /// Whether it is shown, even if by others who are told of it.
    fn is_wanted(&self) -> bool;

    /// Whether it takes a subscription of its own to keep it up to date.
    fn needs_subscription(&self) -> bool {
        self.is_wanted()
    }

    /// Whether something may be missing.
    fn may_fetch(&self, cx: &StoreCx) -> bool {
        let _ = cx;
        true
    }

    /// Sends what is missing.
    fn fetch(&mut self, cx: &mut StoreCx);

    /// Takes the answer to a load.
    fn answer(&mut self, answer: Response<'_>, cx: &mut StoreCx);

    /// Applies an event that concerns the thing.
    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx);

    /// A user that it shows has changed.
    fn user_changed(&mut self, dependent: &Dependent, cx: &mut StoreCx) {
        let _ = dependent;
        cx.changed.insert(self.sync().key().clone());
    }

    /// Those who look at it.
    fn viewers(&self) -> Vec<ViewerId>;

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx);

    /// Returns the requests for more that the viewer had open.
    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId>;

    /// Its list, of which there may be more, and how that grows.
    fn list(&mut self) -> Option<(&mut dyn List, PageSizes)> {
        None
    }

    /// Gives its viewers what they have not seen.
    fn review(&mut self, cx: &StoreCx, news: &mut Vec<ViewUpdate>);
}

/// How many items to load more at once, as documented.
pub(crate) struct PageSizes {
    pub(crate) max: usize,
    pub(crate) default: usize,
}

/// What is asked of a list, whatever is in it.
pub(crate) trait List {
    /// Shows more to a viewer.
    fn load_more(&mut self, viewer: ViewerId, request: RequestId, count: usize);

    /// Forgets a request for more.
    fn cancel_more(&mut self, viewer: ViewerId, request: RequestId);
}

/// What a viewer has not seen yet.
pub(crate) struct ViewUpdate {
    pub(crate) viewer: ViewerId,
    pub(crate) update: Option<Update>,
    /// LiveRequests for more that are satisfied by it.
    pub(crate) resolved: Vec<RequestId>,
    /// What a `get` fails with, though a subscription shows that there is nothing.
    pub(crate) refusal: Option<RequestError>,
}

impl ViewUpdate {
    /// A snapshot of what is no list.
    pub(crate) fn of(viewer: ViewerId, snapshot: Snapshot) -> Self {
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
