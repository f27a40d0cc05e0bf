//! tokio, with sockets that lead to a server in memory, so that no limit of the system is in the way.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::io::{AsyncRead, AsyncWrite};
use talk_tokio::{Runtime, TokioRuntime};
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// tokio, of which everything that a session holds is counted.
#[derive(Clone)]
pub(crate) struct Counting {
    inner: TokioRuntime,
    pub(crate) tasks: Counter,
    pub(crate) sleeps: Counter,
    pub(crate) sockets: Counter,
}

#[derive(Clone)]
pub(crate) struct Counter(watch::Sender<usize>);

/// One of what is counted.
struct Counted(Counter);

impl Counter {
    fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    fn one(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.clone())
    }

    pub(crate) async fn until_none(&self, what: &str) {
        let mut count = self.0.subscribe();
        let none = count.wait_for(|count| *count == 0);
        let outcome = tokio::time::timeout(Duration::from_secs(60), none).await;
        assert!(outcome.is_ok(), "{} {what} are left", *self.0.borrow());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

impl Counting {
    pub(crate) fn new() -> Self {
        Self {
            inner: TokioRuntime::current().unwrap(),
            tasks: Counter::new(),
            sleeps: Counter::new(),
            sockets: Counter::new(),
        }
    }
}

impl Runtime for Counting {
    type TcpStream = CountedStream;

    async fn connect_tcp(&self, _: SocketAddr) -> io::Result<CountedStream> {
        let (ours, theirs) = tokio::io::duplex(4096);
        tokio::spawn(super::serve(theirs));
        Ok(CountedStream {
            stream: ours.compat(),
            _counted: self.sockets.one(),
        })
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let (sleep, counted) = (self.inner.sleep(duration), self.sleeps.one());
        async move {
            let _counted = counted;
            sleep.await;
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let counted = self.tasks.one();
        self.inner.spawn(async move {
            let _counted = counted;
            task.await;
        });
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        self.inner.spawn_blocking(work);
    }
}

pub(crate) struct CountedStream {
    stream: Compat<DuplexStream>,
    _counted: Counted,
}

impl AsyncRead for CountedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
