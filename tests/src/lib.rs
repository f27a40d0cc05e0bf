//! Shared code of the workspace's tests. Not published.

#![allow(
    clippy::exhaustive_enums,
    unnameable_types,
    reason = "nothing outside the workspace uses this crate"
)]

mod checks;
mod child;
mod chromium;
pub mod compare;
mod differential;
mod missing;
mod npm_package;
mod peer;
mod recorder;
mod tls;

pub use checks::run_checks;
pub use child::Child;
pub use chromium::find_chromium;
pub use differential::Histories;
pub use missing::missing;
pub use npm_package::NpmPackage;
pub use peer::{Answer, Driver, Peer};
pub use recorder::{Recorded, Recorder};
pub use tls::{forward, tls_server};

/// Runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Runs the examples of the emulator's page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/emulator.md")]
struct EmulatorPage;

/// Runs the examples of the READMEs of crates.
#[cfg(doctest)]
#[doc = include_str!("../../talk-proto/README.md")]
#[doc = include_str!("../../talk-emulator/README.md")]
struct CrateReadmes;
