//! The life of the connection: socket, authentication, queue of calls, retries.

mod auth;
mod backoff;
mod call;
mod heartbeat;
mod key;
mod link;
mod queue;
mod rejections;
mod verdict;

pub(crate) use auth::{Auth, AuthTask, Renewal};
pub(crate) use backoff::Reconnect;
pub(crate) use call::{CallBody, Outcome, Prepared, prepare, validation};
pub(crate) use link::{CONNECT_WITHIN, InFlight, Link, LiveRequest, OpenLink};
pub(crate) use queue::{Place, Queue, Turn};
pub(crate) use rejections::Rejections;
pub(crate) use verdict::Verdict;
