//! What the tests of the whole share. Nothing here is published.

mod peer;

pub use peer::{Answer, Driver, Peer};

/// The README's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
