//! The I/O around the pure server: TCP, HTTP, WebSockets, files and the clock.

mod clock;
mod control;
mod control_access;
mod cors;
mod data_error;
mod data_folder;
mod download;
mod engine;
mod fault;
mod files;
mod listener;
mod meter;
mod range;
mod refusal;
mod router;
mod schema;
mod send_queue;
mod socket;
mod state;
mod storage;
mod upgrade;
mod upload;

pub(crate) use clock::Clock;
pub(crate) use control_access::ControlAccess;
pub use data_error::DataError;
pub use engine::Stopped;
pub(crate) use engine::{Engine, EngineTask};
pub(crate) use files::Files;
pub(crate) use listener::{AcceptLimiter, DEFAULT_STALL_TIMEOUT, serve};
pub(crate) use router::router;
pub(crate) use state::Shell;
pub(crate) use storage::{Persisted, StallHook, Storage};
