//! Loading of lists, page by page.

use serde::Serialize;
use serde_json::value::RawValue;

use super::response::Response;
use super::state::{Reconcile, Stage, SyncState};
use crate::live::key::StoreKey;
use crate::live::store_cx::StoreCx;
use crate::wire::{Page, Salvage};

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

/// The loading of a list. A load from the start collects pages until it has finished.
pub(crate) struct Paginator<T> {
    pub(crate) sync: SyncState,
    pub(crate) cursor: Cursor,
    /// The maximum number of items in a page of the server.
    page_size: usize,
    collected: Vec<T>,
    /// The part of the list to collect.
    target: Demand,
}

#[derive(Serialize)]
struct PageQuery<'a> {
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a RawValue>,
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
        }
    }

    /// Returns `true` if the list is loaded to its end.
    pub(crate) fn is_complete(&self) -> bool {
        self.cursor == Cursor::End
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
            (Stage::Loaded, Cursor::At(cursor)) if wanted > loaded => {
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
        if self.sync.stage == Stage::Loaded {
            self.cursor = page.cursor.map_or(Cursor::End, Cursor::At);
            return PageOutcome::Next(page.data);
        }
        self.collected.extend(page.data);
        let last = self.collected.last().map(time_of);
        let is_reached = last.is_some_and(|last| last >= self.target.until);
        if let Some(cursor) = &page.cursor {
            let count = self.collected.len();
            let missing = match self.target.count.saturating_sub(count) {
                // The list has grown, and the number of items up to the sort key is unknown.
                0 if !is_reached && count < cx.limits.refetch => count,
                missing => missing,
            };
            if missing > 0 {
                self.request(missing, Some(cursor), None, cx);
                return PageOutcome::Pending;
            }
        }
        let is_cut = page.cursor.is_some() && !is_reached;
        self.cursor = page.cursor.map_or(Cursor::End, Cursor::At);
        self.sync.stage = Stage::Loaded;
        PageOutcome::Reset {
            items: std::mem::take(&mut self.collected),
            is_cut,
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
