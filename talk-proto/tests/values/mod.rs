//! Values that applications create and read: their content and their form on the wire.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod debug;
mod errors;
mod filters;
mod ids;
mod json;
mod markup;
mod params;
mod snapshots;
