//! Small servers, and helpers for clients that connect to them.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::task::Poll;

use async_tungstenite::WebSocketStream;
use futures_util::StreamExt;
use futures_util::io::{AsyncRead, AsyncWrite};
use talk_client::net::{Native, NativeWebSocket, TlsOptions};
use talk_client::transport::{WebSocketError, WebSocketEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use crate::adapters::adapter::{Adapter, servers};
use crate::adapters::server::listen;

/// The server's side of a WebSocket.
pub(crate) type ServerSocket = WebSocketStream<Compat<TcpStream>>;

/// A generous message limit, which only the test of the limit reaches.
pub(crate) const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// Returns a transport on the test's runtime with the default roots.
pub(crate) fn native<A: Adapter>() -> Native<A::Runtime> {
    native_with::<A>(TlsOptions::default())
}

/// Returns a transport on the test's runtime.
pub(crate) fn native_with<A: Adapter>(tls: TlsOptions) -> Native<A::Runtime> {
    Native::new(A::runtime()).tls(tls)
}

/// Reads and flushes the socket until it returns an event.
pub(crate) async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut NativeWebSocket<S>,
) -> Option<Result<WebSocketEvent, WebSocketError>> {
    poll_fn(|cx| {
        if let Poll::Ready(event) = socket.poll_next_unpin(cx) {
            return Poll::Ready(event);
        }
        match socket.poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            _ => Poll::Pending,
        }
    })
    .await
}

/// Returns the next message, which must be text.
pub(crate) async fn next_text<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut NativeWebSocket<S>,
) -> String {
    match next(socket).await {
        Some(Ok(WebSocketEvent::Text(text))) => text,
        other => panic!("no text but {other:?}"),
    }
}

/// Serves a TCP connection on a free port. The task returns the result of `serve`.
pub(crate) fn serve_tcp<F, T>(
    serve: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, JoinHandle<T>)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    serve_one(listen(), serve)
}

/// Serves a connection of a listener.
pub(crate) fn serve_one<F, T>(
    listener: TcpListener,
    serve: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, JoinHandle<T>)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let address = listener.local_addr().unwrap();
    let task = servers().spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(listener);
        serve(stream).await
    });
    (address, task)
}

/// Serves a WebSocket on a free port.
pub(crate) fn serve_websocket<F, T>(
    serve: impl FnOnce(ServerSocket) -> F + Send + 'static,
) -> (String, JoinHandle<T>)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let (address, task) = serve_tcp(|stream| async {
        serve(
            async_tungstenite::accept_async(stream.compat())
                .await
                .unwrap(),
        )
        .await
    });
    (format!("ws://{address}/v1/app/realtime/user?x=1"), task)
}

/// Reads the head of a request and its body up to its `content-length`.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .next()
                .unwrap_or(0);
            if body.len() >= length {
                return text.into_owned();
            }
        }
        assert_ne!(
            stream.read_buf(&mut bytes).await.unwrap(),
            0,
            "the request ended early"
        );
    }
}

/// Answers a request with these bytes and closes the connection. The task returns the request.
pub(crate) fn answer_with(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
    serve_tcp(move |mut stream| async move {
        let request = read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        request
    })
}
