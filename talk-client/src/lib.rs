//! The asynchronous half of Talk: the transport that carries [`talk_proto`], written over
//! [`futures-io`](futures_util::io) traits and the small [`Runtime`] trait. No runtime is named
//! here; an adapter crate such as `talk-tokio` brings one.

pub mod net;
mod runtime;

pub use runtime::Runtime;
