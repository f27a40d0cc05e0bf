//! Frames, requests, answers and events as JSON.

mod event;
mod frame;
pub(crate) mod path;
mod request;
mod response;

pub use event::ServerEvent;
pub(crate) use request::{Method, Request};
