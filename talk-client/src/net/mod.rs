//! The transport of native targets: TCP, TLS, WebSocket and HTTP/1.1 over any [`Runtime`].

mod endpoint;
mod http;
mod http_body;
mod http_io;
mod native;
mod proxy;
mod read_budget;
mod runtime;
mod tcp;
mod tls;
mod tls_io;
mod websocket;

#[doc(no_inline)]
pub use futures_rustls::rustls;

pub use self::native::Native;
pub use self::proxy::{ProxyOptions, ProxyUrlError};
pub use self::runtime::Runtime;
pub use self::tls::{MaybeTls, TlsOptions, TlsOptionsError};
pub use self::websocket::NativeWebSocket;
