//! The command line, as its users run it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod commands;
mod data;
mod demo;
mod emulator;
mod follow;
mod markup;
mod peer;
mod people;
mod proxy;
mod rpc;
mod runtimes;
mod support;
mod terminal;
mod token;
mod version;
