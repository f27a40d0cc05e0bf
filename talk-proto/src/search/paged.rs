//! The pages of a search and their results.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;

use super::hits::Hits;
use super::results::{MessageHit, SearchId, SearchKind, SearchResults, SearchStatus};
use super::stream::{PageLimits, SearchStream, StreamError};
use crate::command::{Reply, RequestId};
use crate::io::Event;
use crate::live::interface::Get;
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot};
use crate::wire::path::encode_component;
use crate::wire::{replace_lone_surrogates, salvage};

/// The size of the first page of a query. It is small, so that it arrives early.
const FIRST_PAGE: usize = 3;

/// A result whose parts are being fetched. `Some(None)` means that the part is no longer visible to
/// the user.
struct Slot {
    id: u64,
    conversation: Option<Option<Arc<ConversationSnapshot>>>,
    message: Option<Option<Arc<MessageSnapshot>>>,
}

/// A page that is being loaded.
struct Page {
    request: RequestId,
    path: String,
    stream: SearchStream,
    slots: VecDeque<Slot>,
}

/// The start of the next page.
enum Next {
    /// There is no query yet.
    NoQuery,
    /// The query, encoded for a URL. No page of it is loaded.
    Query(String),
    Cursor(String),
    /// Everything is loaded.
    Nothing,
}

/// The state of one search.
pub(super) struct PagedSearch {
    kind: SearchKind,
    max_page_bytes: usize,
    /// The query, which is masked in the `Debug` output of errors.
    query: String,
    results: SearchResults,
    /// The number of results on complete pages.
    settled: usize,
    page: Option<Page>,
    next: Next,
    next_slot: u64,
    last_reported: Option<(usize, SearchStatus)>,
}

impl PagedSearch {
    /// Creates a search without a query.
    pub(super) fn new(kind: SearchKind, max_page_bytes: usize) -> Self {
        Self {
            kind,
            max_page_bytes,
            query: String::new(),
            results: no_results(kind),
            settled: 0,
            page: None,
            next: Next::NoQuery,
            next_slot: 0,
            last_reported: None,
        }
    }

    /// Returns the reply to a request for a page.
    pub(super) fn reply(&self) -> Reply {
        Reply::Searched {
            results: self.results.clone(),
            loaded_all: self.page.is_none() && matches!(self.next, Next::Nothing),
        }
    }

    fn status(&self) -> SearchStatus {
        if self.page.is_some() {
            return SearchStatus::Searching;
        }
        match self.next {
            Next::Query(_) | Next::Cursor(_) => SearchStatus::CanLoadMore,
            Next::NoQuery | Next::Nothing => SearchStatus::LoadedAll,
        }
    }

    /// Returns an event if the results or the status changed since the last one.
    pub(super) fn update(&mut self, id: SearchId) -> Option<Event> {
        let current = Some((self.results.len(), self.status()));
        let changed = std::mem::replace(&mut self.last_reported, current) != current;
        changed.then(|| Event::SearchUpdated {
            search: id,
            results: self.results.clone(),
            status: self.status(),
        })
    }

    /// Returns the text of the query.
    pub(super) fn query(&self) -> &str {
        &self.query
    }

    /// Returns the request for the page that is being loaded.
    pub(super) fn request(&self) -> Option<RequestId> {
        self.page.as_ref().map(|page| page.request)
    }

    /// Returns the path of the current page below the REST base of the app.
    pub(super) fn path(&self) -> Option<&str> {
        self.page.as_ref().map(|page| page.path.as_str())
    }

    /// Starts a query with its first page. The caller must have abandoned the previous page.
    /// `filter` is the JSON of a normalised filter.
    pub(super) fn start(&mut self, request: RequestId, text: &str, filter: &str) {
        text.clone_into(&mut self.query);
        self.results = no_results(self.kind);
        self.settled = 0;
        self.last_reported = None;
        let once = encode_component(text).to_string();
        self.next = Next::Query(format!(
            "searchString={}&conversationFilter={}",
            encode_component(&once),
            encode_component(filter),
        ));
        self.load_more(request, FIRST_PAGE);
    }

    /// Starts the next page, or repeats a failed one. Returns `false` if there is no further page,
    /// or if a page is being loaded.
    pub(super) fn load_more(&mut self, request: RequestId, limit: usize) -> bool {
        if self.page.is_some() {
            return false;
        }
        let from = match &self.next {
            Next::Query(query) => query.clone(),
            Next::Cursor(cursor) => format!("cursor={}", encode_component(cursor)),
            Next::NoQuery | Next::Nothing => return false,
        };
        // The results of the failed page that are already visible are received again.
        self.results.truncate(self.settled);
        let kind = match self.kind {
            SearchKind::Messages => "messages",
            SearchKind::Conversations => "conversations",
        };
        let limits = PageLimits {
            results: limit,
            bytes: self.max_page_bytes,
        };
        self.page = Some(Page {
            request,
            path: format!("/me/{kind}/search?{from}&limit={limit}"),
            stream: SearchStream::new(limits),
            slots: VecDeque::new(),
        });
        true
    }

    /// Drops the page that is being loaded and returns its request, which the caller must resolve.
    pub(super) fn abandon(&mut self) -> Option<RequestId> {
        self.page.take().map(|page| page.request)
    }

    /// Handles a part of the response. Returns the parts of results to fetch, by slot. Adds the
    /// number of results that were skipped or lost a member to `damaged`.
    pub(super) fn handle_data(
        &mut self,
        chunk: &[u8],
        damaged: &mut usize,
    ) -> Result<Vec<(u64, Get)>, StreamError> {
        let mut lookups = Vec::new();
        let Some(page) = &mut self.page else {
            return Ok(lookups);
        };
        let (kind, next_slot, slots) = (self.kind, &mut self.next_slot, &mut page.slots);
        page.stream.push(chunk, |line| {
            let Some((conversation, message)) = read_result(kind, line, damaged) else {
                return;
            };
            let id = *next_slot;
            *next_slot += 1;
            slots.push_back(Slot {
                id,
                conversation: None,
                message: message.is_none().then_some(None),
            });
            lookups.push((id, Get::Conversation(conversation.clone())));
            let message = message.map(|message| Get::Known(conversation, message));
            lookups.extend(message.map(|get| (id, get)));
        })?;
        Ok(lookups)
    }

    /// Handles the end of the response.
    pub(super) fn handle_end(&mut self) -> Result<(), StreamError> {
        self.page
            .as_mut()
            .map_or(Ok(()), |page| page.stream.finish())
    }

    /// Stores a part of the result in `slot`.
    pub(super) fn handle_lookup(&mut self, slot: u64, reply: Reply) {
        let page = self.page.as_mut();
        let slot = page.and_then(|page| page.slots.iter_mut().find(|s| s.id == slot));
        match (slot, reply) {
            (Some(slot), Reply::Conversation(part)) => slot.conversation = Some(part),
            (Some(slot), Reply::Message(part)) => slot.message = Some(part),
            _ => {}
        }
    }

    /// Drops the result in `slot`, a part of which is unreadable.
    pub(super) fn drop_result(&mut self, slot: u64) {
        self.handle_lookup(slot, Reply::Conversation(None));
        self.handle_lookup(slot, Reply::Message(None));
    }

    /// Makes complete results visible, in order. Returns the page's request once the page is
    /// complete.
    pub(super) fn advance(&mut self) -> Option<RequestId> {
        let page = self.page.as_mut()?;
        while let Some(slot) = page.slots.pop_front_if(|slot| slot.is_complete()) {
            slot.show(&mut self.results);
        }
        if !page.slots.is_empty() {
            return None;
        }
        let cursor = page.stream.end()?.map(str::to_owned);
        self.next = cursor.map_or(Next::Nothing, Next::Cursor);
        self.settled = self.results.len();
        self.abandon()
    }
}

impl Slot {
    fn is_complete(&self) -> bool {
        self.conversation.is_some() && self.message.is_some()
    }

    /// Adds the result, unless one of its parts is no longer visible.
    fn show(self, results: &mut SearchResults) {
        let Some(conversation) = self.conversation.flatten() else {
            return;
        };
        match results {
            SearchResults::Messages(hits) => {
                if let Some(message) = self.message.flatten() {
                    hits.push(Arc::new(MessageHit {
                        conversation,
                        message,
                    }));
                }
            }
            SearchResults::Conversations(hits) => hits.push(conversation),
        }
    }
}

fn no_results(kind: SearchKind) -> SearchResults {
    match kind {
        SearchKind::Messages => SearchResults::Messages(Hits::new()),
        SearchKind::Conversations => SearchResults::Conversations(Hits::new()),
    }
}

/// Reads the conversation of a result, and its message in a search for messages. Skips an
/// unreadable result, and unreadable members of a message.
fn read_result(
    kind: SearchKind,
    line: &[u8],
    damaged: &mut usize,
) -> Option<(ConversationId, Option<Arc<MessageSnapshot>>)> {
    #[derive(Deserialize)]
    struct Conversation {
        id: ConversationId,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct MessageOf {
        conversation_id: ConversationId,
    }

    let line = String::from_utf8_lossy(line);
    let line = replace_lone_surrogates(&line);
    let conversation = match kind {
        SearchKind::Messages => serde_json::from_str(&line).map(|it: MessageOf| it.conversation_id),
        SearchKind::Conversations => serde_json::from_str(&line).map(|it: Conversation| it.id),
    };
    let Ok(conversation) = conversation else {
        *damaged += 1;
        return None;
    };
    let message = match kind {
        SearchKind::Messages => Some(Arc::new(salvage(&line, damaged)?)),
        SearchKind::Conversations => None,
    };
    Some((conversation, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_page_ignores_late_input() {
        let mut search = PagedSearch::new(SearchKind::Conversations, 1 << 20);
        let request = RequestId(1);
        search.start(request, "text", "{}");
        let first = search.handle_data(b"{\"data\":[\n{\"id\":\"c1\"}\n", &mut 0);
        assert_eq!(first.as_ref().map(Vec::len), Ok(1));
        assert_eq!(search.abandon(), Some(request));
        let late = search.handle_data(b",{\"id\":\"c2\"}\n", &mut 0);
        assert_eq!(late.as_ref().map(Vec::len), Ok(0));
        // For an abandoned page the truncated response is not an error.
        assert_eq!(search.handle_end(), Ok(()));
        search.handle_lookup(0, Reply::Conversation(None));
        assert_eq!(search.advance(), None);
        assert_eq!(search.results.len(), 0);
        assert_eq!(search.status(), SearchStatus::CanLoadMore);
    }
}
