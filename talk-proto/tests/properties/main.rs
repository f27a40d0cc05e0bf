//! Properties that hold for all inputs. Each compares the code with a simpler model.
//!
//! Other properties are next to their subject: those of `changes`, of the parser's work and of
//! server events in the sources; those of filters, the registry, tokens and the invariants in
//! separate test files.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "../support/mod.rs"]
mod support;

mod authentication;
mod backoff;
mod core;
mod junk;
mod keys;
mod markup;
mod multipart;
mod requests;
mod search;
mod windows;
