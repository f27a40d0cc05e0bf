//! What the tests of the whole share. Nothing here is published.

mod peer;

pub use peer::{Answer, Driver, Peer};
