//! smol as a [`Runtime`].

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use smol::net::TcpStream;
use smol::{Executor, Timer};
use talk_client::Runtime;

/// smol's global executor, or one of your own.
///
/// It keeps no executor alive: when one of your own is dropped, what runs on it ends.
#[derive(Clone, Debug, Default)]
pub struct SmolRuntime {
    /// `None` is the global one. Tasks hold this, and the executor holds the tasks.
    executor: Option<Weak<Executor<'static>>>,
}

impl SmolRuntime {
    /// The global executor, which has threads of its own: as many as `SMOL_THREADS` says, else one.
    #[must_use]
    pub fn global() -> Self {
        Self::default()
    }

    /// An executor of the caller's, which runs as long as something polls its `run`.
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
