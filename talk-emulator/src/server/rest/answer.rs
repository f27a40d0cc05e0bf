//! Answers and refusals of the REST API.

use crate::server::refusal::Refusal;
use crate::server::reply::Reply;

/// Returns the status and the body. The API documents only 400, 401 and 404, so other refusals of
/// the socket have the status 400 here (our choice).
pub(super) fn answer(reply: Reply) -> (u16, String) {
    match reply {
        Ok(body) => (200, body),
        Err(refusal) => {
            let status = match refusal.status {
                403 | 409 => 400,
                status => status,
            };
            (status, refusal.json())
        }
    }
}

/// Creates a refusal with status 400.
pub(super) fn invalid(code: &'static str, reason: impl Into<String>) -> Refusal {
    Refusal::invalid(code, reason)
}
