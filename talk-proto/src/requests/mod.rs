//! Requests that wait for the connection or for their answer.

mod backoff;
mod body;
mod content;
mod entry;
mod failures;
mod pacing;
mod pending_calls;
mod prepare;
mod queue;
mod response;

pub(crate) use body::CallBody;
pub(crate) use content::{follow_up, send_entry};
pub(crate) use entry::QueueSlot;
pub(crate) use failures::LossCause;
pub(crate) use pending_calls::{CallPurpose, CallResult};
pub(crate) use prepare::{OutboundRequest, prepare, upload_check};
pub(crate) use queue::{Answer, LiveAnswer, RequestQueue};
