//! The HTTP requests in flight.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::stream::Stream;
use http::request::Parts;
use http::{Request, Response};
use talk_proto::{HttpBody, HttpFailure, HttpId, Input};

use super::uploads::{self, FormParts, Uploads};
use crate::transport::{BoxFuture, HttpError, RequestBody, ResponseBody, Transport};

/// The HTTP requests in flight. They are few, so every poll of the driver polls all of them.
#[derive(Default)]
pub(super) struct HttpRequests {
    running: BTreeMap<HttpId, Stage>,
}

enum Stage {
    Head(BoxFuture<'static, Result<Response<ResponseBody>, HttpFailure>>),
    Body(ResponseBody),
    /// The request failed before it was sent.
    Failed(HttpFailure),
}

/// An event of a request.
enum HttpEvent {
    Head(u16),
    Chunk(Bytes),
    End,
    Failed(HttpFailure),
}

impl HttpRequests {
    pub(super) fn start<T: Transport>(
        &mut self,
        id: HttpId,
        transport: &T,
        uploads: &mut Uploads,
        request: Request<HttpBody>,
    ) {
        let (parts, body) = request.into_parts();
        let stage = match body {
            HttpBody::Empty => plain(transport, parts, RequestBody::default()),
            HttpBody::Bytes(bytes) => plain(transport, parts, RequestBody::from_bytes(bytes)),
            HttpBody::Upload {
                request: upload,
                source,
                preamble,
                length,
                epilogue,
            } => {
                let form = FormParts {
                    preamble,
                    length,
                    epilogue,
                };
                let is_queued = source.is_some();
                match uploads.body(transport, upload, source, form) {
                    Ok((body, progress)) => {
                        let request = Request::from_parts(parts, body);
                        let transport = transport.clone();
                        let stall_timeout = uploads.stall_timeout;
                        let send =
                            uploads::send(transport, request, progress, stall_timeout, is_queued);
                        Stage::Head(Box::pin(send))
                    }
                    Err(failure) => Stage::Failed(failure),
                }
            }
        };
        self.running.insert(id, stage);
    }

    pub(super) fn cancel(&mut self, id: HttpId) {
        self.running.remove(&id);
        if self.running.is_empty() {
            // An empty map keeps a node with room for eleven entries.
            self.running = BTreeMap::new();
        }
    }

    /// Returns the next event of any request.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Input<'static>> {
        for (&http, stage) in &mut self.running {
            let Poll::Ready(event) = stage.poll(cx) else {
                continue;
            };
            if let HttpEvent::End | HttpEvent::Failed(_) = event {
                self.cancel(http);
            }
            return Poll::Ready(match event {
                HttpEvent::Head(status) => Input::HttpHead { http, status },
                HttpEvent::Chunk(chunk) => Input::HttpChunk { http, chunk },
                HttpEvent::End => Input::HttpEnd { http },
                HttpEvent::Failed(failure) => Input::HttpFailed { http, failure },
            });
        }
        Poll::Pending
    }
}

impl Stage {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<HttpEvent> {
        match self {
            Self::Head(head) => match ready!(head.as_mut().poll(cx)) {
                Ok(response) => {
                    let status = response.status().as_u16();
                    *self = Self::Body(response.into_body());
                    Poll::Ready(HttpEvent::Head(status))
                }
                Err(failure) => Poll::Ready(HttpEvent::Failed(failure)),
            },
            Self::Body(body) => Poll::Ready(match ready!(Pin::new(body).poll_next(cx)) {
                Some(Ok(chunk)) => HttpEvent::Chunk(chunk),
                Some(Err(error)) => HttpEvent::Failed(failure(&error)),
                None => HttpEvent::End,
            }),
            Self::Failed(failure) => Poll::Ready(HttpEvent::Failed(failure.clone())),
        }
    }
}

fn plain<T: Transport>(transport: &T, parts: Parts, body: RequestBody) -> Stage {
    let response = transport.http(Request::from_parts(parts, body));
    Stage::Head(Box::pin(async {
        response.await.map_err(|error| failure(&error))
    }))
}

fn failure(error: &HttpError) -> HttpFailure {
    match error {
        HttpError::Source(source) => HttpFailure::Source(source.to_string()),
        error => HttpFailure::Network(error.to_string()),
    }
}
