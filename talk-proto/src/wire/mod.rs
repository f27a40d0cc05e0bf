//! Frames, requests, answers and events as JSON.

mod event;
mod frame;
pub(crate) mod path;
mod request;
mod response;

pub(crate) use event::EventError;
pub use event::ServerEvent;
pub(crate) use frame::{FrameHead, ServerFrame, encode_ack, encode_request};
pub(crate) use request::{Method, Request};
pub(crate) use response::{Page, Refusal};
