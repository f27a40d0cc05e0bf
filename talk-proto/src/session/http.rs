//! Routing of HTTP events to the feature that a request belongs to.

use serde::Deserialize;

use super::Session;
use crate::error::{RequestError, ServerError, SessionError, TransportError};
use crate::http::request::HttpResponse;
use crate::http::{HttpEvent, HttpPurpose};
use crate::io::HttpBody;
use crate::secret::Secret;
use crate::upload::uploads::UploadStep;
use crate::wire::path::encode_component;

impl Session {
    pub(super) fn handle_http_event(&mut self, event: Option<HttpEvent>) {
        self.drain_http();
        match event {
            None => {}
            Some(HttpEvent::TokenRejected(token)) => self.handle_http_unauthorized(&token),
            Some(HttpEvent::SearchData { search, chunk }) => {
                self.searches.handle_data(search, &chunk);
                self.drain_searches();
            }
            Some(HttpEvent::Finished(purpose, response)) => {
                self.handle_http_response(purpose, &response);
            }
        }
    }

    fn handle_http_response(&mut self, purpose: HttpPurpose, response: &HttpResponse) {
        match purpose {
            HttpPurpose::AppCheck => {
                if response.complete() == Ok(404) {
                    self.end(SessionError::AppNotFound);
                }
            }
            HttpPurpose::AnonymousToken => self.handle_anonymous_token(response),
            HttpPurpose::Search(id) => {
                self.searches.handle_response(id, response);
                self.drain_searches();
            }
            HttpPurpose::Upload(request) => {
                let uploads = &mut self.uploads;
                match uploads.handle_response(self.now, request, response, &mut self.rng) {
                    Some(UploadStep::Retry(at)) => self.http.enqueue(purpose, true, Some(at)),
                    Some(UploadStep::Done(uploader, result)) => {
                        self.finish_upload(request, uploader, result);
                    }
                    None => {}
                }
            }
        }
    }

    /// Handles a token that the server rejected over HTTP. If it is still the current token, it
    /// expires for the socket too.
    fn handle_http_unauthorized(&mut self, rejected: &Secret) {
        self.connection.handle_rejected_token(self.now, rejected);
        self.drain_connection();
    }

    /// Checks once per session that the app exists. No other request waits for the response.
    pub(super) fn check_app(&mut self) {
        if self.http.begin_app_check() {
            self.send_internal("", HttpPurpose::AppCheck);
        }
    }

    fn handle_anonymous_token(&mut self, response: &HttpResponse) {
        #[derive(Deserialize)]
        struct Body {
            boken: String,
        }

        let token = response.complete().map(|status| {
            if status != 200 {
                return Err(response.refusal(status));
            }
            serde_json::from_slice(&response.body)
                .map(|Body { boken }| Secret::from(boken))
                .map_err(|_| {
                    let reason = "the answer holds no token".to_owned();
                    ServerError::new(status, "NO_BOKEN", vec![reason])
                })
        });
        self.connection
            .handle_anonymous_token(self.now, token, &mut self.rng);
        self.drain_connection();
    }

    pub(super) fn expire_http(&mut self) {
        while let Some(event) = self.http.poll_timeout(self.now) {
            self.handle_http_event(Some(event));
        }
    }

    /// Sends the queued HTTP requests as soon as there is a token.
    pub(super) fn send_http_requests(&mut self) {
        let is_wanted = self.http.waits_for_token();
        let Some(token) = self.connection.token().filter(|_| is_wanted).cloned() else {
            return;
        };
        let app = encode_component(self.options.app_id.as_str()).to_string();
        let base = format!("{}/{app}", self.options.addresses.rest);
        while let Some(unsent) = self.http.pop_unsent(self.now) {
            let purpose = unsent.purpose;
            let request = match purpose {
                HttpPurpose::Search(id) => self.searches.page_request(id, &base),
                HttpPurpose::Upload(id) => self.uploads.file_request(id, &base, &mut self.rng),
                HttpPurpose::AppCheck | HttpPurpose::AnonymousToken => None,
            };
            let Some(request) = request else { continue };
            let sent = self
                .http
                .send_with_token(self.now, &unsent, request, &token);
            if let Err(error) = sent {
                self.fail_http(purpose, TransportError::Http(error.to_string()).into());
            }
        }
        self.drain_http();
    }

    fn fail_http(&mut self, purpose: HttpPurpose, error: RequestError) {
        match purpose {
            HttpPurpose::Search(id) => {
                self.searches.fail(id, error);
                self.drain_searches();
            }
            HttpPurpose::Upload(request) => {
                if let Some((uploader, _)) = self.uploads.remove(request) {
                    self.finish_upload(request, uploader, Err(error));
                }
            }
            HttpPurpose::AppCheck | HttpPurpose::AnonymousToken => {}
        }
    }

    /// Sends a request without a token to `path` below the internal base address of the app. Ends
    /// the session if the address is not a valid URL.
    pub(super) fn send_internal(&mut self, path: &str, purpose: HttpPurpose) {
        let app = encode_component(self.options.app_id.as_str()).to_string();
        let address = format!("{}/{app}{path}", self.options.addresses.internal);
        match get(&address) {
            Ok(request) => {
                self.http.send(self.now, purpose, request);
                self.drain_http();
            }
            Err(reason) => {
                // The path may contain a signature, and the base a name and a password.
                let base = self.options.addresses.internal.rsplit('@').next();
                let address = base.unwrap_or_default().to_owned();
                self.end(SessionError::InvalidAddress { address, reason });
            }
        }
    }

    pub(super) fn cancel_http(&mut self, purpose: HttpPurpose) {
        self.http.cancel(purpose);
        self.drain_http();
    }

    pub(super) fn drain_http(&mut self) {
        while let Some(output) = self.http.poll_output() {
            self.outputs.push_back(output);
        }
    }
}

/// Creates a request to an address, or returns the reason why it is invalid.
fn get(address: &str) -> Result<http::Request<HttpBody>, String> {
    let request = http::Request::get(address).body(HttpBody::Empty);
    let request = request.map_err(|error| error.to_string())?;
    // The parser accepts every port, and takes a second scheme for a host with an empty port.
    let uri = request.uri();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let has_port = !authority.ends_with(uri.host().unwrap_or_default());
    match uri.port_u16() {
        None if has_port => Err("its port must be a number from 0 to 65535".to_owned()),
        _ => Ok(request),
    }
}
