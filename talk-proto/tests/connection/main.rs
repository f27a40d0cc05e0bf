//! The connection's life in virtual time, against a scripted server.

#![allow(clippy::expect_used, reason = "helpers of tests")]

#[path = "../kit/mod.rs"]
mod kit;

mod addresses;
mod app_check;
mod authentication;
mod bad_input;
mod batches;
mod boken;
mod counters;
mod crowd;
mod day;
mod end;
mod expiry;
mod frame_size;
mod heartbeat;
mod idle;
mod loss;
mod no_gaps;
mod queue;
mod refresh;
mod retries;
mod send_order;
mod subscriptions;
mod timers;
