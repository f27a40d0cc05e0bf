//! The values that applications make and read: what they hold, and what is sent of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "../support/mod.rs"]
mod support;

mod debug;
mod errors;
mod filters;
mod ids;
mod json;
mod markup;
mod params;
mod snapshots;
