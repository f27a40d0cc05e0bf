//! What an async runtime has to give.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::io::{AsyncRead, AsyncWrite};

/// An async runtime, reduced to what cannot be written once for all of them.
///
/// An adapter crate implements this trait and nothing else. Name resolution and file access go
/// through [`spawn_blocking`](Self::spawn_blocking), TLS, WebSocket and HTTP are built on
/// [`TcpStream`](Self::TcpStream), and clocks come from the standard library.
///
/// The value is a handle: cloning it is cheap, and every clone stands for the same runtime. Futures
/// that it returns are polled only in tasks that it spawned.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// A connected TCP stream.
    type TcpStream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Connects to one address, with `TCP_NODELAY` set: frames are small and latency counts.
    ///
    /// Dropping the future abandons the attempt. There is no time-out beyond the system's own.
    ///
    /// # Errors
    ///
    /// What the system reports when the connection cannot be made.
    fn connect_tcp(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send;

    /// Completes when `duration` has passed, at the timer's resolution and never early.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Runs `task` to its end in the background. It is dropped when the runtime shuts down.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Runs `work` where blocking is allowed. It may be dropped unrun when the runtime shuts down.
    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static);
}

/// Runs `work` where blocking is allowed and waits for its value.
///
/// Dropping the future does not stop work that has begun; its value is thrown away.
pub(crate) async fn run_blocking<R: Runtime, T: Send + 'static>(
    runtime: &R,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    runtime.spawn_blocking(move || {
        // The receiver is gone when nobody waits any more.
        let _ = sender.send(work());
    });
    receiver
        .await
        .map_err(|_| io::Error::other("the async runtime is shutting down"))
}
