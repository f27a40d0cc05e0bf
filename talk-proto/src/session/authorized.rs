//! HTTP requests that carry the session's token.

use http::header::{AUTHORIZATION, HeaderValue};

use super::Session;
use crate::error::{ServerError, TransportError};
use crate::io::{HttpBody, HttpId};
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::wire::Refusal;
use crate::wire::path::encode_component;

/// The longest answer that is read whole.
const MAX_BODY: usize = 64 << 10;

/// A request that is about to be sent, and its exchange.
pub(super) type Sending = (HttpId, http::Request<HttpBody>);

/// A request that was sent with a token, or waits for one.
pub(super) struct Exchange {
    /// The path below the app of the REST base.
    pub(super) path: String,
    /// The exchange, once it is sent.
    pub(super) http: Option<HttpId>,
    /// The token that it was sent with.
    token: Option<Secret>,
    /// Whether a token was rejected before: it is tried once more only.
    was_rejected: bool,
    pub(super) status: Option<u16>,
    body: Vec<u8>,
    /// When something was last heard.
    pub(super) heard: Timestamp,
}

impl Exchange {
    pub(super) fn new(path: String, now: Timestamp) -> Self {
        Self {
            path,
            http: None,
            token: None,
            was_rejected: false,
            status: None,
            body: Vec::new(),
            heard: now,
        }
    }

    /// Builds the request for an exchange that was given `http`.
    pub(super) fn send(
        &mut self,
        now: Timestamp,
        http: HttpId,
        token: Secret,
        rest_of_app: &str,
        request: http::request::Builder,
        body: HttpBody,
    ) -> Result<Sending, TransportError> {
        let failed = |error: http::Error| TransportError::Http(error.to_string());
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|error| failed(error.into()))?;
        bearer.set_sensitive(true);
        let address = format!("{rest_of_app}{}", self.path);
        let request = request
            .uri(address)
            .header(AUTHORIZATION, bearer)
            .body(body)
            .map_err(failed)?;
        self.http = Some(http);
        self.token = Some(token);
        self.heard = now;
        self.status = None;
        self.body = Vec::new();
        Ok((http, request))
    }

    /// Takes a piece of an answer that is read whole.
    pub(super) fn keep(&mut self, chunk: &[u8]) {
        let room = MAX_BODY.saturating_sub(self.body.len());
        self.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }

    /// The answer that was kept.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The refusal that was kept.
    pub(super) fn refused(&self, status: u16) -> ServerError {
        let Refusal {
            error_code,
            reasons,
        } = serde_json::from_slice(&self.body).unwrap_or_default();
        ServerError::new(status, error_code, reasons)
    }

    /// Whether this is a refusal, and all of it is there.
    pub(super) fn has_whole_refusal(&self) -> bool {
        self.status.is_some_and(|status| status != 200)
            && serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_ok()
    }

    /// The token was rejected: waits for another one, unless that happened before. The rejected
    /// token.
    pub(super) fn reject_token(&mut self) -> Option<Secret> {
        if std::mem::replace(&mut self.was_rejected, true) {
            return None;
        }
        self.wait_for_token();
        self.token.take()
    }

    /// It is to be sent again, once there is a token.
    pub(super) fn wait_for_token(&mut self) {
        self.http = None;
        self.status = None;
        self.body = Vec::new();
    }
}

impl Session {
    /// The REST base of the app.
    pub(super) fn rest_of_app(&self) -> String {
        let app = encode_component(self.options.app_id.as_str());
        format!("{}/{app}", self.options.addresses.rest)
    }

    /// A request was refused because of its token. Unless there is another one already, it counts
    /// as expired for the socket too.
    pub(super) fn handle_rejected_over_http(&mut self, rejected: &Secret) {
        if self.auth.token() != Some(rejected) {
            return;
        }
        if self.link.is_ready() {
            return self.handle_expired();
        }
        if let Err(error) = self.auth.expire(self.now) {
            self.end(error);
        }
    }
}
