//! The events that an inspector shows: frames, connections, webhooks, faults, and changes of data
//! and of the clock.

mod event;
mod frame;
mod frame_entry;
mod log;
mod mask;
mod record;
mod requests;
mod text_ring;

pub use event::{ConnectionChange, InspectorEvent, InspectorEventBody};
pub use frame::{FrameDirection, FrameKind, RecordedFrame, RequestLine};
pub(super) use log::EventLog;
pub use log::InspectorEvents;
pub(super) use mask::{mask_query, mask_request_data};
pub(super) use requests::RecordedRequests;
