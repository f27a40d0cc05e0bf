//! A local TalkJS for tests and development: a pure [`server`] and a shell around it.

pub mod server;
