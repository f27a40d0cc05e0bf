//! What the tests of the whole share. Nothing here is published.

mod differential;
mod peer;

pub use differential::Histories;
pub use peer::{Answer, Driver, Peer};

/// The README's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
