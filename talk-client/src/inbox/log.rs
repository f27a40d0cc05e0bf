//! Events for `tracing` about handlers. Without the feature of that name there are none.

use std::time::Duration;

use super::delivery::Delivery;

/// Logs a failed attempt, without the error, which may contain the text of the message. Without a
/// hook for failures, nothing else reports it.
#[cfg(feature = "tracing")]
pub(super) fn attempt_failed(delivery: &Delivery, retry_in: Option<Duration>) {
    let conversation = delivery.conversation.id.as_str().escape_debug();
    let message = delivery.message.id.as_str().escape_debug();
    let attempt = delivery.attempt();
    match retry_in {
        Some(delay) => {
            tracing::warn!(%conversation, %message, attempt, ?delay, "a handler has failed");
        }
        None => {
            tracing::error!(%conversation, %message, attempt, "a handler has failed finally");
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn attempt_failed(_: &Delivery, _: Option<Duration>) {}
