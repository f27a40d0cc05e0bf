//! Sessions on tokio, against a server that answers as a script says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod connection;
mod lifetime;
mod searches;
mod server;
mod subscriptions;
mod tokens;
mod uploads;
