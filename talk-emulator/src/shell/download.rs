use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RANGE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::files::Contents;
use super::range::{ByteRange, parse_range};
use crate::server::FileMetadata;

/// The content security policy of downloads. Uploaded files come from users, so a file that is
/// shown as a page runs no scripts and has no origin.
const SANDBOX: &str = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; \
                       style-src 'unsafe-inline'";

/// Serves a file or the requested range.
pub(crate) fn download(asked: &HeaderMap, file: &FileMetadata, contents: Contents) -> Response {
    let size = file.size;
    let range = asked.get(RANGE).and_then(|range| range.to_str().ok());
    let mut response = match parse_range(range, size) {
        ByteRange::All => {
            let mut response = Response::new(Body::from_stream(contents.read(0..size)));
            response
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(size));
            response
        }
        ByteRange::Part(part) => {
            let length = part.end - part.start;
            let position = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            let mut response = Response::new(Body::from_stream(contents.read(part)));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let headers = response.headers_mut();
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            set(headers, CONTENT_RANGE, &position);
            response
        }
        ByteRange::Unsatisfiable => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(
                response.headers_mut(),
                CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            return response;
        }
    };
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    set(headers, CONTENT_TYPE, &file.content_type);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    response
}

/// Sets a header unless the value is invalid in a header.
fn set(headers: &mut HeaderMap, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
