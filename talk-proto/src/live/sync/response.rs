//! Responses to requests of the live half.

use serde_json::value::RawValue;

use crate::error::{RequestError, ServerError, TransportError};
use crate::wire::{Salvage, salvage};

/// The body of a response, or the reason for its failure.
pub(crate) type Response<'a> = Result<Option<&'a RawValue>, RequestError>;

/// Decodes a response body. Unreadable items are skipped and added to `damaged`. A body that cannot
/// be read at all is an error.
pub(crate) fn decode<T: Salvage>(
    response: Response<'_>,
    damaged: &mut usize,
) -> Result<T, RequestError> {
    let value = response?.and_then(|body| salvage(body.get(), damaged));
    value.ok_or_else(|| TransportError::Malformed.into())
}

/// Returns `true` if the error means that the entity does not exist for the current user.
pub(crate) fn is_absence(error: &RequestError) -> bool {
    match error {
        RequestError::Server(ServerError { status: 404, .. }) => true,
        RequestError::Server(ServerError {
            status: 403,
            error_code,
            ..
        }) => error_code == "NOT_A_PARTICIPANT",
        _ => false,
    }
}
