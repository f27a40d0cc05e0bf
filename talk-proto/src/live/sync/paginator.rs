//! Loading of lists, page by page.
//!
//! A load from the start collects the first items and shows them together. If the list had more
//! items, these stay as they are, and the rest is loaded page by page at low priority.

use serde_json::value::RawValue;

use super::requests::PageQuery;
use super::response::Response;
use super::state::{Reconcile, Stage, SyncState};
use crate::live::interface::FetchId;
use crate::live::key::StoreKey;
use crate::live::store_cx::StoreCx;
use crate::wire::{Page, Salvage};

/// The number of items that a load collects before they are shown. The rest follows at low
/// priority.
const FIRST_ITEMS: usize = 300;

/// The start of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// Unknown until the list is loaded from its start again.
    Unknown,
    /// The server's cursor.
    At(String),
    /// The list is loaded to its end.
    End,
}

/// The part of a list to load, from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    pub(crate) count: usize,
    /// The sort key up to which to load, even if that takes more than `count` items.
    pub(crate) until: i64,
}

impl Demand {
    pub(crate) const NONE: Self = Self {
        count: 0,
        until: i64::MIN,
    };

    /// Returns the larger part.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            count: self.count.max(other.count),
            until: self.until.max(other.until),
        }
    }
}

/// The loading of a list. A load from the start collects pages up to [`FIRST_ITEMS`] items.
pub(crate) struct Paginator<T> {
    pub(crate) sync: SyncState,
    pub(crate) cursor: Cursor,
    /// The maximum number of items in a page of the server.
    page_size: usize,
    collected: Vec<T>,
    /// The part of the list to load from the start.
    target: Demand,
    /// The number of items that the load has received so far, if it has a rest.
    rest: Option<usize>,
}

/// The effect of a page.
#[derive(Debug, PartialEq)]
pub(crate) enum PageOutcome<T> {
    /// More pages are needed, or the load failed.
    Pending,
    /// The list does not exist.
    Absent,
    /// Items from the start of the list. `is_cut` is set if they do not reach the demanded sort
    /// key.
    Reset { items: Vec<T>, is_cut: bool },
    /// A page of the rest. `is_last` is set if no more pages are needed, and `is_cut` if they do
    /// not reach the demanded sort key.
    Rest {
        items: Vec<T>,
        is_last: bool,
        is_cut: bool,
    },
    /// The items that follow the loaded ones.
    Next(Vec<T>),
}

impl<T> Paginator<T> {
    pub(crate) fn new(key: StoreKey, page_size: usize) -> Self {
        Self {
            sync: SyncState::new(key),
            cursor: Cursor::Unknown,
            page_size,
            collected: Vec::new(),
            target: Demand::NONE,
            rest: None,
        }
    }

    /// Returns `true` if the list is loaded to its end.
    pub(crate) fn is_complete(&self) -> bool {
        self.cursor == Cursor::End
    }

    /// Returns `true` if no page is collected and no rest follows.
    pub(crate) fn is_settled(&self) -> bool {
        self.collected.is_empty() && self.rest.is_none()
    }

    /// Returns `true` while the items behind the first ones are outdated.
    pub(crate) fn has_rest(&self) -> bool {
        self.sync.stage == Stage::Loaded && self.rest.is_some()
    }

    /// Ends the load of the rest.
    pub(crate) fn end_rest(&mut self) {
        self.rest = None;
    }

    /// Sets the sort key up to which the rest is loaded.
    pub(crate) fn set_target(&mut self, until: i64) {
        self.target.until = until;
    }

    /// Requests the next page of the rest, unless a response is pending.
    pub(crate) fn fetch_rest(&mut self, cx: &mut StoreCx) -> Option<FetchId> {
        let is_idle = cx.ready && self.sync.fetch.is_none() && self.sync.is_subscribed();
        let (Some(read), Cursor::At(cursor)) = (self.rest, &self.cursor) else {
            return None;
        };
        if !is_idle || !self.has_rest() {
            return None;
        }
        let cursor = cursor.clone();
        let count = match self.target.count.saturating_sub(read) {
            0 => self.page_size,
            missing => missing,
        };
        self.request(count, Some(&cursor), None, cx);
        self.sync.fetch
    }

    /// Requests the next page if fewer items are `loaded` than demanded. The filter is sent with
    /// the first page only.
    pub(crate) fn fetch(
        &mut self,
        demand: Demand,
        loaded: usize,
        filter: Option<&RawValue>,
        cx: &mut StoreCx,
    ) {
        if !cx.ready || self.sync.fetch.is_some() || !self.sync.is_subscribed() {
            return;
        }
        let wanted = demand.count;
        if self.sync.stage == Stage::Loaded && wanted > loaded && self.cursor == Cursor::Unknown {
            self.sync.reload(cx);
        }
        match (self.sync.stage, &self.cursor) {
            (Stage::Unloaded, _) => {
                self.collected.clear();
                let count = wanted.max(loaded).min(cx.limits.refetch).max(1);
                self.target = Demand { count, ..demand };
                self.request(count, None, filter, cx);
            }
            (Stage::Loaded, Cursor::At(cursor)) if wanted > loaded && self.rest.is_none() => {
                let cursor = cursor.clone();
                self.request(wanted - loaded, Some(&cursor), None, cx);
            }
            _ => {}
        }
    }

    fn request(
        &mut self,
        count: usize,
        cursor: Option<&str>,
        filter: Option<&RawValue>,
        cx: &mut StoreCx,
    ) {
        let query = PageQuery {
            limit: count.min(self.page_size),
            cursor,
            filter,
        };
        self.sync.load_with(&query, cx);
    }

    fn handle_page(
        &mut self,
        page: Page<T>,
        time_of: fn(&T) -> i64,
        cx: &mut StoreCx,
    ) -> PageOutcome<T> {
        let cursor = page.cursor.map_or(Cursor::End, Cursor::At);
        let before = self.rest.filter(|_| self.has_rest());
        if self.sync.stage == Stage::Loaded && before.is_none() {
            self.cursor = cursor;
            return PageOutcome::Next(page.data);
        }
        self.collected.extend(page.data);
        let read = before.unwrap_or(0) + self.collected.len();
        let last = self.collected.last().map(time_of);
        let is_reached = last.is_some_and(|last| last >= self.target.until);
        let missing = match self.target.count.saturating_sub(read) {
            _ if cursor == Cursor::End => 0,
            // The list has grown, and the number of items up to the sort key is unknown.
            0 if !is_reached && read < cx.limits.refetch => read,
            missing => missing,
        };
        if let Cursor::At(cursor) = &cursor
            && missing > 0
            && read < FIRST_ITEMS
        {
            self.request(missing.min(FIRST_ITEMS - read), Some(cursor), None, cx);
            return PageOutcome::Pending;
        }
        let is_last = missing == 0;
        let is_cut = is_last && cursor != Cursor::End && !is_reached;
        self.cursor = cursor;
        self.sync.stage = Stage::Loaded;
        self.rest = (!is_last).then_some(read);
        let items = std::mem::take(&mut self.collected);
        match before {
            None => PageOutcome::Reset { items, is_cut },
            Some(_) => PageOutcome::Rest {
                items,
                is_last,
                is_cut,
            },
        }
    }
}

impl<T: Salvage> Paginator<T> {
    /// Handles the response to the pending page request.
    pub(crate) fn handle_response(
        &mut self,
        response: Response<'_>,
        time_of: fn(&T) -> i64,
        cx: &mut StoreCx,
    ) -> PageOutcome<T> {
        let Some(page) = self.sync.decode::<Page<T>>(response, cx) else {
            return PageOutcome::Pending;
        };
        let page = match (page, self.sync.key()) {
            (Ok(page), _) => Some(page),
            // A user that does not exist yet has no conversations.
            (Err(_), StoreKey::Conversations(_)) => Some(Page {
                data: Vec::new(),
                cursor: None,
            }),
            (Err(_), _) => None,
        };
        match (self.sync.reconcile(page.is_some()), page) {
            (Reconcile::Apply, Some(page)) => self.handle_page(page, time_of, cx),
            (Reconcile::Refetch, _) => {
                self.sync.reload(cx);
                PageOutcome::Pending
            }
            (Reconcile::Apply | Reconcile::Absent, _) => {
                self.sync.set_absent(cx);
                PageOutcome::Absent
            }
        }
    }
}
