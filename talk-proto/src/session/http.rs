//! What comes in over HTTP, and whose it is.

use bytes::Bytes;

use super::Session;
use crate::io::{HttpBody, HttpFailure, HttpId, Output};

impl Session {
    pub(super) fn send_http(&mut self, http: HttpId, request: http::Request<HttpBody>) {
        let request = Box::new(request);
        self.outputs.push_back(Output::SendHttp { http, request });
    }

    pub(super) fn handle_http_head(&mut self, http: HttpId, status: u16) {
        if !self.handle_search_head(http, status) && !self.handle_upload_head(http, status) {
            self.exchanges.handle_head(http, status);
        }
    }

    pub(super) fn handle_http_chunk(&mut self, http: HttpId, chunk: &Bytes) {
        if !self.handle_search_chunk(http, chunk) && !self.handle_upload_chunk(http, chunk) {
            self.exchanges.handle_chunk(http, chunk);
        }
    }

    pub(super) fn handle_http_end(&mut self, http: HttpId) {
        if !self.handle_search_end(http)
            && !self.handle_upload_end(http)
            && let Some(finished) = self.exchanges.handle_end(http)
        {
            self.handle_exchange(finished);
        }
    }

    pub(super) fn handle_http_failure(&mut self, http: HttpId, failure: HttpFailure) {
        if !self.handle_search_failure(http, &failure)
            && !self.handle_upload_failure(http, &failure)
            && let Some(finished) = self.exchanges.handle_failure(http, failure)
        {
            self.handle_exchange(finished);
        }
    }
}
