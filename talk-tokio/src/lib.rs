//! Talk on [tokio]: a client for TalkJS chat, independent of TalkJS.
//!
//! Everything of [`talk_client`] is here, and [`TokioRuntime`] makes it run.

mod runtime;

pub use runtime::{NoRuntime, TokioRuntime};
pub use talk_client::*;
