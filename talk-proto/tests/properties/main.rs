//! Properties that hold for all inputs, each against something simpler that says what is right.
//!
//! Others stand beside what they are about: of `changes`, markup's work and the events of the server
//! in the sources, of filters, the registry, tokens and the laws in files of their own.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "../kit/mod.rs"]
mod kit;

mod authentication;
mod backoff;
mod core;
mod keys;
mod markup;
mod multipart;
mod requests;
mod search;
mod windows;
