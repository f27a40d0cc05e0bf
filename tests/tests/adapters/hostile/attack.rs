//! Attacks of a hostile server on a connection.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_tungstenite::accept_async;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::adapters::transport::peer::read_request;

/// A handler of connections. A connection is closed when its future completes.
pub(super) type Attack = Box<dyn Fn(TcpStream) -> BoxFuture<'static, ()> + Send + Sync>;

/// Creates an attack on a connection before the first byte.
pub(super) fn connected<F>(attack: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Attack
where
    F: Future<Output = ()> + Send + 'static,
{
    Box::new(move |stream| attack(stream).boxed())
}

/// Creates an attack that answers the WebSocket upgrade with these bytes.
pub(super) fn answering(answer: impl AsRef<[u8]>) -> Attack {
    let answer = Arc::<[u8]>::from(answer.as_ref());
    connected(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            read_request(&mut stream).await;
            // The client may close the connection before it has received everything.
            let _ = stream.write_all(&answer).await;
            until_left(stream).await;
        }
    })
}

/// Creates an attack on a properly opened WebSocket.
pub(super) fn opened<F>(attack: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Attack
where
    F: Future<Output = ()> + Send + 'static,
{
    let attack = Arc::new(attack);
    connected(move |stream| {
        let attack = Arc::clone(&attack);
        async move {
            if let Ok(socket) = accept_async(stream.compat()).await {
                attack(socket.into_inner().into_inner()).await;
            }
        }
    })
}

/// Creates an attack that opens a WebSocket and sends these bytes.
pub(super) fn sending(bytes: impl AsRef<[u8]>) -> Attack {
    let bytes = Arc::<[u8]>::from(bytes.as_ref());
    opened(move |mut stream| {
        let bytes = Arc::clone(&bytes);
        async move {
            // The client may close the connection before it has received everything.
            let _ = stream.write_all(&bytes).await;
            until_left(stream).await;
        }
    })
}

/// Waits until the client closes the connection.
pub(super) async fn until_left(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

/// The largest number of bytes that a connection accepted from an endless stream.
#[derive(Clone, Default)]
pub(super) struct Taken(Arc<AtomicUsize>);

impl Taken {
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Sends `chunk` repeatedly until the client closes the connection. Reads nothing.
    pub(super) async fn feed(&self, stream: &mut TcpStream, chunk: &[u8]) {
        let mut taken = 0;
        while let Ok(written) = stream.write(chunk).await {
            taken += written;
            self.0.fetch_max(taken, Ordering::Relaxed);
            if written < chunk.len() && stream.write_all(&chunk[written..]).await.is_err() {
                return;
            }
        }
    }
}

/// Returns a server's WebSocket frame. `head` is its first byte: the opcode, plus 0x80 in the last
/// fragment.
pub(super) fn frame(head: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut frame = vec![head];
    match payload.len() {
        length @ 0..=125 => frame.push(length as u8),
        length @ 126..=0xffff => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}
