use std::future::Future;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use data_encoding::BASE64;
use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Method, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sha1_smol::Sha1;
use tokio_websockets::{Config, Limits, ServerBuilder, WebSocketStream};

/// The maximum size of a received message. The published client never sends one near it.
const MAX_MESSAGE: usize = 32 * 1024 * 1024;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

pub(super) type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// A valid request for a WebSocket (RFC 6455, section 4.2).
pub(super) struct WebSocketUpgrade {
    upgrade: OnUpgrade,
    accept: HeaderValue,
}

impl WebSocketUpgrade {
    /// Returns the upgrade that a request asks for; `None` for every other request.
    pub(super) fn from_request(request: &mut Request) -> Option<Self> {
        let headers = request.headers();
        let asks = request.method() == Method::GET
            && has_token(headers, &CONNECTION, "upgrade")
            && has_token(headers, &UPGRADE, "websocket")
            && headers
                .get(SEC_WEBSOCKET_VERSION)
                .is_some_and(|version| version == "13");
        if !asks {
            return None;
        }
        let accept = accept_of(headers.get(SEC_WEBSOCKET_KEY)?)?;
        let upgrade = request.extensions_mut().remove()?;
        Some(Self { upgrade, accept })
    }

    /// Returns the response that opens the WebSocket, and passes the open WebSocket to `run`.
    pub(super) fn accept<F>(self, run: impl FnOnce(WebSocket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let Self { upgrade, accept } = self;
        tokio::spawn(async move {
            if let Ok(stream) = upgrade.await {
                // Clients need not accept fragments.
                let builder = ServerBuilder::new()
                    .config(Config::default().frame_size(usize::MAX))
                    .limits(Limits::default().max_payload_len(Some(MAX_MESSAGE)));
                run(builder.serve(TokioIo::new(stream))).await;
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        response
    }
}

fn accept_of(key: &HeaderValue) -> Option<HeaderValue> {
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(GUID);
    HeaderValue::try_from(BASE64.encode(&hash.digest().bytes())).ok()
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter();
    let mut values = values.filter_map(|value| value.to_str().ok());
    values.any(|value| {
        value
            .split(',')
            .any(|item| item.trim().eq_ignore_ascii_case(token))
    })
}
