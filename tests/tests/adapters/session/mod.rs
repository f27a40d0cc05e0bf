//! Sessions, against the emulator or a server that answers as a script says.

mod calls;
mod connection;
mod lifetime;
mod searches;
mod service;
mod subscriptions;
mod tokens;
mod uploads;
