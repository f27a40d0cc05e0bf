//! The parts of control requests. Their errors are the JSON of all control errors.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::control::bad_request;
use super::refusal::Refusal;

/// The complete body of a control request.
pub(super) struct ControlBody(pub(super) Bytes);

/// The maximum size of a body in bytes, in the extensions of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimit(pub(super) usize);

/// The parameter in the path of a control request.
pub(super) struct ControlPath<T>(pub(super) T);

impl<S: Send + Sync> FromRequest<S> for ControlBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let limit = request.extensions().get().copied();
        let body = Bytes::from_request(request, state).await;
        match (body, limit) {
            (Ok(body), _) => Ok(Self(body)),
            (Err(rejection), Some(BodyLimit(limit)))
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE =>
            {
                let reason = format!("A body may have up to {limit} bytes.");
                let status = rejection.status();
                Err(Refusal::new(status, "BODY_TOO_LARGE", reason))
            }
            (Err(rejection), _) => Err(bad_request(rejection.body_text())),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ControlPath<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(parameter) = Path::from_request_parts(parts, state).await?;
        Ok(Self(parameter))
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        bad_request(rejection.body_text())
    }
}
