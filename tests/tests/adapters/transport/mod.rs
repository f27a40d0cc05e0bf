//! The transport, with small servers on the loopback interface.

mod http;
pub(crate) mod peer;
pub(crate) mod tls;
mod websocket;
