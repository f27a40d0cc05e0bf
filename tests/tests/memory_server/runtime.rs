//! The tokio runtime, with a server in memory instead of a network.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use talk_tokio::{Runtime, TokioRuntime};
use tokio::io::DuplexStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// The tokio runtime, with sockets that lead to a server in memory. The system's limits on sockets
/// therefore do not apply.
#[derive(Clone)]
pub(crate) struct InMemory(TokioRuntime);

impl InMemory {
    pub(crate) fn new(runtime: TokioRuntime) -> Self {
        Self(runtime)
    }
}

impl Runtime for InMemory {
    type TcpStream = Compat<DuplexStream>;

    async fn connect_tcp(&self, _: SocketAddr) -> io::Result<Self::TcpStream> {
        let (ours, theirs) = tokio::io::duplex(4096);
        tokio::spawn(super::serve(theirs));
        Ok(ours.compat())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.0.sleep(duration)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        self.0.spawn_blocking(work);
    }
}
