//! The parts of control requests. Their errors are the JSON of all control errors.

use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::control::bad_request;
use super::refusal::Refusal;

/// The complete body of a control request.
pub(super) struct ControlBody(pub(super) Bytes);

/// The parameter in the path of a control request.
pub(super) struct ControlPath<T>(pub(super) T);

impl<S: Send + Sync> FromRequest<S> for ControlBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        Ok(Self(Bytes::from_request(request, state).await?))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ControlPath<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(parameter) = Path::from_request_parts(parts, state).await?;
        Ok(Self(parameter))
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "BODY_TOO_LARGE",
            _ => "INVALID_REQUEST",
        };
        Self::new(rejection.status(), code, rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        bad_request(rejection.body_text())
    }
}
