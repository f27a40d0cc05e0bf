//! Loading a list page by page.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state::{Reconcile, Stage, SyncState, is_absence};
use crate::error::TransportError;
use crate::live::store_cx::StoreCx;
use crate::live::stores::store::Response;
use crate::wire::Page;

/// Where the next page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// Not known: only a load from the start can tell.
    Unknown,
    /// At the server's cursor.
    At(String),
    /// Nowhere: everything is loaded.
    End,
}

/// The load of one list. Until a first load is done, what is loaded so far is kept apart.
pub(crate) struct Paginator<T> {
    pub(crate) sync: SyncState,
    pub(crate) cursor: Cursor,
    /// The most items that the server gives at once.
    page: usize,
    collected: Vec<T>,
    /// How many items the load from the start is to have.
    target: usize,
}

/// What a page is asked with.
#[derive(Serialize)]
pub(crate) struct PageQuery<'a, F: Serialize + ?Sized> {
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a F>,
}

/// What comes of a page.
#[derive(Debug, PartialEq)]
pub(crate) enum PageOutcome<T> {
    /// Nothing yet.
    Pending,
    /// There is no such list.
    Absent,
    /// The list from its start.
    Reset(Vec<T>),
    /// What follows the loaded items.
    Next(Vec<T>),
}

impl<T> Paginator<T> {
    pub(crate) fn new(sync: SyncState, page: usize) -> Self {
        Self {
            sync,
            cursor: Cursor::Unknown,
            page,
            collected: Vec::new(),
            target: 0,
        }
    }

    /// Whether there is nothing behind the loaded items.
    pub(crate) fn is_complete(&self) -> bool {
        self.cursor == Cursor::End
    }

    /// Sends what is needed to have `wanted` items where there are `loaded`. `filter` goes with
    /// the first page.
    pub(crate) fn fetch<F: Serialize + ?Sized>(
        &mut self,
        wanted: usize,
        loaded: usize,
        filter: Option<&F>,
        cx: &mut StoreCx,
    ) {
        if !cx.ready || self.sync.fetch.is_some() || !self.sync.is_subscribed() {
            return;
        }
        if self.sync.stage == Stage::Loaded && wanted > loaded && self.cursor == Cursor::Unknown {
            self.sync.reload(cx);
        }
        let query = match self.sync.stage {
            Stage::Absent => return,
            Stage::Unloaded => {
                self.collected.clear();
                self.target = wanted.max(loaded).max(1);
                PageQuery {
                    limit: self.target.min(self.page),
                    cursor: None,
                    filter,
                }
            }
            Stage::Loaded => match &self.cursor {
                Cursor::At(cursor) if wanted > loaded => PageQuery {
                    limit: (wanted - loaded).min(self.page),
                    cursor: Some(cursor),
                    filter: None,
                },
                Cursor::At(_) | Cursor::End | Cursor::Unknown => return,
            },
        };
        self.sync.fetch = Some(cx.requests.load(self.sync.key(), &query));
    }

    fn take_page(&mut self, page: Page<T>, cx: &mut StoreCx) -> PageOutcome<T> {
        let cursor = page.cursor.map_or(Cursor::End, Cursor::At);
        if self.sync.stage == Stage::Loaded {
            self.cursor = cursor;
            return PageOutcome::Next(page.data);
        }
        self.collected.extend(page.data);
        if let Cursor::At(at) = &cursor
            && self.collected.len() < self.target
        {
            let query = PageQuery::<()> {
                limit: (self.target - self.collected.len()).min(self.page),
                cursor: Some(at),
                filter: None,
            };
            self.sync.fetch = Some(cx.requests.load(self.sync.key(), &query));
            return PageOutcome::Pending;
        }
        self.cursor = cursor;
        self.sync.stage = Stage::Loaded;
        PageOutcome::Reset(std::mem::take(&mut self.collected))
    }
}

impl<T: DeserializeOwned> Paginator<T> {
    /// Takes the answer to the request for a page that is awaited.
    pub(crate) fn take_answer(&mut self, answer: Response<'_>, cx: &mut StoreCx) -> PageOutcome<T> {
        self.sync.fetch = None;
        let page = answer.and_then(|body| {
            let page = body.and_then(|body| serde_json::from_str::<Page<T>>(body.get()).ok());
            page.ok_or_else(|| TransportError::Malformed.into())
        });
        let page = match page {
            Ok(page) => Some(page),
            Err(error) if is_absence(&error) => None,
            Err(error) => {
                cx.failed.push_back((self.sync.key().clone(), error));
                return PageOutcome::Pending;
            }
        };
        match (self.sync.judge(page.is_some()), page) {
            (Reconcile::Apply, Some(page)) => self.take_page(page, cx),
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
