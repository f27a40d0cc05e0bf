//! The interface between a session and the network of its platform.
//!
//! [`Transport`] is all that a session needs: WebSockets, HTTP, timers, tasks and clocks. With the
//! feature `native` (on by default) the module `net` implements it over any async runtime. A crate
//! for another platform, such as the browser, implements it and calls
//! [`get_talk_session_over`](crate::get_talk_session_over).
//!
//! A transport reports results and makes no decisions: time-outs, retries and limits on unsent
//! bytes belong to the session. Dropping one of its futures or values cancels the operation and
//! closes the connection.

mod blocking;
mod body;
mod error;
mod send;
mod websocket;

use std::future::Future;
use std::time::Duration;

use http::{Request, Response};

pub(crate) use self::blocking::blocking_task;
pub use self::body::{RequestBody, ResponseBody};
pub use self::error::{ConnectError, HttpError, UrlError, WebSocketError};
pub use self::send::{BoxFuture, BoxStream, MaybeSend, MaybeSync};
pub(crate) use self::send::{BoxableFnOnce, SharableFn};
pub use self::websocket::{CloseReason, WebSocket, WebSocketEvent};
pub use crate::upload::progress::ProgressCounter;

/// The network, timers, tasks and clocks of a platform.
///
/// The value is a handle: clones are cheap and share their connections, timers and tasks. No
/// operation has a time-out of its own.
pub trait Transport: Clone + MaybeSend + MaybeSync + 'static {
    /// An open WebSocket.
    type WebSocket: WebSocket;

    /// Opens a WebSocket at a `ws://` or `wss://` URL.
    ///
    /// A message larger than `max_message` bytes fails the socket with
    /// [`WebSocketError::TooLarge`].
    ///
    /// # Errors
    ///
    /// [`ConnectError`] if the URL is invalid, the server cannot be reached, or it does not answer
    /// 101. Redirects are not followed.
    fn websocket(
        &self,
        url: &str,
        max_message: usize,
    ) -> BoxFuture<'static, Result<Self::WebSocket, ConnectError>>;

    /// Sends a request to its `http://` or `https://` URL and resolves with the head of the
    /// response, whose body follows as a stream.
    ///
    /// The transport sets `Host`, `Connection` and `Content-Length`. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// [`HttpError`] if the URL is invalid, the server cannot be reached, the request body fails,
    /// or the connection ends before the head is complete.
    fn http(
        &self,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, HttpError>>;

    /// Completes after `duration`, never early.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Runs `task` in the background. It is dropped when the platform's runtime shuts down.
    fn spawn(&self, task: impl Future<Output = ()> + MaybeSend + 'static);

    /// Runs `work` on a thread where blocking is allowed, or at once on a platform without threads.
    /// It may be dropped without running when the runtime shuts down.
    fn spawn_blocking(&self, work: impl FnOnce() + MaybeSend + 'static);

    /// Reads the platform's clocks.
    fn now(&self) -> ClockReading;

    /// Returns a random number. Sessions derive message IDs and retry delays from it, so no two
    /// sessions may get the same one.
    fn seed(&self) -> u64;
}

/// The clocks of a platform at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// Time since a fixed origin. It never goes back, and may stand still while the machine sleeps.
    pub monotonic: Duration,
    /// Time since the Unix epoch. It may jump.
    pub wall: Duration,
}
