//! An HTTP request and its response.

use std::time::Duration;

use super::{HttpEvent, HttpPurpose};
use crate::error::{ServerError, TransportError};
use crate::io::HttpFailure;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::wire::Refusal;

/// The time limit of a response. Searches and uploads restart it with each part of the response.
/// For an upload it starts with the head of the response, because sending the file may take long.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// The size at which a collected response is cut off. Expected responses are much smaller.
const MAX_BODY: usize = 64 << 10;
/// The number of times that a partial response to an upload is parsed. Afterwards the whole
/// response is awaited, so that a response in many small parts takes linear time.
const MAX_REFUSAL_CHECKS: u32 = 32;

/// A request that was sent.
pub(super) struct HttpRequest {
    pub(super) purpose: HttpPurpose,
    /// The token of the request if a 401 leads to a retry with another token.
    pub(super) replaceable_token: Option<Secret>,
    pub(super) response: HttpResponse,
    pub(super) deadline: Option<Timestamp>,
    /// The remaining number of times that a partial body is parsed.
    refusal_checks: u32,
}

/// The received part of a response.
#[derive(Default)]
pub(crate) struct HttpResponse {
    pub(crate) status: Option<u16>,
    pub(crate) body: Vec<u8>,
    /// The reason why the response is incomplete.
    pub(crate) failure: Option<HttpFailure>,
}

impl HttpRequest {
    pub(super) fn new(purpose: HttpPurpose, now: Timestamp) -> Self {
        let is_upload = matches!(purpose, HttpPurpose::Upload(_));
        Self {
            purpose,
            replaceable_token: None,
            response: HttpResponse::default(),
            deadline: (!is_upload).then(|| now + RESPONSE_TIMEOUT),
            refusal_checks: if is_upload { MAX_REFUSAL_CHECKS } else { 0 },
        }
    }

    pub(super) fn handle_head(&mut self, now: Timestamp, status: u16) {
        self.note_progress(now);
        self.response.status = Some(status);
    }

    /// Extends the deadline of a search or upload after a part of the response.
    pub(super) fn note_progress(&mut self, now: Timestamp) {
        if matches!(
            self.purpose,
            HttpPurpose::Search(_) | HttpPurpose::Upload(_)
        ) {
            self.deadline = Some(now + RESPONSE_TIMEOUT);
        }
    }

    /// Appends a part of the body. Returns `true` if the rest is not needed.
    pub(super) fn collect(&mut self, chunk: &[u8]) -> bool {
        let response = &mut self.response;
        let room = MAX_BODY - response.body.len();
        let kept = &chunk[..chunk.len().min(room)];
        response.body.extend_from_slice(kept);
        if chunk.len() > room {
            return true;
        }
        // A server may refuse a file before it has received all of it. The rest of the file is not
        // sent.
        let may_be_whole = self.refusal_checks > 0 && chunk.trim_ascii_end().ends_with(b"}");
        self.refusal_checks -= u32::from(may_be_whole);
        may_be_whole && response.is_whole_refusal()
    }

    pub(super) fn finish(self, failure: Option<HttpFailure>) -> Option<HttpEvent> {
        let response = HttpResponse {
            failure,
            ..self.response
        };
        Some(HttpEvent::Finished(self.purpose, response))
    }
}

impl HttpResponse {
    /// Returns the refusal in the body, or an empty one if the body is unreadable.
    pub(crate) fn refusal(&self, status: u16) -> ServerError {
        let Refusal {
            error_code,
            reasons,
        } = serde_json::from_slice(&self.body).unwrap_or_default();
        ServerError::new(status, error_code, reasons)
    }

    /// Returns the status of a complete response, otherwise the failure.
    pub(crate) fn complete(&self) -> Result<u16, TransportError> {
        match (&self.failure, self.status) {
            (Some(failure), _) => Err(TransportError::Http(failure.to_string())),
            (None, Some(status)) => Ok(status),
            (None, None) => Err(TransportError::Malformed),
        }
    }

    fn is_whole_refusal(&self) -> bool {
        self.status.is_some_and(|status| status != 200)
            && serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_ok()
    }
}
