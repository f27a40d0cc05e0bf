use serde::Serialize;
use talk_proto::Timestamp;

use super::frame::RecordedFrame;
use crate::server::fault::StruckFault;
use crate::server::output::ConnectionId;
use crate::server::webhooks::{WebhookKind, WebhookState};

/// An event of the log of an inspector.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectorEvent {
    /// The position in the log. Numbers ascend by one.
    pub number: u64,
    /// The content.
    pub body: InspectorEventBody,
}

/// The content of an [`InspectorEvent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum InspectorEventBody {
    /// A frame or an HTTP message.
    Frame(RecordedFrame),
    /// The state of a connection has changed.
    Connection {
        /// The connection.
        id: ConnectionId,
        /// Its app.
        app: String,
        /// Its user.
        user: String,
        /// The new state.
        state: ConnectionChange,
    },
    /// The state of a webhook has changed.
    Webhook {
        /// The ID of the event in the envelope.
        id: String,
        /// The app.
        app: String,
        /// The type.
        #[serde(rename = "type")]
        kind: WebhookKind,
        /// The new state.
        state: WebhookState,
    },
    /// A fault has struck.
    Fault(StruckFault),
    /// Data has changed.
    Data {
        /// The app. Absent if the data of all apps was replaced.
        app: Option<String>,
    },
    /// The clock was advanced.
    Clock {
        /// The new time.
        now: Timestamp,
    },
}

/// The change of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ConnectionChange {
    /// The connection was opened.
    Opened,
    /// Its session has begun or was renewed.
    Authenticated,
    /// Its session has expired.
    Expired,
    /// The connection has ended.
    Closed,
}

impl InspectorEventBody {
    /// Returns the name of the event.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Frame(_) => "frame",
            Self::Connection { .. } => "connection",
            Self::Webhook { .. } => "webhook",
            Self::Fault(_) => "fault",
            Self::Data { .. } => "data",
            Self::Clock { .. } => "clock",
        }
    }
}
