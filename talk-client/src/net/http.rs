//! HTTP/1.1 requests, each on its own connection.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::stream::Stream;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue};
use http::{Method, Request, Response, Uri};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;

use super::http_body::HyperBody;
use super::http_io::HyperIo;
use crate::transport::{HttpError, RequestBody, ResponseBody};

/// Sends a request over a new stream to its server and returns the head of the response.
pub(super) async fn send_request<S>(
    stream: S,
    request: Request<RequestBody>,
) -> Result<Response<ResponseBody>, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut request = in_origin_form(request)?;
    let progress = request.body_mut().take_progress();
    if let Some(progress) = &progress {
        progress.add_head(head_length(&request));
    }
    let (mut sender, connection) = http1::Builder::new()
        .handshake(HyperIo::new(stream, progress))
        .await
        .map_err(classify)?;
    let mut connection = Connection {
        future: Some(Box::pin(connection)),
        failure: None,
    };
    let mut answer = pin!(sender.send_request(request.map(HyperBody)));
    let response = poll_fn(|cx| {
        connection.poll(cx);
        answer.as_mut().poll(cx)
    })
    .await
    .map_err(classify)?;
    Ok(response.map(|incoming| {
        ResponseBody::new(Chunks {
            incoming,
            connection,
            ended: false,
        })
    }))
}

/// Converts a request to origin form: the target is path and query, and the host is a header.
/// Methods that usually have a body always get a length, because some servers require the header
/// even for an empty body.
fn in_origin_form(mut request: Request<RequestBody>) -> Result<Request<RequestBody>, HttpError> {
    let invalid = |error: http::Error| HttpError::InvalidRequest(error.into());
    let host = request
        .uri()
        .authority()
        .map_or("", |authority| authority.as_str());
    let host = HeaderValue::from_str(host).map_err(|error| invalid(error.into()))?;
    let target = request.uri().path_and_query().cloned();
    let target = target.map_or_else(
        || Ok(Uri::from_static("/")),
        |target| Uri::builder().path_and_query(target).build(),
    );
    *request.uri_mut() = target.map_err(invalid)?;
    if matches!(
        *request.method(),
        Method::POST | Method::PUT | Method::PATCH
    ) {
        let length = HeaderValue::from(request.body().length());
        request.headers_mut().insert(CONTENT_LENGTH, length);
    }
    request.headers_mut().insert(HOST, host);
    request
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// Returns the length of the request's head: `METHOD target HTTP/1.1`, a line for each header, and
/// an empty line.
fn head_length(request: &Request<RequestBody>) -> u64 {
    let target = request.uri().path_and_query();
    let target = target.map_or(1, |target| target.as_str().len());
    let line = request.method().as_str().len() + target + "  HTTP/1.1\r\n".len();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    (line + headers.sum::<usize>() + "\r\n".len()) as u64
}

/// The half of hyper that performs I/O. The futures of head and body poll it, so that no task is
/// spawned and dropping them closes the connection.
struct Connection {
    future: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
    failure: Option<hyper::Error>,
}

impl Connection {
    fn poll(&mut self, cx: &mut Context<'_>) {
        let Some(future) = &mut self.future else {
            return;
        };
        if let Poll::Ready(result) = future.as_mut().poll(cx) {
            // Dropped at once, because it may hold the channel that the head or the body waits on.
            self.future = None;
            self.failure = result.err();
        }
    }
}

/// The chunks of a response body. The stream ends after an error.
struct Chunks {
    incoming: Incoming,
    connection: Connection,
    ended: bool,
}

impl Stream for Chunks {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        while !this.ended {
            this.connection.poll(cx);
            match ready!(Pin::new(&mut this.incoming).poll_frame(cx)) {
                None => this.ended = true,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                    // Trailers are ignored.
                    _ => {}
                },
                Some(Err(error)) => {
                    this.ended = true;
                    // The error of the connection holds the cause, that of the body only the
                    // effect.
                    let cause = this.connection.failure.take().unwrap_or(error);
                    return Poll::Ready(Some(Err(classify(cause))));
                }
            }
        }
        Poll::Ready(None)
    }
}

/// Converts an error of hyper.
fn classify(error: hyper::Error) -> HttpError {
    if error.is_parse() {
        return HttpError::Malformed(error.into());
    }
    if !error.is_user() {
        return HttpError::Interrupted(error.into());
    }
    // Of the errors that the caller can cause, only those of the body have an I/O error as source.
    match error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
    {
        Some(source) => HttpError::Source(io::Error::new(source.kind(), source.to_string())),
        None => HttpError::InvalidRequest(error.into()),
    }
}
