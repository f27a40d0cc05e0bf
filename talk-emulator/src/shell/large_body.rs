//! Requests whose body is too large to be read.

use bytes::Bytes;
use http::request::Parts;

use crate::server::{BodyTooLarge, HttpRequest};

/// The maximum body size of a request, except for uploads.
pub(super) const MAX_BODY: usize = 4 * 1024 * 1024;

/// Returns a request of the REST API whose body is too large. The server refuses it after the
/// checks that come before the body.
pub(super) fn without_body(head: Parts) -> HttpRequest {
    let mut request = HttpRequest::from_parts(head, Bytes::new());
    request.extensions_mut().insert(BodyTooLarge);
    request
}
