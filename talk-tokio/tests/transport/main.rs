//! The transport on tokio, against small servers on the loopback interface.

#![allow(clippy::unwrap_used, clippy::panic)]

mod http;
mod peer;
mod runtime;
mod tls;
mod websocket;
