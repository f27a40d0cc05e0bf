//! Searches over HTTP, with the session's token.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::Session;
use super::authorized::{Exchange, Sending};
use crate::command::{Reply, RequestId};
use crate::error::{CommandError, RequestError, TransportError};
use crate::filter::ConversationFilter;
use crate::io::{Event, HttpBody, HttpFailure, HttpId, Output};
use crate::live::interface::Get;
use crate::search::{
    Found, MAX_PAGE, Machine, NEXT_PAGE, Progress, SearchId, SearchKind, SearchStatus,
};
use crate::timestamp::Timestamp;

/// A search of which nothing is heard for this long has failed. The service may take up to that.
const HEAR_WITHIN: Duration = Duration::from_secs(60);

/// The searches of a session.
#[derive(Default)]
pub(super) struct Searches {
    open: BTreeMap<SearchId, Search>,
}

struct Search {
    machine: Machine,
    /// The request of the page under way.
    exchange: Option<Exchange>,
    told: Option<(usize, SearchStatus)>,
}

impl Searches {
    /// Whether a search waits for a token.
    pub(super) fn want_token(&self) -> bool {
        self.exchanges().any(|exchange| exchange.http.is_none())
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn pending(&self) -> usize {
        self.open
            .values()
            .filter(|search| search.machine.request().is_some())
            .count()
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let sent = self.exchanges().filter(|exchange| exchange.http.is_some());
        sent.map(|exchange| exchange.heard + HEAR_WITHIN).min()
    }

    fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.open
            .values()
            .filter_map(|search| search.exchange.as_ref())
    }

    /// The page under way of a search.
    fn exchange(&mut self, id: SearchId) -> Option<&mut Exchange> {
        self.open.get_mut(&id)?.exchange.as_mut()
    }

    /// The search whose page `http` brings.
    fn by_http(&mut self, http: HttpId) -> Option<(SearchId, &mut Machine, &mut Exchange)> {
        self.open.iter_mut().find_map(|(id, search)| {
            let exchange = search.exchange.as_mut().filter(|e| e.http == Some(http))?;
            Some((*id, &mut search.machine, exchange))
        })
    }

    /// The same, when the exchange is over.
    fn take_by_http(&mut self, http: HttpId) -> Option<(SearchId, &mut Machine, Exchange)> {
        self.open.iter_mut().find_map(|(id, search)| {
            let exchange = search.exchange.take_if(|e| e.http == Some(http))?;
            Some((*id, &mut search.machine, exchange))
        })
    }
}

impl Search {
    /// What resolves a request for a page.
    fn reply(&self) -> Reply {
        Reply::Searched {
            results: self.machine.results().clone(),
            loaded_all: self.machine.loaded_all(),
        }
    }

    /// How the search stands, unless that was told.
    fn news(&mut self, id: SearchId) -> Option<Event> {
        let results = self.machine.results();
        let status = self.machine.status();
        let now = Some((results.len(), status));
        (std::mem::replace(&mut self.told, now) != now).then(|| Event::SearchUpdated {
            search: id,
            results: results.clone(),
            status,
        })
    }
}

impl Session {
    /// Begins a search. Nothing is asked for before [`set_query`](Self::set_query).
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::SearchKind;
    ///
    /// let search = session.start_search(now, SearchKind::Messages)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManySubscriptions`]: a search counts as one.
    pub fn start_search(
        &mut self,
        now: Timestamp,
        kind: SearchKind,
    ) -> Result<SearchId, CommandError> {
        self.accept_subscription(now)?;
        let id = SearchId(self.take_id());
        let machine = Machine::new(kind, self.options.limits.frame_size);
        self.searches.open.insert(
            id,
            Search {
                machine,
                exchange: None,
                told: None,
            },
        );
        Ok(id)
    }

    /// Searches for `text`: every word must begin a word of what is found. Results come as
    /// [`Event::SearchUpdated`]; the first page resolves the request with [`Reply::Searched`].
    ///
    /// What the search was doing is cancelled; its request is resolved with what it had found.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::SearchKind;
    ///
    /// let search = session.start_search(now, SearchKind::Messages)?;
    /// let request = session.set_query(now, search, "holidays", &Default::default())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`], [`CommandError::Unknown`].
    pub fn set_query(
        &mut self,
        now: Timestamp,
        id: SearchId,
        text: &str,
        filter: &ConversationFilter,
    ) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        if !self.searches.open.contains_key(&id) {
            return Err(CommandError::Unknown);
        }
        self.supersede_search(id);
        let request = RequestId(self.take_id());
        let filter = serde_json::to_string(&filter.normalized()).unwrap_or_default();
        let now = self.now;
        if let Some(search) = self.searches.open.get_mut(&id) {
            let page = search.machine.start(request, text, &filter);
            search.exchange = Some(Exchange::new(page.0, now));
            search.told = None;
        }
        self.tell_search(id);
        Ok(request)
    }

    /// Loads the next page of a search: `limit` results, 10 unless given. While the search is busy,
    /// before the first query, and when everything is loaded, it is resolved at once with what
    /// there is. After a failure it asks again for the page that failed.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::SearchKind;
    ///
    /// let search = session.start_search(now, SearchKind::Messages)?;
    /// session.set_query(now, search, "holidays", &Default::default())?;
    /// let request = session.search_more(now, search, Some(50))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`], [`CommandError::Unknown`],
    /// [`CommandError::CountOutOfRange`] unless it is 1 to 50.
    pub fn search_more(
        &mut self,
        now: Timestamp,
        id: SearchId,
        limit: Option<usize>,
    ) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        let limit = limit.unwrap_or(NEXT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(CommandError::CountOutOfRange {
                given: limit,
                max: MAX_PAGE,
            });
        }
        let request = RequestId(self.take_id());
        let now = self.now;
        let search = self
            .searches
            .open
            .get_mut(&id)
            .ok_or(CommandError::Unknown)?;
        match search.machine.load_more(request, limit) {
            Some(page) => {
                search.exchange = Some(Exchange::new(page.0, now));
                self.tell_search(id);
            }
            None => {
                let reply = search.reply();
                self.resolve(request, Ok(reply));
            }
        }
        Ok(request)
    }

    /// Ends a search. What it was doing is cancelled, and resolved with what it had found.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::SearchKind;
    ///
    /// let search = session.start_search(now, SearchKind::Messages)?;
    /// session.end_search(now, search)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Unknown`] when it has ended already.
    pub fn end_search(&mut self, now: Timestamp, id: SearchId) -> Result<(), CommandError> {
        self.accept(now)?;
        if !self.searches.open.contains_key(&id) {
            return Err(CommandError::Unknown);
        }
        self.supersede_search(id);
        self.searches.open.remove(&id);
        Ok(())
    }

    fn supersede_search(&mut self, id: SearchId) {
        if let Some(request) = self.abandon_page(id)
            && let Some(search) = self.searches.open.get(&id)
        {
            let reply = search.reply();
            self.resolve(request, Ok(reply));
        }
    }

    /// Stops the page under way. Its request, which is not resolved yet.
    fn abandon_page(&mut self, id: SearchId) -> Option<RequestId> {
        self.stop_exchange(id);
        let request = self.searches.open.get_mut(&id)?.machine.abandon();
        self.cancel_lookups(id);
        request
    }

    fn stop_exchange(&mut self, id: SearchId) {
        let search = self.searches.open.get_mut(&id);
        let exchange = search.and_then(|search| search.exchange.take());
        if let Some(http) = exchange.and_then(|exchange| exchange.http) {
            self.outputs.push_back(Output::CancelHttp { http });
        }
    }

    /// Cancels the page that resolves `request`. Whether there is one.
    pub(super) fn cancel_search_request(&mut self, request: RequestId) -> bool {
        let mut open = self.searches.open.iter();
        let found = open.find(|(_, search)| search.machine.request() == Some(request));
        let Some(id) = found.map(|(id, _)| *id) else {
            return false;
        };
        self.abandon_page(id);
        self.tell_search(id);
        true
    }

    /// The session is over: every page under way fails.
    pub(super) fn end_searches(&mut self, error: &RequestError) {
        for id in self.searches.open.keys().copied().collect::<Vec<_>>() {
            if let Some(request) = self.abandon_page(id) {
                self.resolve(request, Err(error.clone()));
            }
        }
        self.searches.open.clear();
    }

    /// Sends the pages that wait for a token once there is one, and gives up on silent ones.
    pub(super) fn settle_searches(&mut self) {
        let now = self.now;
        for id in self.searches.open.keys().copied().collect::<Vec<_>>() {
            let Some(exchange) = self.searches.exchange(id) else {
                continue;
            };
            if exchange.http.is_none() {
                self.send_search(id);
            } else if exchange.heard + HEAR_WITHIN <= now {
                let reason = "nothing was heard for 60 s".to_owned();
                self.fail_search(id, TransportError::Http(reason).into());
            }
        }
    }

    fn send_search(&mut self, id: SearchId) {
        match self.next_page(id) {
            None => {}
            Some(Ok((http, request))) => self.send_http(http, request),
            Some(Err(error)) => self.fail_search(id, error.into()),
        }
    }

    /// The request for the page under way, once there is a token.
    fn next_page(&mut self, id: SearchId) -> Option<Result<Sending, TransportError>> {
        let token = self.auth.token().cloned()?;
        let http = HttpId(self.take_id());
        let rest_of_app = self.rest_of_app();
        let exchange = self.searches.exchange(id)?;
        let (get, body) = (http::Request::builder(), HttpBody::Empty);
        Some(exchange.send(self.now, http, token, &rest_of_app, get, body))
    }

    /// The head of a search's answer. Whether `http` is a search's.
    pub(super) fn handle_search_head(&mut self, http: HttpId, status: u16) -> bool {
        let now = self.now;
        let Some((_, _, exchange)) = self.searches.by_http(http) else {
            return false;
        };
        exchange.heard = now;
        exchange.status = Some(status);
        if status == 401
            && let Some(rejected) = exchange.reject_token()
        {
            self.outputs.push_back(Output::CancelHttp { http });
            self.handle_rejected_over_http(&rejected);
        }
        true
    }

    /// A piece of a search's answer. Whether `http` is a search's.
    pub(super) fn handle_search_chunk(&mut self, http: HttpId, chunk: &Bytes) -> bool {
        let now = self.now;
        let Some((id, machine, exchange)) = self.searches.by_http(http) else {
            return false;
        };
        exchange.heard = now;
        if exchange.status != Some(200) {
            exchange.keep(chunk);
            return true;
        }
        match machine.push(chunk) {
            Ok(found) => self.look_up(id, found),
            Err(_) => self.fail_search(id, TransportError::Malformed.into()),
        }
        true
    }

    /// The end of a search's answer. Whether `http` is a search's.
    pub(super) fn handle_search_end(&mut self, http: HttpId) -> bool {
        let Some((id, machine, exchange)) = self.searches.take_by_http(http) else {
            return false;
        };
        match exchange.status {
            Some(200) => match machine.finish() {
                Ok(()) => self.show_search(id),
                Err(_) => {
                    let reason = "the answer ended too early".to_owned();
                    self.fail_search(id, TransportError::Http(reason).into());
                }
            },
            Some(status) => self.fail_search(id, exchange.refused(status).into()),
            None => self.fail_search(id, TransportError::Malformed.into()),
        }
        true
    }

    /// A search's exchange broke off. Whether `http` is a search's.
    pub(super) fn handle_search_failure(&mut self, http: HttpId, failure: &HttpFailure) -> bool {
        let Some((id, ..)) = self.searches.take_by_http(http) else {
            return false;
        };
        self.fail_search(id, TransportError::Http(failure.to_string()).into());
        true
    }

    fn fail_search(&mut self, id: SearchId, error: RequestError) {
        if let Some(request) = self.abandon_page(id) {
            self.tell_search(id);
            self.resolve(request, Err(error));
        }
    }

    /// What a search found is shown once the live half knows all that it holds.
    fn look_up(&mut self, id: SearchId, found: Vec<(u64, Found)>) {
        for (slot, found) in found {
            let gets = match found {
                Found::Conversation(conversation) => vec![Get::Conversation(conversation)],
                Found::Message(conversation, message) => {
                    vec![
                        Get::Conversation(conversation.clone()),
                        Get::Known(conversation, message),
                    ]
                }
            };
            for get in gets {
                self.look_up_for_search(id, slot, get);
            }
        }
        self.show_search(id);
    }

    /// Handles the result of the read that looks up the item in `slot` of a search's page.
    pub(super) fn on_search_lookup(
        &mut self,
        id: SearchId,
        slot: u64,
        result: Result<Reply, RequestError>,
    ) {
        let Some(search) = self.searches.open.get_mut(&id) else {
            return;
        };
        match result {
            Ok(Reply::Conversation(conversation)) => {
                search.machine.set_conversation(slot, conversation);
            }
            Ok(Reply::Message(message)) => search.machine.set_message(slot, message),
            Ok(_) => {}
            Err(error) => self.fail_search(id, error),
        }
        self.show_search(id);
    }

    fn show_search(&mut self, id: SearchId) {
        let search = self.searches.open.get_mut(&id);
        for progress in search.map_or_else(Vec::new, |search| search.machine.progress()) {
            if let Progress::Done(_) = progress {
                // Nothing that may follow the last line is of interest.
                self.stop_exchange(id);
            }
            self.tell_search(id);
            if let Progress::Done(request) = progress
                && let Some(search) = self.searches.open.get(&id)
            {
                let reply = search.reply();
                self.resolve(request, Ok(reply));
            }
        }
    }

    /// Tells how a search stands, unless that is known.
    fn tell_search(&mut self, id: SearchId) {
        let search = self.searches.open.get_mut(&id);
        if let Some(news) = search.and_then(|search| search.news(id)) {
            self.emit(news);
        }
    }
}
