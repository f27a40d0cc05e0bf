//! The states of the connection in virtual time, against a scripted server.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod addresses;
mod app_check;
mod authentication;
mod bad_input;
mod batches;
mod boken;
mod counters;
mod end;
mod expiry;
mod failures;
mod frame_size;
mod heartbeat;
mod idle;
mod loss;
mod many_sessions;
mod no_gaps;
mod queue;
mod refresh;
mod retries;
mod send_order;
mod soak;
mod subscriptions;
mod timers;
mod unanswered;
