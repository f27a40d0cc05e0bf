//! Commands and outputs of searches.

use super::Session;
use crate::command::{Reply, RequestId};
use crate::error::{CommandError, RequestError};
use crate::filter::ConversationFilter;
use crate::http::HttpPurpose;
use crate::requests::CallPurpose;
use crate::search::results::{SearchId, SearchKind};
use crate::search::searches::SearchOutput;
use crate::timestamp::Timestamp;

impl Session {
    /// Starts a search. It sends nothing before [`set_query`](Self::set_query).
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::search::SearchKind;
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
        let max_page_bytes = self.options.limits.frame_size;
        self.searches.start(id, kind, max_page_bytes);
        Ok(id)
    }

    /// Searches for `text`. A result matches if every word of `text` is a prefix of a word in it.
    /// Results arrive as [`Event::SearchUpdated`](crate::Event::SearchUpdated); the first page
    /// resolves the request with [`Reply::Searched`].
    ///
    /// A previous query is cancelled, and its request is resolved with the results so far.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::search::SearchKind;
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
        let request = RequestId(self.take_id());
        let started = self.searches.set_query(id, request, text, filter);
        self.drain_searches();
        started.map(|()| request)
    }

    /// Loads the next page of a search, of `limit` results (default 10). While a page is being
    /// loaded, before the first query, and after the last page, the request is resolved at once
    /// with the results so far. After a failure it loads the failed page again.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::search::SearchKind;
    ///
    /// let search = session.start_search(now, SearchKind::Messages)?;
    /// session.set_query(now, search, "holidays", &Default::default())?;
    /// let request = session.search_more(now, search, Some(50))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`], [`CommandError::Unknown`],
    /// [`CommandError::CountOutOfRange`] unless `limit` is 1 to 50.
    pub fn search_more(
        &mut self,
        now: Timestamp,
        id: SearchId,
        limit: Option<usize>,
    ) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        let request = RequestId(self.take_id());
        let started = self.searches.load_more(id, request, limit);
        self.drain_searches();
        started.map(|()| request)
    }

    /// Ends a search. A page that is being loaded is cancelled, and its request is resolved with
    /// the results so far.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::search::SearchKind;
    ///
    /// let search = session.start_search(now, SearchKind::Messages)?;
    /// session.end_search(now, search)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Unknown`] if it has ended already.
    pub fn end_search(&mut self, now: Timestamp, id: SearchId) -> Result<(), CommandError> {
        self.accept(now)?;
        let ended = self.searches.end(id);
        self.drain_searches();
        ended
    }

    /// Handles the result of the read that fetches the item in `slot` of a search's page.
    pub(super) fn on_search_lookup(
        &mut self,
        id: SearchId,
        slot: u64,
        result: Result<Reply, RequestError>,
    ) {
        self.searches.handle_lookup(id, slot, result);
        self.drain_searches();
    }

    /// Handles the outputs of the searches.
    pub(super) fn drain_searches(&mut self) {
        while let Some(output) = self.searches.poll_output() {
            match output {
                SearchOutput::Event(event) => self.emit(event),
                SearchOutput::Send(id) => self.http.enqueue(HttpPurpose::Search(id), true, None),
                SearchOutput::Cancel(id) => self.cancel_http(HttpPurpose::Search(id)),
                SearchOutput::LookUp(search, slot, get) => {
                    let lookup = RequestId(self.take_id());
                    let purpose = CallPurpose::SearchLookup { search, slot };
                    self.queue.register_live_call(lookup, purpose);
                    self.live.get(self.now, lookup, get);
                }
                SearchOutput::CancelLookUps(id) => {
                    for lookup in self.queue.lookups_of(id) {
                        self.live.cancel(self.now, lookup);
                        self.queue.finish_live_call(lookup);
                    }
                }
            }
        }
    }
}
