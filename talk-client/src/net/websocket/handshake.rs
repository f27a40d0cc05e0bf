//! The opening handshake (RFC 6455, section 4.1).

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use data_encoding::BASE64;
use futures_util::io::{AsyncRead, AsyncWrite};
use http::header::{
    CONNECTION, HOST, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::client::conn::http1;
use ring::digest;

use super::io::WebSocketIo;
use crate::net::http_body::HyperBody;
use crate::net::http_io::HyperIo;
use crate::transport::{ConnectError, RequestBody, UrlError};

/// The maximum size of the response's head in bytes.
const MAX_HEAD: usize = 16 * 1024;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Asks the server of a `ws` or `wss` URL for a WebSocket over a new stream.
pub(super) async fn open<S>(url: &Uri, stream: S) -> Result<WebSocketIo<S>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = new_key()?;
    let request = request(url, &key)?;
    let (mut sender, mut connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        // Not every server compares names without regard to case.
        .title_case_headers(true)
        .handshake(HyperIo::new(stream, None))
        .await
        .map_err(classify)?;
    let mut failure = None;
    let mut is_done = false;
    let response = {
        let mut response = pin!(sender.send_request(request));
        poll_fn(|cx| {
            if !is_done && let Poll::Ready(end) = connection.poll_without_shutdown(cx) {
                is_done = true;
                failure = end.err();
            }
            response.as_mut().poll(cx)
        })
        .await
    };
    // The error of the connection holds the cause, that of the response only the effect.
    let response = response.map_err(|error| classify(failure.unwrap_or(error)))?;
    check(&response, &key)?;
    let parts = connection.into_parts();
    Ok(WebSocketIo::new(parts.io.stream, parts.read_buf))
}

fn new_key() -> Result<String, ConnectError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)
        .map_err(|error| ConnectError::Interrupted(io::Error::other(error)))?;
    Ok(BASE64.encode(&nonce))
}

fn accept_of(key: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key.as_bytes());
    context.update(GUID);
    BASE64.encode(context.finish().as_ref())
}

fn request(url: &Uri, key: &str) -> Result<Request<HyperBody>, ConnectError> {
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let host = url.authority().map_or("", |authority| authority.as_str());
    Request::get(target)
        .header(HOST, host)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, key)
        .body(HyperBody(RequestBody::default()))
        .map_err(|_| ConnectError::InvalidUrl(UrlError::Host))
}

/// Returns an error for a response that does not open the WebSocket that was asked for.
fn check<B>(response: &Response<B>, key: &str) -> Result<(), ConnectError> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let status = response.status();
        return Err(ConnectError::Upgrade { status });
    }
    let accept = accept_of(key);
    let is_upgraded = response.version() == Version::HTTP_11
        && has_token(response, &CONNECTION, "upgrade")
        && has_token(response, &UPGRADE, "websocket");
    let reason = if !is_upgraded {
        "its answer does not upgrade the connection"
    } else if header(response, &SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes)
        != Some(accept.as_bytes())
    {
        "its answer does not belong to the request"
    } else if header(response, &SEC_WEBSOCKET_EXTENSIONS).is_some() {
        // An extension changes the meaning of frames.
        "it uses an extension that was not asked for"
    } else if header(response, &SEC_WEBSOCKET_PROTOCOL).is_some() {
        "it uses a subprotocol that was not asked for"
    } else {
        return Ok(());
    };
    Err(handshake(reason))
}

fn header<'a, B>(response: &'a Response<B>, name: &HeaderName) -> Option<&'a HeaderValue> {
    response.headers().get(name)
}

fn has_token<B>(response: &Response<B>, name: &HeaderName, token: &str) -> bool {
    let values = response.headers().get_all(name).iter();
    let mut values = values.filter_map(|value| value.to_str().ok());
    values.any(|value| {
        value
            .split(',')
            .any(|item| item.trim().eq_ignore_ascii_case(token))
    })
}

fn handshake(reason: impl ToString) -> ConnectError {
    let reason = reason.to_string();
    ConnectError::Handshake { reason }
}

/// Converts an error of hyper.
fn classify(error: hyper::Error) -> ConnectError {
    if error.is_parse() {
        return handshake(error);
    }
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    ConnectError::Interrupted(match source {
        Some(source) => io::Error::new(source.kind(), source.to_string()),
        None => io::ErrorKind::UnexpectedEof.into(),
    })
}
