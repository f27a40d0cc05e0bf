//! Frames, requests, answers and events as JSON.

mod event;
mod event_json;
mod frame;
pub(crate) mod path;
mod request;
mod response;
mod salvage;
mod status;

pub(crate) use event::{Kind as EventKind, ServerEvent};
pub(crate) use event_json::{EventError, Published, UnreadableEvent};
pub(crate) use frame::{FrameHead, FrameReader, ServerFrame, encode_ack, encode_request};
pub use path::encode_component;
pub(crate) use request::{Method, Request};
pub(crate) use response::{Page, Refusal, server_error};
pub use salvage::replace_lone_surrogates;
pub(crate) use salvage::{Salvage, read as salvage};
pub(crate) use status::StatusClass;

/// Reads one event, for tests.
#[cfg(test)]
pub(crate) fn read_event(json: &serde_json::value::RawValue) -> Published {
    event_json::read_event(json, &mut event_json::Names::default()).0
}
