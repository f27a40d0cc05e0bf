//! The store of a list that is loaded page by page.

use std::any::Any;

use super::list_filter::ListFilter;
use super::list_pages::ListPages;
use super::store::Store;
use super::view_update::ViewUpdate;
use crate::changes::RemovalReason;
use crate::command::RequestId;
use crate::error::CommandError;
use crate::fault_injection::FaultInjection;
use crate::live::interface::FetchId;
use crate::live::key::{StoreKey, ViewerId};
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{ListItem, OrderedList, PackedList};
use crate::live::list::view::{CachedRange, ListState, ListView, PlacedEcho, ViewDiff};
use crate::live::store_cx::StoreCx;
use crate::live::sync::paginator::{Cursor, Demand, PageOutcome, Paginator};
use crate::live::sync::response::Response;
use crate::live::sync::state::{Stage, SyncState};
use crate::model::UserId;
use crate::snapshot::{Snapshot, Update, Window};
use crate::wire::{Salvage, ServerEvent};

/// The page and window sizes of a kind of list, as documented.
pub(crate) struct PageSizes {
    /// The number of items in a first window.
    pub(crate) first_window: usize,
    /// The minimum number of items that the first load requests for a viewer.
    pub(crate) first_load: usize,
    /// The maximum number of items in a page.
    pub(crate) page: usize,
    /// The default number of items to load with `load_more`.
    pub(crate) more: usize,
}

/// The load state, loaded items and viewers of a list.
pub(crate) struct PagedList<R, T: ListItem> {
    pub(crate) pages: Paginator<R>,
    pub(crate) items: OrderedList<T>,
    /// The position up to which all items are loaded, in part outdated ones.
    pub(crate) edge: Position,
    /// The position of the last item that is not outdated, while there is a rest to load.
    pub(super) frontier: Position,
}

impl<R, T: ListItem> PagedList<R, T> {
    pub(crate) fn new(key: StoreKey, sizes: &PageSizes) -> Self {
        Self {
            pages: Paginator::new(key, sizes.page),
            items: OrderedList::new(),
            edge: Position::LAST,
            frontier: Position::LAST,
        }
    }

    pub(crate) fn key(&self) -> &StoreKey {
        self.pages.sync.key()
    }

    /// Returns `true` if the list is loaded to its end, in part with outdated items.
    fn is_complete(&self) -> bool {
        let has_rest_to_end = self.edge == Position::LAST && self.pages.has_rest();
        self.pages.is_complete() || has_rest_to_end
    }

    /// Returns `true` if an item at `position` is beyond the loaded part of the list.
    pub(crate) fn is_beyond(&self, position: Position) -> bool {
        position > self.edge && !self.pages.is_complete()
    }

    pub(super) fn clamp_views(&mut self, is_cut: bool) {
        let last = self.items.last_position();
        for view in self.items.views.values_mut() {
            view.clamp(last, is_cut);
        }
    }

    /// Returns the compact form of the list, or `None` while it has state beyond that.
    pub(super) fn pack(&self) -> Option<PackedList> {
        let is_plain = self.pages.is_settled()
            && self.edge == self.loaded_edge()
            && self.frontier == Position::LAST;
        self.items.pack().filter(|_| is_plain)
    }

    /// Sets the edge of a list that was loaded without a rest.
    pub(super) fn set_edge(&mut self) {
        self.edge = self.loaded_edge();
    }

    fn loaded_edge(&self) -> Position {
        let last = self.items.last_position();
        let last = last.filter(|_| !self.pages.is_complete());
        last.unwrap_or(Position::LAST)
    }
}

/// The items that a reloaded list no longer contains.
pub(crate) type GoneItems<L> = Vec<(<<L as ListStore>::Item as ListItem>::Key, RemovalReason)>;

/// A kind of paged list: the order and form of its items, and the effect of events on it.
pub(crate) trait ListStore: Any + Send + Sync + Sized {
    /// An item in the shape of the server.
    type Raw: Salvage;
    type Item: ListItem;

    const SIZES: PageSizes;
    /// The reason for the removal of items that are missing from a reloaded list.
    const GONE: RemovalReason;

    fn paged(&self) -> &PagedList<Self::Raw, Self::Item>;

    fn paged_mut(&mut self) -> &mut PagedList<Self::Raw, Self::Item>;

    fn key_of(raw: &Self::Raw) -> &<Self::Item as ListItem>::Key;

    /// Returns the sort key of an item. Lists are in ascending order.
    fn time_of(raw: &Self::Raw) -> i64;

    fn position_of(&self, key: &<Self::Item as ListItem>::Key) -> Option<Position>;

    /// Adds an item at a position, moves it there, or updates the item at that position.
    fn put(&mut self, position: Position, raw: Self::Raw, cx: &mut StoreCx);

    fn remove(
        &mut self,
        key: &<Self::Item as ListItem>::Key,
        reason: RemovalReason,
        cx: &mut StoreCx,
    );

    /// Removes the last item of a list above the cap.
    fn evict(&mut self, key: &<Self::Item as ListItem>::Key, cx: &mut StoreCx) {
        self.remove(key, RemovalReason::Evicted, cx);
    }

    /// Applies an event to the loaded list.
    fn apply(&mut self, event: &ServerEvent, cx: &mut StoreCx);

    fn wrap(window: Option<Window<Self::Item>>) -> Option<Snapshot>;

    /// Returns the filter to send with the first page.
    fn filter(&self) -> Option<ListFilter> {
        None
    }

    /// Returns the echoes of outbox entries, or `None` if there never was one.
    fn echoes<'a>(&self, _: &'a StoreCx) -> Option<Vec<PlacedEcho<'a>>> {
        None
    }

    /// Returns the store that shows an item of this one.
    fn shown_by(&self) -> Option<StoreKey> {
        None
    }

    /// Returns the number of items that other stores need.
    fn needed_by_stores(&self) -> usize {
        0
    }

    /// Returns the maximum number of items to keep.
    fn cap(&self, cx: &StoreCx) -> usize {
        cx.limits.window.max(1)
    }

    /// Returns `true` while items show nested data from before a connection loss. Viewers receive
    /// no updates during that time.
    fn is_refreshing(&self) -> bool {
        false
    }

    /// Returns the number of items to keep above the cap, while the positions of some are from
    /// before a connection loss.
    fn outdated_len(&self) -> usize {
        0
    }

    /// Returns `true` while responses other than pages are pending.
    fn has_other_fetches(&self) -> bool {
        false
    }

    /// Returns `true` if [`fetch_others`](Self::fetch_others) has something to send.
    fn needs_other_fetches(&self) -> bool {
        false
    }

    /// Requests data other than pages.
    fn fetch_others(&mut self, _: &mut StoreCx) {}

    /// Discards pending and planned requests for data other than pages.
    fn cancel_other_fetches(&mut self, _: &mut StoreCx) {}

    /// Handles a change of a user that items show.
    fn refresh_user(&mut self, _: &UserId, _: &mut StoreCx) {}

    /// Applies the event log to the items of a page.
    fn prepare_page(&mut self, _: &mut Vec<Self::Raw>, _: &mut StoreCx) {}

    /// Prepares for a reload.
    fn begin_reset(&mut self, _: &mut StoreCx) {}

    /// Removes the items that the new pages do not contain.
    fn remove_gone(&mut self, gone: GoneItems<Self>, cx: &mut StoreCx) {
        for (key, reason) in &gone {
            self.remove(key, *reason, cx);
        }
    }

    /// Plans requests for data other than pages that current items show in its state from before
    /// a connection loss.
    fn refresh_others(&mut self) {}

    /// Applies the event log to the list after a page was added.
    fn replay(&mut self, cx: &mut StoreCx) {
        for event in self.paged().pages.sync.log().to_vec() {
            self.apply(&event, cx);
        }
    }

    /// Removes all items, and marks the list as not loaded.
    fn clear(&mut self, cx: &mut StoreCx) {
        self.remove_all(cx);
        self.paged_mut().pages.cursor = Cursor::Unknown;
        self.cancel_other_fetches(cx);
    }

    fn remove_all(&mut self, cx: &mut StoreCx) {
        let keys: Vec<_> = self.paged().items.keys().cloned().collect();
        for key in &keys {
            self.remove(key, Self::GONE, cx);
        }
    }

    /// Finishes the handling of a response. `is_cut` is set if the list lost items of its windows.
    fn finish_response(&mut self, is_cut: bool, cx: &mut StoreCx) {
        self.trim(cx);
        self.refresh_others();
        let has_other_fetches = self.has_other_fetches();
        let paged = self.paged_mut();
        if !paged.pages.is_complete() && !paged.pages.has_rest() {
            paged.clamp_views(is_cut);
        }
        if paged.pages.sync.fetch.is_none() && !has_other_fetches {
            paged.pages.sync.clear_log();
        }
        cx.mark_dirty(paged.key());
    }

    fn state(&self, cx: &StoreCx) -> ListState {
        let cap = self.cap(cx);
        let paged = self.paged();
        let is_full = paged.items.len() >= cap;
        ListState {
            complete: paged.is_complete(),
            full_until: match is_full {
                true => paged.items.last_position(),
                false => None,
            },
            initial: Self::SIZES.first_window.min(cap),
            frontier: paged.pages.has_rest().then_some(paged.frontier),
        }
    }

    /// Returns the part of the list to load.
    fn demand(&self, cx: &StoreCx) -> Demand {
        let paged = self.paged();
        let state = self.state(cx);
        let mut demand = paged.items.demand(state);
        if !paged.items.views.is_empty() && paged.pages.sync.stage == Stage::Unloaded {
            // A window that has lost all of its items still has a range.
            let least = if demand.count == 0 { state.initial } else { 0 };
            demand.count = demand.count.max(least).max(Self::SIZES.first_load);
        }
        demand.count = demand.count.max(self.needed_by_stores()).min(self.cap(cx));
        demand
    }
}

impl<L: ListStore> Store for L {
    fn sync(&mut self) -> &mut SyncState {
        &mut self.paged_mut().pages.sync
    }

    fn handle_lost(&mut self, cx: &mut StoreCx) {
        self.sync().handle_lost();
        self.cancel_other_fetches(cx);
    }

    fn close(&mut self, cx: &mut StoreCx) {
        self.sync().close(cx);
        self.clear(cx);
    }

    fn is_referenced(&self) -> bool {
        self.needed_by_stores() > 0 || !self.paged().items.views.is_empty()
    }

    fn shown_by(&self) -> Option<StoreKey> {
        ListStore::shown_by(self)
    }

    fn may_miss_data(&self, cx: &StoreCx) -> bool {
        let is_loaded = self.paged().pages.sync.stage == Stage::Loaded;
        let loaded = self.paged().items.visible.len();
        !is_loaded || self.demand(cx).count > loaded || self.needs_other_fetches()
    }

    fn fetch_missing(&mut self, cx: &mut StoreCx) {
        let demand = self.demand(cx);
        if demand.count > 0 {
            let filter = self.filter();
            let filter = filter.as_ref().map(ListFilter::json);
            let paged = self.paged_mut();
            let loaded = paged.items.visible.len();
            paged.pages.fetch(demand, loaded, filter, cx);
            if paged.pages.has_rest() {
                cx.rest.get_or_insert_default().add(paged.key());
            }
        }
        if cx.ready && self.sync().stage == Stage::Loaded {
            self.fetch_others(cx);
        }
    }

    fn fetch_rest(&mut self, cx: &mut StoreCx) -> Option<FetchId> {
        if self.demand(cx).count == 0 {
            return None;
        }
        self.paged_mut().pages.fetch_rest(cx)
    }

    fn handle_response(&mut self, response: Response<'_>, cx: &mut StoreCx) {
        if self.paged().pages.has_rest() {
            // Windows may have changed since the load began.
            let until = self.demand(cx).until;
            self.paged_mut().pages.set_target(until);
        }
        let pages = &mut self.paged_mut().pages;
        let mut cut = false;
        match pages.handle_response(response, Self::time_of, cx) {
            PageOutcome::Pending => return,
            PageOutcome::Absent => return self.clear(cx),
            PageOutcome::Reset { mut items, is_cut } => {
                cut = is_cut;
                let end = self.update_page(&mut items, cx);
                if FaultInjection::DroppedRest.is_on() {
                    self.drop_rest(&items, cx);
                }
                self.reset(items, end, cx);
            }
            PageOutcome::Rest {
                mut items,
                is_last,
                is_cut,
            } => {
                cut = is_cut;
                let end = self.update_page(&mut items, cx);
                self.replace(items, end, is_last, cx);
            }
            PageOutcome::Next(mut items) => {
                let end = self.update_page(&mut items, cx);
                self.append(items, end, cx);
            }
        }
        if !self.paged().pages.has_rest() {
            self.paged_mut().set_edge();
        }
        self.replay(cx);
        self.finish_response(cut, cx);
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        if self.sync().follow_membership(event, cx) {
            return self.clear(cx);
        }
        let has_other_fetches = self.has_other_fetches();
        if self.sync().admit(event, has_other_fetches, cx) {
            self.apply(event, cx);
        }
    }

    fn handle_user_change(&mut self, user: &UserId, cx: &mut StoreCx) {
        self.refresh_user(user, cx);
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.paged().items.views.keys().copied().collect()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx) {
        let paged = self.paged_mut();
        paged.items.views.insert(viewer, Box::new(ListView::new()));
        cx.mark_dirty(paged.key());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        let view = self.paged_mut().items.views.remove(&viewer);
        view.map_or_else(Vec::new, |mut view| view.take_requests())
    }

    fn set_cached(&mut self, viewer: ViewerId, range: CachedRange) {
        if let Some(view) = self.paged_mut().items.views.get_mut(&viewer) {
            view.set_cached(range);
        }
    }

    fn load_more(
        &mut self,
        viewer: ViewerId,
        request: RequestId,
        count: Option<usize>,
    ) -> Result<(), CommandError> {
        let max = Self::SIZES.page;
        let given = count.unwrap_or(Self::SIZES.more);
        if !(1..=max).contains(&given) {
            return Err(CommandError::CountOutOfRange { given, max });
        }
        if let Some(view) = self.paged_mut().items.views.get_mut(&viewer) {
            view.load_more(request, given);
        }
        Ok(())
    }

    fn cancel_more(&mut self, viewer: ViewerId, request: RequestId) {
        if let Some(view) = self.paged_mut().items.views.get_mut(&viewer) {
            view.cancel(request);
        }
    }

    fn collect_updates(&mut self, cx: &StoreCx, updates: &mut Vec<ViewUpdate>) {
        let stage = self.paged().pages.sync.stage;
        let is_outdated = stage == Stage::Unloaded || self.is_refreshing();
        let echoes = self.echoes(cx);
        if is_outdated && echoes.is_none() {
            return;
        }
        let state = self.state(cx);
        let list = &mut self.paged_mut().items;
        for (viewer, view) in &mut list.views {
            let mut diff = match stage {
                // Only the echoes may have changed.
                _ if is_outdated => ViewDiff::default(),
                Stage::Absent => view.update_absent(),
                Stage::Loaded | Stage::Unloaded => view.update(&mut list.visible, state),
            };
            let mut settled = Vec::new();
            if let Some(echoes) = &echoes {
                (diff.update, settled) = view.add_echoes(diff.update, echoes);
            }
            updates.push(ViewUpdate {
                viewer: *viewer,
                update: diff.update.and_then(|(window, changes)| {
                    let mut update = Update::new(Self::wrap(window)?, changes);
                    update.settled = settled;
                    Some(update)
                }),
                resolved: diff.resolved,
                refusal: None,
            });
        }
    }
}
