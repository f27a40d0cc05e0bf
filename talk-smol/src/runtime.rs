//! smol as a [`Runtime`].

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use smol::net::TcpStream;
use smol::{Executor, Timer};
use talk_client::Runtime;

/// The global executor of smol, or a custom one.
///
/// It does not keep the executor alive: dropping a custom executor ends its sessions.
#[derive(Clone, Debug, Default)]
pub struct SmolRuntime {
    /// `None` for the global executor. The reference is weak, because tasks own this value and the
    /// executor owns the tasks.
    executor: Option<Weak<Executor<'static>>>,
}

impl SmolRuntime {
    /// Creates a handle of the global executor, which has `SMOL_THREADS` threads (default 1).
    #[must_use]
    pub fn global() -> Self {
        Self::default()
    }

    /// Creates a handle of a custom executor, which runs while its `run` is polled.
    #[must_use]
    pub fn new(executor: &Arc<Executor<'static>>) -> Self {
        Self {
            executor: Some(Arc::downgrade(executor)),
        }
    }
}

impl Runtime for SmolRuntime {
    type TcpStream = TcpStream;

    async fn connect_tcp(&self, address: SocketAddr) -> io::Result<Self::TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let timer = Timer::after(duration);
        async move {
            timer.await;
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self.executor.as_ref().map(Weak::upgrade) {
            None => smol::spawn(task).detach(),
            Some(Some(executor)) => executor.spawn(task).detach(),
            Some(None) => {}
        }
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        smol::unblock(work).detach();
    }
}
