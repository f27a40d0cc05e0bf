//! HTTP exchanges over a transport.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_channel::oneshot;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use http::{Request, Response};
use talk_proto::Timestamp;

use crate::transport::{BoxFuture, HttpError, MaybeSend, MaybeSync, RequestBody, Transport};

/// The maximum size of an answer in bytes.
pub(super) const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// The part of a transport that calls need, without its type.
pub(super) trait Network: MaybeSend + MaybeSync {
    fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'static, Result<Response<Bytes>, ExchangeError>>;

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Returns the wall clock.
    fn now(&self) -> Timestamp;

    fn random(&self) -> u64;
}

/// The reason that a request has no answer.
pub(super) enum ExchangeError {
    Http(HttpError),
    TimedOut,
    TooLarge,
    Stopped,
}

/// A transport.
pub(super) struct Over<T>(pub(super) T);

impl<T: Transport> Network for Over<T> {
    /// Runs the request in a task of its own, because a transport is polled only there. Dropping
    /// the future cancels it.
    fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'static, Result<Response<Bytes>, ExchangeError>> {
        let (mut sender, receiver) = oneshot::channel();
        let transport = self.0.clone();
        self.0.spawn(async move {
            let result = {
                let exchange = pin!(within(&transport, request, timeout));
                match select(exchange, sender.cancellation()).await {
                    Either::Left((result, _)) => result,
                    Either::Right(_) => return,
                }
            };
            // Fails if the future was dropped.
            let _ = sender.send(result);
        });
        Box::pin(async { receiver.await.unwrap_or(Err(ExchangeError::Stopped)) })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (mut sender, receiver) = oneshot::channel();
        let transport = self.0.clone();
        self.0.spawn(async move {
            select(transport.sleep(duration), sender.cancellation()).await;
            // Fails if the future was dropped.
            let _ = sender.send(());
        });
        // An error means that the runtime shuts down. The next exchange reports it.
        Box::pin(async { receiver.await.unwrap_or_default() })
    }

    fn now(&self) -> Timestamp {
        Timestamp::default() + self.0.now().wall
    }

    fn random(&self) -> u64 {
        self.0.seed()
    }
}

async fn within<T: Transport>(
    transport: &T,
    request: Request<Bytes>,
    timeout: Duration,
) -> Result<Response<Bytes>, ExchangeError> {
    let exchange = pin!(exchange(transport, request));
    match select(exchange, transport.sleep(timeout)).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(ExchangeError::TimedOut),
    }
}

async fn exchange<T: Transport>(
    transport: &T,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, ExchangeError> {
    let request = request.map(RequestBody::from_bytes);
    let response = transport.http(request).await.map_err(ExchangeError::Http)?;
    let (head, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(ExchangeError::Http)?;
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(ExchangeError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Response::from_parts(head, bytes.freeze()))
}
