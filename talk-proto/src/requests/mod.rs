//! Requests that wait for the connection or for their answer.

mod backoff;
mod body;
mod content;
mod failures;
mod pacing;
mod prepare;
mod queue;
mod response;

pub(crate) use body::CallBody;
pub(crate) use content::{follow_up, send_entry};
pub(crate) use failures::LossCause;
pub(crate) use prepare::{OutboundRequest, prepare, upload_check};
pub(crate) use queue::{Answer, CallPurpose, CallResult, LiveAnswer, QueueSlot, RequestQueue};
