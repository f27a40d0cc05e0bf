//! The transport: TCP, TLS, WebSocket and HTTP/1.1 over any [`Runtime`](crate::Runtime).
//!
//! A [`Connector`] opens both kinds of connection. Everything here reports what happened and
//! decides nothing: time-outs, retries and the cap on unsent bytes belong to the caller, and
//! dropping a future or a value cancels what it was doing and closes its connection.

mod connector;
mod coop;
mod endpoint;
mod error;
mod http;
mod http_body;
mod http_io;
mod tcp;
mod tls;
mod websocket;

pub use futures_rustls::rustls;

pub use self::connector::{Connector, Socket};
pub use self::error::{ConnectError, HttpError, UrlError, WebSocketError};
pub use self::http::ResponseBody;
pub use self::http_body::RequestBody;
pub(crate) use self::http_body::Written;
pub use self::tls::{MaybeTls, TlsOptions, TlsOptionsError};
pub use self::websocket::{CloseReason, WebSocket, WebSocketEvent};
