//! Loads a list page by page.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::response::Response;
use super::state::{Reconcile, Stage, SyncState};
use crate::live::key::StoreKey;
use crate::live::store_cx::StoreCx;
use crate::wire::Page;

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

/// The load of one list. The pages of a first load are collected until it has finished.
pub(crate) struct Paginator<T> {
    pub(crate) sync: SyncState,
    pub(crate) cursor: Cursor,
    /// The most items that the server returns in one page.
    page_size: usize,
    collected: Vec<T>,
    /// The number of items to collect.
    target: usize,
}

#[derive(Serialize)]
struct PageQuery<'a> {
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a RawValue>,
}

/// The outcome of a page.
#[derive(Debug, PartialEq)]
pub(crate) enum PageOutcome<T> {
    /// More pages are needed, or the load failed.
    Pending,
    /// The list does not exist.
    Absent,
    /// The items from the start of the list.
    Reset(Vec<T>),
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
            target: 0,
        }
    }

    /// Returns `true` if the list is loaded to its end.
    pub(crate) fn is_complete(&self) -> bool {
        self.cursor == Cursor::End
    }

    /// Requests the next page if fewer items are `loaded` than `wanted`. The filter is sent with
    /// the first page only.
    pub(crate) fn fetch(
        &mut self,
        wanted: usize,
        loaded: usize,
        filter: Option<&RawValue>,
        cx: &mut StoreCx,
    ) {
        if !cx.ready || self.sync.fetch.is_some() || !self.sync.is_subscribed() {
            return;
        }
        if self.sync.stage == Stage::Loaded && wanted > loaded && self.cursor == Cursor::Unknown {
            self.sync.reload(cx);
        }
        match (self.sync.stage, &self.cursor) {
            (Stage::Unloaded, _) => {
                self.collected.clear();
                self.target = wanted.max(loaded).max(1);
                self.request(self.target, None, filter, cx);
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

    fn handle_page(&mut self, page: Page<T>, cx: &mut StoreCx) -> PageOutcome<T> {
        if self.sync.stage == Stage::Loaded {
            self.cursor = page.cursor.map_or(Cursor::End, Cursor::At);
            return PageOutcome::Next(page.data);
        }
        self.collected.extend(page.data);
        if let Some(cursor) = &page.cursor
            && self.collected.len() < self.target
        {
            self.request(self.target - self.collected.len(), Some(cursor), None, cx);
            return PageOutcome::Pending;
        }
        self.cursor = page.cursor.map_or(Cursor::End, Cursor::At);
        self.sync.stage = Stage::Loaded;
        PageOutcome::Reset(std::mem::take(&mut self.collected))
    }
}

impl<T: DeserializeOwned> Paginator<T> {
    /// Handles the response to the pending page request.
    pub(crate) fn handle_response(
        &mut self,
        response: Response<'_>,
        cx: &mut StoreCx,
    ) -> PageOutcome<T> {
        let Some(page) = self.sync.decode::<Page<T>>(response, cx) else {
            return PageOutcome::Pending;
        };
        let page = match (page, self.sync.key()) {
            (Ok(page), _) => Some(page),
            // A user that does not exist yet is in no conversation.
            (Err(_), StoreKey::Conversations(_)) => Some(Page {
                data: Vec::new(),
                cursor: None,
            }),
            (Err(_), _) => None,
        };
        match (self.sync.reconcile(page.is_some()), page) {
            (Reconcile::Apply, Some(page)) => self.handle_page(page, cx),
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
