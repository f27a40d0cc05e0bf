//! Properties that hold for all inputs, each against something simpler that says what is right.
//!
//! Others stand beside what they are about: of `changes`, markup's work and the events of the
//! server in the sources, of filters, the registry, tokens and the invariants in files of their
//! own.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "../support/mod.rs"]
mod support;

mod authentication;
mod backoff;
mod core;
mod keys;
mod markup;
mod multipart;
mod requests;
mod search;
mod windows;
