//! Sessions, with the emulator or a scripted server.

mod calls;
mod connection;
mod lifetime;
mod searches;
mod service;
mod subscriptions;
mod tokens;
mod uploads;
