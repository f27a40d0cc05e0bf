//! HTTP requests of every kind in one table.
//!
//! The table adds tokens, collects responses, enforces time limits and cancels requests. A feature
//! builds its requests, and receives [`HttpEvent`]s with its [`HttpPurpose`].

pub(crate) mod request;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderValue};

use self::request::{HttpRequest, HttpResponse};
use crate::collections::ReleaseMemory;
use crate::command::RequestId;
use crate::io::{HttpBody, HttpFailure, HttpId, Input, Output};
use crate::search::results::SearchId;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// The feature that a request belongs to. Each purpose has at most one request at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HttpPurpose {
    /// Checks that the app exists.
    AppCheck,
    /// Fetches an anonymous token.
    AnonymousToken,
    /// Loads a page of a search.
    Search(SearchId),
    /// Sends the file of an upload.
    Upload(RequestId),
}

/// The result of an input or a timeout.
pub(crate) enum HttpEvent {
    /// The server rejected this token. The request waits for another one.
    TokenRejected(Secret),
    /// A part of a successful search response.
    SearchData { search: SearchId, chunk: Bytes },
    /// The request has finished.
    Finished(HttpPurpose, HttpResponse),
}

/// A request that waits for a token or a retry.
pub(crate) struct Unsent {
    pub(crate) purpose: HttpPurpose,
    /// Set if the request is sent again with another token after status 401.
    can_replace_token: bool,
    not_before: Option<Timestamp>,
}

/// The HTTP requests of a session.
#[derive(Default)]
pub(crate) struct HttpRequests {
    sent: BTreeMap<HttpId, HttpRequest>,
    unsent: VecDeque<Unsent>,
    outputs: VecDeque<Output>,
    next_id: u64,
    is_app_checked: bool,
}

impl HttpRequests {
    /// Returns `true` on the first call only, so that the app is checked once per session.
    pub(crate) fn begin_app_check(&mut self) -> bool {
        !std::mem::replace(&mut self.is_app_checked, true)
    }

    /// Queues a request that needs a token. The request is built when it is sent.
    pub(crate) fn enqueue(
        &mut self,
        purpose: HttpPurpose,
        can_resend: bool,
        at: Option<Timestamp>,
    ) {
        self.unsent.push_back(Unsent {
            purpose,
            can_replace_token: can_resend,
            not_before: at,
        });
    }

    /// Returns `true` if a request waits for a token.
    pub(crate) fn waits_for_token(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Removes and returns the next queued request that is due. The session must have a token.
    pub(crate) fn pop_unsent(&mut self, now: Timestamp) -> Option<Unsent> {
        let is_due = |unsent: &Unsent| unsent.not_before.is_none_or(|at| at <= now);
        let index = self.unsent.iter().position(is_due)?;
        self.unsent.remove(index)
    }

    /// Sends a request with the session's token.
    pub(crate) fn send_with_token(
        &mut self,
        now: Timestamp,
        unsent: &Unsent,
        request: http::Result<http::Request<HttpBody>>,
        token: &Secret,
    ) -> http::Result<()> {
        let mut request = request?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let mut entry = HttpRequest::new(unsent.purpose, now);
        entry.replaceable_token = unsent.can_replace_token.then(|| token.clone());
        self.start(entry, request);
        Ok(())
    }

    /// Sends a request without a token.
    pub(crate) fn send(
        &mut self,
        now: Timestamp,
        purpose: HttpPurpose,
        request: http::Request<HttpBody>,
    ) {
        self.start(HttpRequest::new(purpose, now), request);
    }

    fn start(&mut self, entry: HttpRequest, request: http::Request<HttpBody>) {
        self.next_id += 1;
        let http = HttpId(self.next_id);
        self.sent.insert(http, entry);
        let request = Box::new(request);
        self.outputs.push_back(Output::SendHttp { http, request });
    }

    /// Returns `true` if the request with this purpose is queued.
    pub(crate) fn is_unsent(&self, purpose: HttpPurpose) -> bool {
        self.unsent.iter().any(|unsent| unsent.purpose == purpose)
    }

    /// Cancels the request with this purpose, if there is one.
    pub(crate) fn cancel(&mut self, purpose: HttpPurpose) {
        self.unsent.retain(|unsent| unsent.purpose != purpose);
        let mut sent = self.sent.iter();
        let found = sent.find(|(_, request)| request.purpose == purpose);
        if let Some(http) = found.map(|(http, _)| *http) {
            self.stop(http);
        }
    }

    /// Cancels every request.
    pub(crate) fn cancel_all(&mut self) {
        self.unsent.clear();
        let sent = std::mem::take(&mut self.sent).into_keys();
        self.outputs
            .extend(sent.map(|http| Output::CancelHttp { http }));
    }

    fn stop(&mut self, http: HttpId) -> Option<HttpRequest> {
        let request = self.sent.remove(&http)?;
        self.outputs.push_back(Output::CancelHttp { http });
        Some(request)
    }

    /// Handles an HTTP input. Ignores inputs for finished requests.
    pub(crate) fn handle_input(&mut self, now: Timestamp, input: Input<'_>) -> Option<HttpEvent> {
        match input {
            Input::HttpHead { http, status } => {
                let request = self.sent.get_mut(&http)?;
                request.handle_head(now, status);
                let token = request.replaceable_token.take_if(|_| status == 401)?;
                let purpose = request.purpose;
                self.stop(http);
                self.enqueue(purpose, false, None);
                Some(HttpEvent::TokenRejected(token))
            }
            Input::HttpChunk { http, chunk } => {
                let request = self.sent.get_mut(&http)?;
                request.note_progress(now);
                if let HttpPurpose::Search(search) = request.purpose
                    && request.response.status == Some(200)
                {
                    return Some(HttpEvent::SearchData { search, chunk });
                }
                if !request.collect(&chunk) {
                    return None;
                }
                self.stop(http)?.finish(None)
            }
            Input::HttpEnd { http } => self.sent.remove(&http)?.finish(None),
            Input::HttpFailed { http, failure } => self.sent.remove(&http)?.finish(Some(failure)),
            _ => None,
        }
    }

    /// Cancels the next request that exceeded its time limit, and returns its failure.
    pub(crate) fn poll_timeout(&mut self, now: Timestamp) -> Option<HttpEvent> {
        for unsent in &mut self.unsent {
            unsent.not_before.take_if(|at| *at <= now);
        }
        let mut sent = self.sent.iter();
        let (&http, _) = sent.find(|(_, request)| request.deadline.is_some_and(|at| at <= now))?;
        let failure = HttpFailure::Unanswered("no response within 60 s".to_owned());
        self.stop(http)?.finish(Some(failure))
    }

    /// Returns the time of the next timeout or retry.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let timeouts = self.sent.values().filter_map(|request| request.deadline);
        let retries = self.unsent.iter().filter_map(|unsent| unsent.not_before);
        timeouts.chain(retries).min()
    }

    /// Returns the next output.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Releases the memory of empty collections.
    pub(crate) fn release_memory(&mut self) {
        self.sent.release_memory();
        self.unsent.release_memory();
        self.outputs.release_memory();
    }
}
