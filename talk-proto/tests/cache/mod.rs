//! The cache in virtual time, against a scripted server and a store in memory.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod bench;

mod live;
mod records;
