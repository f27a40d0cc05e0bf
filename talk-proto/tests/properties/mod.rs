//! Properties that hold for all inputs. Each compares the code with a simpler model.
//!
//! Other properties are next to their subject: those of `changes`, of the parser's work and of
//! server events in the sources; those of filters, the registry, tokens and the invariants in
//! modules of their own.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

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
