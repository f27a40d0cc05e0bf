use std::fmt;

use serde::{Deserialize, Serialize};
use talk_proto::Timestamp;

use super::kind::WebhookKind;
use crate::server::fault::FaultKind;

/// A webhook and the attempts to deliver it.
///
/// `Debug` does not show the body, which may hold message text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// The ID in the envelope, which is the same in every attempt.
    pub id: String,
    /// The app of the event.
    pub app: String,
    /// The type of the event.
    #[serde(rename = "type")]
    pub kind: WebhookKind,
    /// The time of the event.
    pub created_at: Timestamp,
    /// The progress.
    pub state: WebhookState,
    /// The attempts, oldest first.
    pub attempts: Vec<WebhookAttempt>,
    /// The body: the envelope as JSON, which is the same in every attempt.
    pub body: String,
    /// The injected faults that have struck.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultKind>,
    /// The position in the order of events.
    pub(super) sequence: u64,
    pub(super) subject: Subject,
    /// The number of failed attempts since the event was queued or resent.
    pub(super) failures: u32,
}

/// The progress of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a delivery has an end or not")]
pub enum WebhookState {
    /// An attempt is in flight or will follow.
    Pending,
    /// The last attempt was answered with status 200.
    Delivered,
    /// The last attempt failed, and no other will follow.
    Failed,
}

/// An attempt to deliver a webhook. `Debug` does not show the response.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WebhookAttempt {
    /// The time of the start, which is also the signed timestamp.
    pub at: Timestamp,
    /// The time of the end. Absent while the attempt is in flight.
    pub ended_at: Option<Timestamp>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The first 4 KiB of the answer.
    pub response: Option<String>,
    /// The reason for a missing answer.
    pub error: Option<String>,
}

/// The object of an event. The events of one object are delivered in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Subject {
    User(String),
    Conversation(String),
}

impl WebhookDelivery {
    /// Parses the body.
    pub fn json(&self) -> serde_json::Value {
        // Infallible: the server wrote the body.
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub(super) fn is_pending(&self) -> bool {
        self.state == WebhookState::Pending
    }
}

impl WebhookAttempt {
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            at,
            ended_at: None,
            status: None,
            response: None,
            error: None,
        }
    }
}

impl fmt::Debug for WebhookDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDelivery")
            .field("id", &self.id)
            .field("app", &self.app)
            .field("kind", &self.kind)
            .field("created_at", &self.created_at)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookAttempt")
            .field("at", &self.at)
            .field("ended_at", &self.ended_at)
            .field("status", &self.status)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
