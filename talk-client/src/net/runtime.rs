//! The interface between the native transport and an async runtime.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::io::{AsyncRead, AsyncWrite};

use crate::transport::blocking_task;

/// An async runtime: TCP connections, timers and tasks.
///
/// An adapter crate implements this trait. Name resolution and file access use
/// [`spawn_blocking`](Self::spawn_blocking), TLS, WebSocket and HTTP are built on
/// [`TcpStream`](Self::TcpStream), and clocks come from the standard library.
///
/// The value is a handle: clones are cheap and refer to the same runtime. The futures that it
/// returns are polled only in tasks that it spawned.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// A connected TCP stream.
    type TcpStream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Connects to an address with `TCP_NODELAY` set, because frames are small and latency
    /// matters.
    ///
    /// Dropping the future abandons the attempt. The only time-out is the system's.
    ///
    /// # Errors
    ///
    /// The system's error if the connection fails.
    fn connect_tcp(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send;

    /// Completes after `duration`, never early.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Runs `task` in the background. It is dropped when the runtime shuts down.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Runs `work` on a thread where blocking is allowed. It may be dropped without running when
    /// the runtime shuts down.
    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static);
}

/// Runs `work` where blocking is allowed and returns its value.
///
/// Dropping the future does not stop work that has begun; its value is discarded.
pub(super) async fn run_blocking<R: Runtime, T: Send + 'static>(
    runtime: &R,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (task, value) = blocking_task(work);
    runtime.spawn_blocking(task);
    value.await
}
