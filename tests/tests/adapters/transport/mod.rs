//! The transport, against small servers on the loopback interface.

mod http;
mod peer;
mod tls;
mod websocket;
