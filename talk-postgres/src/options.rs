//! The options of a store.

use std::time::Duration;

use rustls::RootCertStore;
use tokio_postgres::Config;

/// The options of a store.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) config: Config,
    /// The roots to verify certificates with, or `None` for those of the operating system.
    pub(crate) roots: Option<RootCertStore>,
    pub(crate) ttl: Duration,
}
