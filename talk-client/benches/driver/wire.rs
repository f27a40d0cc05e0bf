//! A runtime that runs its tasks on request, with connections in memory.

use std::future::{Future, pending};
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::io::{AsyncRead, AsyncWrite};
use talk_client::Runtime;

use crate::peer;

/// The tasks and the connection of the WebSocket.
#[derive(Clone, Default)]
pub(crate) struct Network {
    tasks: Arc<Mutex<Vec<BoxFuture<'static, ()>>>>,
    woken: Arc<Woken>,
    socket: Arc<Mutex<Option<Wire>>>,
}

/// Set if a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Network {
    /// Runs the tasks until none is woken.
    pub(crate) fn run(&self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut cx = Context::from_waker(&waker);
        while self.woken.0.swap(false, Ordering::Relaxed) {
            // A task may spawn others.
            let mut tasks = mem::take(&mut *lock(&self.tasks));
            tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
            lock(&self.tasks).append(&mut tasks);
        }
    }

    /// Stops the peer from answering on the WebSocket.
    pub(crate) fn take_over(&self) {
        lock(&self.wire().0).is_served = false;
    }

    /// Delivers bytes on the WebSocket.
    pub(crate) fn arrive(&self, bytes: &[u8]) {
        lock(&self.wire().0).arrive(bytes);
    }

    /// Passes the bytes sent on the WebSocket since the last call to `look`.
    pub(crate) fn sent(&self, look: impl FnOnce(&[u8])) {
        let wire = self.wire();
        let mut pipe = lock(&wire.0);
        look(&pipe.sent);
        pipe.sent.clear();
    }

    fn wire(&self) -> Wire {
        lock(&self.socket).clone().expect("a WebSocket")
    }
}

impl Runtime for Network {
    type TcpStream = Wire;

    async fn connect_tcp(&self, _: SocketAddr) -> io::Result<Wire> {
        let wire = Wire::default();
        lock(&wire.0).socket = Some(Arc::clone(&self.socket));
        Ok(wire)
    }

    fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send + 'static {
        pending()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.tasks).push(Box::pin(task));
        self.woken.0.store(true, Ordering::Relaxed);
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        work();
    }
}

/// A connection in memory.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<Pipe>>);

#[derive(Default)]
struct Pipe {
    incoming: Vec<u8>,
    /// The number of bytes read from `incoming`.
    read: usize,
    sent: Vec<u8>,
    reader: Option<Waker>,
    is_upgraded: bool,
    /// Set if the peer answers requests.
    is_served: bool,
    /// Set to this connection when it becomes a WebSocket.
    socket: Option<Arc<Mutex<Option<Wire>>>>,
}

impl Pipe {
    fn arrive(&mut self, bytes: &[u8]) {
        self.incoming.extend(bytes);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn serve(&mut self) {
        while let Some(text) = peer::take_text(&mut self.sent) {
            if let Some(answer) = peer::answer(&text) {
                let mut bytes = Vec::new();
                peer::frame(&mut bytes, &answer);
                self.arrive(&bytes);
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = lock(&self.0);
        let left = &pipe.incoming[pipe.read..];
        if left.is_empty() {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        pipe.read += count;
        if pipe.read == pipe.incoming.len() {
            pipe.read = 0;
            pipe.incoming.clear();
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = lock(&self.0);
        pipe.sent.extend(bytes);
        if pipe.is_served {
            pipe.serve();
        } else if !pipe.is_upgraded && pipe.sent.ends_with(b"\r\n\r\n") {
            let head = mem::take(&mut pipe.sent);
            let answer = peer::upgrade(&String::from_utf8_lossy(&head));
            pipe.arrive(answer.as_bytes());
            pipe.is_upgraded = answer.starts_with("HTTP/1.1 101");
            pipe.is_served = pipe.is_upgraded;
            if pipe.is_upgraded
                && let Some(socket) = &pipe.socket
            {
                *lock(socket) = Some(self.clone());
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
