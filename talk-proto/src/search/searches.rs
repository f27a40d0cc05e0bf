//! The searches of a session.

use std::collections::{BTreeMap, VecDeque};

use super::paged::PagedSearch;
use super::results::{SearchId, SearchKind};
use super::stream::StreamError;
use crate::collections::ReleaseMemory;
use crate::command::{Reply, RequestId};
use crate::error::{CommandError, RequestError, TransportError};
use crate::filter::ConversationFilter;
use crate::http::request::HttpResponse;
use crate::io::{Event, HttpBody, ProtocolWarning};
use crate::live::interface::Get;

/// The default size of a page.
const NEXT_PAGE: usize = 10;
/// The maximum size of a page.
const MAX_PAGE: usize = 50;

/// An action for the session.
pub(crate) enum SearchOutput {
    Event(Event),
    /// Queue the HTTP request for the page of a search.
    Send(SearchId),
    /// Cancel the HTTP request for the page, if it is pending.
    Cancel(SearchId),
    /// Fetch a part of a result and pass it to [`Searches::handle_lookup`].
    LookUp(SearchId, u64, Get),
    /// Cancel the fetches of a search.
    CancelLookUps(SearchId),
}

/// The searches of a session.
#[derive(Default)]
pub(crate) struct Searches {
    open: BTreeMap<SearchId, PagedSearch>,
    outputs: VecDeque<SearchOutput>,
}

impl Searches {
    /// Returns the number of searches that have not ended.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Returns the number of pages that are being loaded.
    pub(crate) fn pending(&self) -> usize {
        let requests = self.open.values().map(PagedSearch::request);
        requests.flatten().count()
    }

    /// Starts a search without a query.
    pub(crate) fn start(&mut self, id: SearchId, kind: SearchKind, max_page_bytes: usize) {
        self.open.insert(id, PagedSearch::new(kind, max_page_bytes));
    }

    /// Starts a query. The request of the previous query is resolved with the results so far.
    pub(crate) fn set_query(
        &mut self,
        id: SearchId,
        request: RequestId,
        text: &str,
        filter: &ConversationFilter,
    ) -> Result<(), CommandError> {
        self.supersede(id)?;
        let filter = serde_json::to_string(&filter.normalized()).unwrap_or_default();
        if let Some(search) = self.open.get_mut(&id) {
            search.start(request, text, &filter);
            self.outputs.push_back(SearchOutput::Send(id));
        }
        self.report(id);
        Ok(())
    }

    /// Loads the next page. The request is resolved at once if there is no page to load.
    pub(crate) fn load_more(
        &mut self,
        id: SearchId,
        request: RequestId,
        limit: Option<usize>,
    ) -> Result<(), CommandError> {
        let limit = limit.unwrap_or(NEXT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(CommandError::CountOutOfRange {
                given: limit,
                max: MAX_PAGE,
            });
        }
        let search = self.open.get_mut(&id).ok_or(CommandError::Unknown)?;
        if search.load_more(request, limit) {
            self.outputs.push_back(SearchOutput::Send(id));
            self.report(id);
        } else {
            let reply = search.reply();
            self.resolve(request, Ok(reply));
        }
        Ok(())
    }

    /// Ends a search. The request of its page is resolved with the results so far.
    pub(crate) fn end(&mut self, id: SearchId) -> Result<(), CommandError> {
        self.supersede(id)?;
        self.open.remove(&id);
        Ok(())
    }

    /// Ends every search with an error.
    pub(crate) fn end_all(&mut self, error: &RequestError) {
        for id in self.open.keys().copied().collect::<Vec<_>>() {
            if let Some(request) = self.abandon(id) {
                self.resolve(request, Err(error.clone()));
            }
        }
        self.open.clear();
    }

    /// Cancels the page of `request` without resolving it. Returns its search, if there is one.
    pub(crate) fn cancel(&mut self, request: RequestId) -> Option<SearchId> {
        let mut open = self.open.iter();
        let (&id, _) = open.find(|(_, search)| search.request() == Some(request))?;
        self.abandon(id);
        self.report(id);
        Some(id)
    }

    /// Fails the page of a search.
    pub(crate) fn fail(&mut self, id: SearchId, error: RequestError) {
        if let Some(request) = self.abandon(id) {
            self.report(id);
            self.resolve(request, Err(error));
        }
    }

    /// Builds the HTTP request for a page. `base` is the REST base of the app.
    pub(crate) fn page_request(
        &self,
        id: SearchId,
        base: &str,
    ) -> Option<http::Result<http::Request<HttpBody>>> {
        let path = self.open.get(&id)?.path()?;
        Some(http::Request::get(format!("{base}{path}")).body(HttpBody::Empty))
    }

    /// Handles a part of a successful response.
    pub(crate) fn handle_data(&mut self, id: SearchId, chunk: &[u8]) {
        let Some(search) = self.open.get_mut(&id) else {
            return;
        };
        let mut damaged = 0;
        let lookups = search.handle_data(chunk, &mut damaged);
        if damaged > 0 {
            let warning = Event::Warning(ProtocolWarning::Items { count: damaged });
            self.outputs.push_back(SearchOutput::Event(warning));
        }
        match lookups {
            Ok(lookups) => {
                let lookups = lookups.into_iter();
                let lookups = lookups.map(|(slot, get)| SearchOutput::LookUp(id, slot, get));
                self.outputs.extend(lookups);
                self.advance(id);
            }
            Err(error) => self.fail(id, transport_error(&error).into()),
        }
    }

    /// Handles the end of a response.
    pub(crate) fn handle_response(&mut self, id: SearchId, response: &HttpResponse) {
        let error = match (response.complete(), self.open.get_mut(&id)) {
            (_, None) => return,
            (Err(error), _) => error.into(),
            (Ok(200), Some(search)) => match search.handle_end() {
                Ok(()) => return self.advance(id),
                Err(error) => transport_error(&error).into(),
            },
            (Ok(status), Some(search)) => {
                let mut refused = response.refusal(status);
                refused.mask_text(search.query());
                refused.into()
            }
        };
        self.fail(id, error);
    }

    /// Handles the result of a fetch. An unreadable part drops its result, any other error fails
    /// the page.
    pub(crate) fn handle_lookup(
        &mut self,
        id: SearchId,
        slot: u64,
        result: Result<Reply, RequestError>,
    ) {
        match (result, self.open.get_mut(&id)) {
            (Ok(reply), Some(search)) => {
                search.handle_lookup(slot, reply);
                self.advance(id);
            }
            (Err(RequestError::Transport(TransportError::Malformed)), Some(search)) => {
                search.drop_result(slot);
                self.advance(id);
            }
            (Err(error), _) => self.fail(id, error),
            (Ok(_), None) => {}
        }
    }

    /// Returns the next output.
    pub(crate) fn poll_output(&mut self) -> Option<SearchOutput> {
        self.outputs.pop_front()
    }

    /// Releases the memory of empty collections.
    pub(crate) fn release_memory(&mut self) {
        self.open.release_memory();
        self.outputs.release_memory();
    }

    fn supersede(&mut self, id: SearchId) -> Result<(), CommandError> {
        let request = self.abandon(id);
        let search = self.open.get(&id).ok_or(CommandError::Unknown)?;
        if let Some(request) = request {
            let reply = search.reply();
            self.resolve(request, Ok(reply));
        }
        Ok(())
    }

    /// Drops the page that is being loaded and returns its unresolved request.
    fn abandon(&mut self, id: SearchId) -> Option<RequestId> {
        let request = self.open.get_mut(&id)?.abandon()?;
        self.outputs.push_back(SearchOutput::Cancel(id));
        self.outputs.push_back(SearchOutput::CancelLookUps(id));
        Some(request)
    }

    /// Makes complete results visible, and resolves the request once the page is complete.
    fn advance(&mut self, id: SearchId) {
        let Some(search) = self.open.get_mut(&id) else {
            return;
        };
        let done = search.advance().map(|request| (request, search.reply()));
        if done.is_some() {
            // Data after the last line is not needed.
            self.outputs.push_back(SearchOutput::Cancel(id));
        }
        self.report(id);
        if let Some((request, reply)) = done {
            self.resolve(request, Ok(reply));
        }
    }

    /// Emits an event if the results or the status changed.
    fn report(&mut self, id: SearchId) {
        let search = self.open.get_mut(&id);
        let event = search.and_then(|search| search.update(id));
        self.outputs.extend(event.map(SearchOutput::Event));
    }

    fn resolve(&mut self, request: RequestId, result: Result<Reply, RequestError>) {
        let event = Event::Resolved { request, result };
        self.outputs.push_back(SearchOutput::Event(event));
    }
}

fn transport_error(error: &StreamError) -> TransportError {
    match error {
        StreamError::TooLarge => TransportError::ResponseTooLarge,
        StreamError::Cut => TransportError::Http("the response ended too early".to_owned()),
    }
}
