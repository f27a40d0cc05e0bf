//! The tests of calls, answers and webhooks.

mod emulator;
mod properties;
mod webhooks;
