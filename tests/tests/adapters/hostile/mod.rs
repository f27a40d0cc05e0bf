//! Servers that break the rules, and servers that keep to them and mean harm.
//!
//! Each attack meets a whole session, again and again, until the test has seen what the session
//! says about it. From then on the server is good, and the session must be as if nothing had been.

mod attack;
mod control;
mod flood;
mod fragments;
mod frames;
mod front;
mod http;
mod stall;
mod survive;
mod tls;
mod upgrade;

/// What the system buffers on both sides of a connection at most, generously, in bytes. A client
/// that takes more from a server than this holds it itself.
const SYSTEM_BUFFERS: usize = 16 << 20;
