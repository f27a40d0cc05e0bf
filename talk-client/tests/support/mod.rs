//! A transport in memory.
//!
//! With `--cfg talk_local_futures` it belongs to one thread.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::VecDeque;
use std::future::{Future, pending, ready};
use std::mem;
#[cfg(talk_local_futures)]
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{Request, Response};
use talk_client::TalkOptions;
use talk_client::transport::{
    BoxFuture, ClockReading, CloseReason, ConnectError, HttpError, MaybeSend, RequestBody,
    ResponseBody, Transport, WebSocket, WebSocketError, WebSocketEvent,
};

/// A transport whose server answers every request with an empty object. Its tasks are polled by
/// hand.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) tasks: Arc<Mutex<Vec<BoxFuture<'static, ()>>>>,
    is_offline: bool,
    #[cfg(talk_local_futures)]
    _one_thread: Option<Rc<()>>,
}

impl Memory {
    /// Creates a transport without a network.
    pub(crate) fn offline() -> Self {
        Self {
            is_offline: true,
            ..Self::default()
        }
    }

    /// Polls every task a few times.
    pub(crate) fn run(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..8 {
            let mut tasks = mem::take(&mut *self.tasks.lock().unwrap());
            tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
            self.tasks.lock().unwrap().append(&mut tasks);
        }
    }

    /// Runs a future that needs no network.
    pub(crate) fn complete<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = Box::pin(future);
        for _ in 0..8 {
            if let Some(value) = (&mut future).now_or_never() {
                return value;
            }
            self.run();
        }
        panic!("the future is not complete");
    }
}

/// Returns options for a server that does not exist.
pub(crate) fn options(user: &str) -> TalkOptions {
    let options = TalkOptions::new("app", user).unwrap().token("token");
    options.host("127.0.0.1:1")
}

impl Transport for Memory {
    type WebSocket = MemorySocket;

    fn websocket(
        &self,
        _: &str,
        _: usize,
    ) -> BoxFuture<'static, Result<MemorySocket, ConnectError>> {
        let socket = MemorySocket::default();
        Box::pin(ready(if self.is_offline {
            let reason = "the browser is offline".to_owned();
            Err(ConnectError::Handshake { reason })
        } else {
            Ok(socket)
        }))
    }

    fn http(
        &self,
        _: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, HttpError>> {
        if self.is_offline {
            return Box::pin(pending());
        }
        let body = stream::iter([Ok(Bytes::from_static(b"{}"))]);
        Box::pin(ready(Ok(Response::new(ResponseBody::new(body)))))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }

    fn spawn(&self, task: impl Future<Output = ()> + MaybeSend + 'static) {
        self.tasks.lock().unwrap().push(Box::pin(task));
    }

    fn spawn_blocking(&self, work: impl FnOnce() + MaybeSend + 'static) {
        work();
    }

    fn now(&self) -> ClockReading {
        ClockReading {
            monotonic: Duration::from_secs(1),
            wall: Duration::from_secs(1_700_000_000),
        }
    }

    fn seed(&self) -> u64 {
        7
    }
}

#[derive(Default)]
pub(crate) struct MemorySocket {
    received: VecDeque<String>,
    close_code: Option<u16>,
    #[cfg(talk_local_futures)]
    _one_thread: Option<Rc<()>>,
}

impl WebSocket for MemorySocket {
    fn poll_event(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<WebSocketEvent, WebSocketError>>> {
        if let Some(text) = self.received.pop_front() {
            return Poll::Ready(Some(Ok(WebSocketEvent::Text(text))));
        }
        match self.close_code.take() {
            Some(code) => {
                let reason = String::new();
                let closed = WebSocketEvent::Closed(Some(CloseReason { code, reason }));
                Poll::Ready(Some(Ok(closed)))
            }
            None => Poll::Pending,
        }
    }

    fn start_send(&mut self, text: String) {
        if let Some((seq, _)) = text.trim_start_matches('[').split_once(",\"") {
            self.received.push_back(format!("[{seq},200,{{}}]"));
        }
    }

    fn start_close(&mut self, code: u16) {
        self.close_code = Some(code);
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        Poll::Ready(Ok(()))
    }

    fn unsent(&self) -> usize {
        0
    }
}
