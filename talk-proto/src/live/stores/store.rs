//! The interface of a store.

use std::any::Any;

use super::view_update::ViewUpdate;
use crate::command::RequestId;
use crate::error::CommandError;
use crate::live::interface::FetchId;
use crate::live::key::{StoreKey, ViewerId};
use crate::live::list::view::CachedRange;
use crate::live::store_cx::StoreCx;
use crate::live::sync::response::Response;
use crate::live::sync::state::SyncState;
use crate::model::UserId;
use crate::wire::ServerEvent;

/// The store of one entity or list, shared by all of its viewers.
pub(crate) trait Store: Any + Send + Sync {
    /// Returns the state of the subscription and load.
    fn sync(&mut self) -> &mut SyncState;

    /// Subscribes if the connection is ready. Called once per connection.
    fn open(&mut self, cx: &mut StoreCx) {
        self.sync().open(cx);
    }

    /// Marks the state as outdated after a connection loss.
    fn handle_lost(&mut self, _: &mut StoreCx) {
        self.sync().handle_lost();
    }

    /// Ends the subscription and releases all references.
    fn close(&mut self, cx: &mut StoreCx);

    /// Returns `true` if a viewer or another store uses the store.
    fn is_referenced(&self) -> bool;

    /// Returns the store that shows data of this one.
    fn shown_by(&self) -> Option<StoreKey> {
        None
    }

    /// Returns `true` if the store must subscribe to stay current.
    fn needs_subscription(&self) -> bool {
        self.is_referenced()
    }

    /// Returns `true` if [`fetch_missing`](Self::fetch_missing) may have something to send.
    fn may_miss_data(&self, _: &StoreCx) -> bool {
        true
    }

    /// Requests missing data.
    fn fetch_missing(&mut self, cx: &mut StoreCx);

    /// Requests the next page of the outdated rest of a list, if there is one.
    fn fetch_rest(&mut self, _: &mut StoreCx) -> Option<FetchId> {
        None
    }

    /// Loads the entity again, although no connection was lost.
    fn reload(&mut self, cx: &mut StoreCx) {
        self.sync().reload(cx);
    }

    /// Handles the response to a load.
    fn handle_response(&mut self, response: Response<'_>, cx: &mut StoreCx);

    /// Applies an event that concerns the entity.
    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx);

    /// Handles a change of a user that the store shows.
    fn handle_user_change(&mut self, _: &UserId, _: &mut StoreCx) {}

    fn viewers(&self) -> Vec<ViewerId>;

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx);

    /// Removes a viewer and returns its pending requests for more items.
    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId>;

    /// Makes the first window of a viewer cover the range of the cached window that it replaces.
    fn set_cached(&mut self, _: ViewerId, _: CachedRange) {}

    /// Extends the window of a viewer by `count` items, or by the default of the list.
    ///
    /// # Errors
    /// [`CommandError::NotAList`], and [`CommandError::CountOutOfRange`] if the count exceeds a
    /// page.
    fn load_more(
        &mut self,
        _: ViewerId,
        _: RequestId,
        _: Option<usize>,
    ) -> Result<(), CommandError> {
        Err(CommandError::NotAList)
    }

    /// Discards a request of a viewer for more items.
    fn cancel_more(&mut self, _: ViewerId, _: RequestId) {}

    /// Collects the updates that viewers have not received.
    fn collect_updates(&mut self, cx: &StoreCx, updates: &mut Vec<ViewUpdate>);
}
