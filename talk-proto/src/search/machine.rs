//! One search: its pages, one after the other, and what they found.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;

use super::stream::{Line, SearchStream, StreamError};
use super::{MessageHit, SearchKind, SearchResults, SearchStatus};
use crate::command::RequestId;
use crate::model::{ConversationId, ConversationSnapshot, Message, MessageSnapshot};
use crate::wire::path::encode_component;

/// The first page of a query is this long, so that it comes soon.
const FIRST_PAGE: usize = 3;
/// Later pages are, unless asked otherwise.
pub(crate) const NEXT_PAGE: usize = 10;
/// The longest page.
pub(crate) const MAX_PAGE: usize = 50;

/// A page to ask for: the path below the REST base of the app, with its query.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageRequest(pub(crate) String);

/// A result as the server tells it; what it holds is looked up before it shows.
#[derive(Debug)]
pub(crate) enum Found {
    Conversation(ConversationId),
    Message(ConversationId, Arc<Message>),
}

/// A result whose parts are being looked up. `Some(None)` = it cannot be seen any more.
struct Slot {
    id: u64,
    conversation: Option<Option<Arc<ConversationSnapshot>>>,
    message: Option<Option<Arc<MessageSnapshot>>>,
}

/// What a search has to tell.
#[derive(Debug)]
pub(crate) enum Progress {
    /// There are results to show.
    Shown,
    /// The page is complete: the request is done.
    Done(RequestId),
}

/// A page under way.
struct Page {
    request: RequestId,
    stream: SearchStream,
    slots: VecDeque<Slot>,
    /// The cursor that ended the stream.
    end: Option<Option<String>>,
}

/// What the next page is asked for with.
enum Next {
    /// There is no query yet.
    NoQuery,
    /// This text and filter, both ready for the URL: nothing of it is loaded.
    Query(String),
    /// This cursor.
    Cursor(String),
    /// Everything is loaded.
    Nothing,
}

/// The state of one search.
pub(crate) struct Machine {
    kind: SearchKind,
    line_limit: usize,
    results: SearchResults,
    /// How many results are of pages that are complete.
    settled: usize,
    page: Option<Page>,
    next: Next,
    next_slot: u64,
}

impl Machine {
    /// A search that was not asked for anything yet.
    pub(crate) fn new(kind: SearchKind, line_limit: usize) -> Self {
        Self {
            kind,
            line_limit,
            results: no_results(kind),
            settled: 0,
            page: None,
            next: Next::NoQuery,
            next_slot: 0,
        }
    }

    pub(crate) fn results(&self) -> &SearchResults {
        &self.results
    }

    pub(crate) fn status(&self) -> SearchStatus {
        if self.page.is_some() {
            return SearchStatus::Searching;
        }
        match self.next {
            Next::Query(_) | Next::Cursor(_) => SearchStatus::CanLoadMore,
            Next::NoQuery | Next::Nothing => SearchStatus::LoadedAll,
        }
    }

    /// Whether a query has found everything.
    pub(crate) fn loaded_all(&self) -> bool {
        self.page.is_none() && matches!(self.next, Next::Nothing)
    }

    /// The request of the page under way.
    pub(crate) fn request(&self) -> Option<RequestId> {
        self.page.as_ref().map(|page| page.request)
    }

    /// Begins anew with the first page of a query. `filter` is the JSON of its normal form. What
    /// is under way must be cancelled before.
    pub(crate) fn start(&mut self, request: RequestId, text: &str, filter: &str) -> PageRequest {
        self.results = no_results(self.kind);
        self.settled = 0;
        let once = encode_component(text).to_string();
        let query = format!(
            "searchString={}&conversationFilter={}",
            encode_component(&once),
            encode_component(filter),
        );
        self.next = Next::Query(query.clone());
        self.open_page(request, &query, FIRST_PAGE)
    }

    /// Asks for the next page, or again for one that failed; `None` when there is none, or one is
    /// under way.
    pub(crate) fn load_more(&mut self, request: RequestId, limit: usize) -> Option<PageRequest> {
        if self.page.is_some() {
            return None;
        }
        let from = match &self.next {
            Next::Query(query) => query.clone(),
            Next::Cursor(cursor) => format!("cursor={}", encode_component(cursor)),
            Next::NoQuery | Next::Nothing => return None,
        };
        Some(self.open_page(request, &from, limit))
    }

    fn open_page(&mut self, request: RequestId, from: &str, limit: usize) -> PageRequest {
        // What a failed page has shown comes again.
        self.results.truncate(self.settled);
        self.page = Some(Page {
            request,
            stream: SearchStream::new(self.line_limit),
            slots: VecDeque::new(),
            end: None,
        });
        let kind = match self.kind {
            SearchKind::Messages => "messages",
            SearchKind::Conversations => "conversations",
        };
        PageRequest(format!("/me/{kind}/search?{from}&limit={limit}"))
    }

    /// Gives the page up; its request is to be resolved by the caller.
    pub(crate) fn abandon(&mut self) -> Option<RequestId> {
        self.page.take().map(|page| page.request)
    }

    /// Takes a piece of the answer. What it found is to be looked up under the given numbers.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<Vec<(u64, Found)>, StreamError> {
        let Some(page) = &mut self.page else {
            return Ok(Vec::new());
        };
        let lines = match self.kind {
            SearchKind::Messages => lines_of::<MessageLine>(&mut page.stream, chunk)?,
            SearchKind::Conversations => lines_of::<ConversationLine>(&mut page.stream, chunk)?,
        };
        Ok(page.take(lines, &mut self.next_slot))
    }

    /// The answer is complete.
    pub(crate) fn finish(&mut self) -> Result<(), StreamError> {
        let Some(page) = &mut self.page else {
            return Ok(());
        };
        let last = page.stream.finish::<serde_json::Value>()?;
        if let Some(Line::End { cursor }) = last {
            page.end = Some(cursor);
        }
        Ok(())
    }

    /// The conversation of a result was looked up.
    pub(crate) fn set_conversation(
        &mut self,
        slot: u64,
        conversation: Option<Arc<ConversationSnapshot>>,
    ) {
        if let Some(slot) = self.slot(slot) {
            slot.conversation = Some(conversation);
        }
    }

    /// The message of a result was looked up.
    pub(crate) fn set_message(&mut self, slot: u64, message: Option<Arc<MessageSnapshot>>) {
        if let Some(slot) = self.slot(slot) {
            slot.message = Some(message);
        }
    }

    fn slot(&mut self, id: u64) -> Option<&mut Slot> {
        self.page
            .as_mut()?
            .slots
            .iter_mut()
            .find(|slot| slot.id == id)
    }

    /// What there is to tell now: results whose parts are there, in order, then the end.
    pub(crate) fn progress(&mut self) -> Vec<Progress> {
        let mut progress = Vec::new();
        let Some(page) = &mut self.page else {
            return progress;
        };
        let before = self.results.len();
        while let Some(slot) = page.slots.pop_front_if(|slot| slot.is_complete()) {
            slot.show(&mut self.results);
        }
        if self.results.len() > before {
            progress.push(Progress::Shown);
        }
        if page.slots.is_empty()
            && let Some(cursor) = page.end.take()
        {
            progress.push(Progress::Done(page.request));
            self.next = cursor.map_or(Next::Nothing, Next::Cursor);
            self.settled = self.results.len();
            self.page = None;
        }
        progress
    }
}

impl Page {
    /// Takes lines of the answer; what they found, under new numbers.
    fn take(&mut self, lines: Vec<Line<Found>>, next_slot: &mut u64) -> Vec<(u64, Found)> {
        let mut found = Vec::new();
        for line in lines {
            match line {
                Line::End { cursor } => self.end = Some(cursor),
                Line::Result(result) => {
                    let id = *next_slot;
                    *next_slot += 1;
                    let message = matches!(result, Found::Conversation(_)).then_some(None);
                    self.slots.push_back(Slot {
                        id,
                        conversation: None,
                        message,
                    });
                    found.push((id, result));
                }
            }
        }
        found
    }
}

impl Slot {
    fn is_complete(&self) -> bool {
        self.conversation.is_some() && self.message.is_some()
    }

    /// A result that cannot be seen any more is left out.
    fn show(self, results: &mut SearchResults) {
        let Some(conversation) = self.conversation.flatten() else {
            return;
        };
        match results {
            SearchResults::Messages(found) => {
                let message = self.message.flatten();
                found.extend(message.map(|message| {
                    Arc::new(MessageHit {
                        conversation,
                        message,
                    })
                }));
            }
            SearchResults::Conversations(found) => found.push(conversation),
        }
    }
}

fn no_results(kind: SearchKind) -> SearchResults {
    match kind {
        SearchKind::Messages => SearchResults::Messages(Vec::new()),
        SearchKind::Conversations => SearchResults::Conversations(Vec::new()),
    }
}

#[derive(Deserialize)]
struct ConversationLine {
    id: ConversationId,
}

#[derive(Deserialize)]
struct MessageLine {
    #[serde(rename = "conversationId")]
    conversation: ConversationId,
    #[serde(flatten)]
    message: Message,
}

impl From<ConversationLine> for Found {
    fn from(line: ConversationLine) -> Self {
        Self::Conversation(line.id)
    }
}

impl From<MessageLine> for Found {
    fn from(line: MessageLine) -> Self {
        Self::Message(line.conversation, Arc::new(line.message))
    }
}

fn lines_of<T: serde::de::DeserializeOwned + Into<Found>>(
    stream: &mut SearchStream,
    chunk: &[u8],
) -> Result<Vec<Line<Found>>, StreamError> {
    let lines = stream.push::<T>(chunk)?;
    Ok(lines
        .into_iter()
        .map(|line| match line {
            Line::Result(result) => Line::Result(result.into()),
            Line::End { cursor } => Line::End { cursor },
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_given_up_takes_nothing_more() {
        let mut machine = Machine::new(SearchKind::Conversations, 1 << 20);
        let request = RequestId(1);
        machine.start(request, "text", "{}");
        let first = machine.push(b"{\"data\":[\n{\"id\":\"c1\"}\n").unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!(machine.abandon(), Some(request));
        assert!(machine.push(b",{\"id\":\"c2\"}\n").unwrap().is_empty());
        // What is cut is no error any more.
        assert_eq!(machine.finish(), Ok(()));
        machine.set_conversation(first[0].0, None);
        assert!(machine.progress().is_empty());
        assert_eq!(machine.results().len(), 0);
        assert_eq!(machine.status(), SearchStatus::CanLoadMore);
    }
}
