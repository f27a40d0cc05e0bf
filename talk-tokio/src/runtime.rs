//! tokio as a [`Runtime`].

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use talk_client::{NoRuntimeError, Runtime};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// A handle to a tokio runtime whose I/O and time drivers are enabled (`enable_all`).
///
/// It does not keep the runtime alive: dropping the runtime ends its sessions.
#[derive(Clone, Debug)]
pub struct TokioRuntime {
    handle: Handle,
}

impl TokioRuntime {
    /// Returns the runtime of the calling task or thread.
    ///
    /// # Errors
    ///
    /// [`NoRuntimeError`] when called from outside a runtime.
    pub fn current() -> Result<Self, NoRuntimeError> {
        Handle::try_current()
            .map(Self::new)
            .map_err(|_| NoRuntimeError)
    }

    /// Creates the runtime of a handle, for callers outside of the runtime.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self { handle }
    }
}

impl Runtime for TokioRuntime {
    type TcpStream = Compat<TcpStream>;

    async fn connect_tcp(&self, address: SocketAddr) -> io::Result<Self::TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream.compat())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let _entered = self.handle.enter();
        tokio::time::sleep(duration)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        self.handle.spawn_blocking(work);
    }
}
