//! Draining of request bodies. A response can be lost if its connection is closed with unread
//! bytes: the system resets the connection, and the client fails while it is still sending.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Duration, timeout};

use super::fault::ConnectionHandle;
use super::listener::DEFAULT_STALL_TIMEOUT;

/// The maximum number of bytes that are read after a response. The connection is closed after more.
const MAX_DRAINED: usize = 256 * 1024 * 1024;

/// Reads the rest of each request's body after its response.
pub(super) async fn drain_body(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let connection = head.extensions.get::<ConnectionHandle>();
    let stall_timeout = connection.map_or(DEFAULT_STALL_TIMEOUT, ConnectionHandle::stall_timeout);
    let is_expecting = expects_continue(&head.headers);
    let body = SharedBody::new(body);
    let request = Request::from_parts(head, Body::new(body.clone()));
    let mut response = next.run(request).await;
    // A body that has stalled is not waited for again.
    if body.is_complete() || response.status() == StatusCode::REQUEST_TIMEOUT {
        return response;
    }
    if is_expecting && !body.is_started() {
        // The client has not sent the body, and does not send it after a final response.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        return response;
    }
    tokio::spawn(drain(body, stall_timeout));
    response
}

fn expects_continue(headers: &HeaderMap) -> bool {
    let expect = headers.get(header::EXPECT);
    expect.is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Reads a body to its end, unless it is too large, stalls or fails.
async fn drain(body: SharedBody, stall_timeout: Duration) {
    let mut body = Body::new(body).into_data_stream();
    let mut left = MAX_DRAINED;
    while let Ok(Some(Ok(chunk))) = timeout(stall_timeout, body.next()).await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// A body that outlives its reader.
#[derive(Clone)]
struct SharedBody(Arc<Mutex<BodyState>>);

struct BodyState {
    body: Body,
    is_started: bool,
    is_complete: bool,
}

impl SharedBody {
    fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(BodyState {
            body,
            is_started: false,
            is_complete: false,
        })))
    }

    /// Locks the state and ignores poisoning, because it is consistent after every statement.
    fn state(&self) -> MutexGuard<'_, BodyState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if a reader has requested bytes. The client is asked for the body then.
    fn is_started(&self) -> bool {
        self.state().is_started
    }

    fn is_complete(&self) -> bool {
        let state = self.state();
        state.is_complete || state.body.is_end_stream()
    }
}

impl HttpBody for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut state = self.state();
        state.is_started = true;
        let frame = Pin::new(&mut state.body).poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = &frame {
            state.is_complete = true;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.is_complete()
    }

    fn size_hint(&self) -> SizeHint {
        self.state().body.size_hint()
    }
}
