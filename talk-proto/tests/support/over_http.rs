//! Commands and HTTP answers for searches and uploads. The test plays the HTTP server.

use bytes::Bytes;
use talk_proto::{
    CommandError, HttpFailure, HttpId, Input, RequestId,
    filter::ConversationFilter,
    search::{SearchId, SearchKind},
    upload::Upload,
};

use super::{HttpAsked, World};

impl World {
    pub(crate) fn start_search(&mut self, kind: SearchKind) -> SearchId {
        let search = self.session.start_search(self.now, kind);
        search.expect("the search is accepted")
    }

    pub(crate) fn set_query(
        &mut self,
        search: SearchId,
        text: &str,
        filter: &ConversationFilter,
    ) -> RequestId {
        let request = self.try_set_query(search, text, filter);
        request.expect("the query is accepted")
    }

    pub(crate) fn try_set_query(
        &mut self,
        search: SearchId,
        text: &str,
        filter: &ConversationFilter,
    ) -> Result<RequestId, CommandError> {
        self.invariants.keep_secret(text);
        let request = self.session.set_query(self.now, search, text, filter);
        self.accepted(request)
    }

    pub(crate) fn search_more(&mut self, search: SearchId, limit: Option<usize>) -> RequestId {
        let request = self.try_search_more(search, limit);
        request.expect("there is such a search")
    }

    pub(crate) fn try_search_more(
        &mut self,
        search: SearchId,
        limit: Option<usize>,
    ) -> Result<RequestId, CommandError> {
        let request = self.session.search_more(self.now, search, limit);
        self.accepted(request)
    }

    pub(crate) fn upload(&mut self, upload: Upload) -> RequestId {
        let request = self.try_upload(upload);
        request.expect("the upload is accepted")
    }

    pub(crate) fn try_upload(&mut self, upload: Upload) -> Result<RequestId, CommandError> {
        let request = self.session.upload(self.now, upload);
        self.accepted(request)
    }

    pub(crate) fn cancel(&mut self, request: RequestId) {
        let cancelled = self.session.cancel(self.now, request);
        cancelled.expect("it is not resolved yet");
    }

    fn accepted(
        &mut self,
        request: Result<RequestId, CommandError>,
    ) -> Result<RequestId, CommandError> {
        let request = request?;
        self.invariants.accepted(request);
        self.invariants.commanded(&self.session, self.now);
        Ok(request)
    }

    /// Returns the HTTP requests whose path contains `part`.
    pub(crate) fn http_of(&self, part: &str) -> Vec<&HttpAsked> {
        let asked = self.log.http.iter();
        asked.filter(|asked| asked.uri.contains(part)).collect()
    }

    /// Returns the last HTTP request of a search or an upload.
    pub(crate) fn last_http(&self) -> HttpId {
        let mut asked = self.log.http.iter().rev();
        let last = asked.find(|asked| asked.headers.contains_key("authorization"));
        last.expect("there is one").id
    }

    pub(crate) fn http_head(&mut self, http: HttpId, status: u16) {
        self.input(Input::HttpHead { http, status });
    }

    pub(crate) fn http_chunk(&mut self, http: HttpId, text: &str) {
        let chunk = Bytes::copy_from_slice(text.as_bytes());
        self.input(Input::HttpChunk { http, chunk });
        self.run();
    }

    pub(crate) fn http_end(&mut self, http: HttpId) {
        self.input(Input::HttpEnd { http });
        self.run();
    }

    pub(crate) fn http_fail(&mut self, http: HttpId, failure: HttpFailure) {
        self.input(Input::HttpFailed { http, failure });
        self.run();
    }

    /// Passes a complete response.
    pub(crate) fn http_answer(&mut self, http: HttpId, status: u16, body: &str) {
        self.http_head(http, status);
        self.http_chunk(http, body);
        self.http_end(http);
    }
}
