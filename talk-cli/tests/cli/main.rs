//! The command line, as users run it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod back_ends;
mod bot;
mod commands;
mod control;
mod data;
#[allow(dead_code, reason = "the tests of talk-postgres use more of it")]
#[path = "../../../talk-postgres/tests/server/mod.rs"]
mod database;
mod demo;
mod emulator;
mod follow;
mod json;
mod markdown;
mod markup;
mod outbox;
mod package;
mod peer;
mod people;
mod proxy;
mod rpc;
mod runtimes;
mod support;
mod terminal;
mod token;
mod version;
