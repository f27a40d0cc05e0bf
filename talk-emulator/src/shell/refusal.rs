use std::io;

use axum::body::Body;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::engine::Stopped;
use crate::server::{HttpResponse, printable};

/// A refusal of an HTTP request.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A response of the server.
    Server(Box<HttpResponse>),
    /// A status, a code and a reason from the shell.
    Shell(StatusCode, &'static str, String),
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, reason: impl Into<String>) -> Self {
        Self::Shell(status, code, printable(&reason.into()))
    }
}

impl Refusal {
    /// Returns the response.
    pub(super) fn into_http(self) -> HttpResponse {
        match self {
            Self::Server(response) => *response,
            Self::Shell(status, code, reason) => {
                let body = json!({ "errorCode": code, "reasons": [reason] }).to_string();
                let mut response = HttpResponse::new(vec![body.into()]);
                *response.status_mut() = status;
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        into_response(self.into_http())
    }
}

impl From<Box<HttpResponse>> for Refusal {
    fn from(response: Box<HttpResponse>) -> Self {
        Self::Server(response)
    }
}

impl From<Stopped> for Refusal {
    fn from(stopped: Stopped) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "STOPPED",
            stopped.to_string(),
        )
    }
}

impl From<MultipartRejection> for Refusal {
    fn from(rejection: MultipartRejection) -> Self {
        Self::new(rejection.status(), "INVALID_FORM", rejection.body_text())
    }
}

impl From<MultipartError> for Refusal {
    fn from(error: MultipartError) -> Self {
        Self::new(error.status(), "INVALID_FORM", error.body_text())
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "STORAGE_FAILED",
            format!("The emulator cannot keep the file: {error}."),
        )
    }
}

/// Converts a server response, streaming its chunks.
pub(crate) fn into_response(response: HttpResponse) -> Response {
    response.map(|mut chunks| match (chunks.pop(), chunks.is_empty()) {
        (None, _) => Body::empty(),
        (Some(only), true) => Body::from(only),
        (Some(last), false) => {
            chunks.push(last);
            Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<Bytes, io::Error>)))
        }
    })
}
