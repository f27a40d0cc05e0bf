//! Uploads in virtual time, against a scripted server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod bench;
mod ends;
mod form;
mod retries;
