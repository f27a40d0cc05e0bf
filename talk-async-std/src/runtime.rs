//! async-std as a [`Runtime`].

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_std::net::TcpStream;
use async_std::task;
use talk_client::Runtime;

/// The runtime of async-std. A process has one, and it never ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdRuntime;

impl Runtime for AsyncStdRuntime {
    type TcpStream = TcpStream;

    async fn connect_tcp(&self, address: SocketAddr) -> io::Result<Self::TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        task::sleep(duration)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(task::spawn(task));
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        drop(task::spawn_blocking(work));
    }
}
