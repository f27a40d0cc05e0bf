//! Servers that violate the protocol, and servers that follow it but are hostile.
//!
//! Each attack is repeated on a session until the session has reported the expected error. Then the
//! server behaves properly, and the session must recover completely.

mod attack;
mod control;
mod flood;
mod fragments;
mod frames;
mod front;
mod http;
mod http_answers;
mod stall;
mod survive;
mod tls;
mod upgrade;

/// An upper limit of the system's buffers on both sides of a connection, in bytes. If a client
/// accepts more than this, it buffers the data itself.
const SYSTEM_BUFFERS: usize = 16 << 20;
