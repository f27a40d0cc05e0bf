//! A runtime that counts the tasks, sleeps and sockets of sessions.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::io::{AsyncRead, AsyncWrite};
use talk_tokio::Runtime;
use tokio::sync::watch;

/// The time limit of a wait.
const TOO_LONG: Duration = Duration::from_secs(120);

/// A runtime, and the counts of its tasks, sleeps and sockets.
#[derive(Clone)]
pub(crate) struct Counting<R> {
    inner: R,
    held: watch::Sender<Held>,
}

/// The counts of a runtime's tasks, sleeps and sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) tasks: usize,
    pub(crate) sleeps: usize,
    pub(crate) sockets: usize,
}

/// Selects a count.
type Kind = fn(&mut Held) -> &mut usize;

impl<R> Counting<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            held: watch::Sender::new(Held::default()),
        }
    }

    fn count(&self, kind: Kind) -> Counted {
        self.held.send_modify(|held| *kind(held) += 1);
        Counted {
            kind,
            held: self.held.clone(),
        }
    }
}

impl<R: Runtime> Counting<R> {
    /// Waits until the counts equal `held`.
    pub(crate) async fn until(&self, held: Held) {
        let mut now = self.held.subscribe();
        let same = pin!(now.wait_for(|now| *now == held));
        let too_long = pin!(self.inner.sleep(TOO_LONG));
        if let Either::Right(_) = select(same, too_long).await {
            panic!("{self:?} is left, and not {held:?}");
        }
    }

    /// Waits until all counts are zero.
    pub(crate) async fn unused(&self) {
        self.until(Held::default()).await;
    }
}

impl<R> fmt::Debug for Counting<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (*self.held.borrow()).fmt(f)
    }
}

/// A guard that lowers a count on drop.
struct Counted {
    kind: Kind,
    held: watch::Sender<Held>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.held.send_modify(|held| *(self.kind)(held) -= 1);
    }
}

impl<R: Runtime> Runtime for Counting<R> {
    type TcpStream = CountedStream<R::TcpStream>;

    async fn connect_tcp(&self, address: SocketAddr) -> io::Result<Self::TcpStream> {
        let counted = self.count(|held| &mut held.sockets);
        Ok(CountedStream {
            stream: self.inner.connect_tcp(address).await?,
            _counted: counted,
        })
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let counted = self.count(|held| &mut held.sleeps);
        let sleep = self.inner.sleep(duration);
        async move {
            let _counted = counted;
            sleep.await;
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let counted = self.count(|held| &mut held.tasks);
        self.inner.spawn(async move {
            let _counted = counted;
            task.await;
        });
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        let counted = self.count(|held| &mut held.tasks);
        self.inner.spawn_blocking(move || {
            let _counted = counted;
            work();
        });
    }
}

pub(crate) struct CountedStream<S> {
    stream: S,
    _counted: Counted,
}

impl<S: AsyncRead + Unpin> AsyncRead for CountedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CountedStream<S> {
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
