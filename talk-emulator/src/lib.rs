//! A local TalkJS server for tests and development: a pure [`server`] state machine, and a shell
//! of HTTP, WebSockets and files around it.
//!
//! An [`Emulator`] listens on one port of this machine and serves all three addresses of the real
//! service. Pass [`Emulator::host`] to the client's `host` option.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = talk_emulator::Emulator::start().await?;
//! println!("a client's host is {}", emulator.host());
//! # Ok(())
//! # }
//! ```
//!
//! The data is lost when the emulator stops, unless it has a [folder](EmulatorBuilder::data). The
//! next emulator with that folder continues with the data, even after a crash.
//!
//! # Features
//!
//! - `shell` (default): [`Emulator`] and everything else that does I/O. Without it, only [`server`]
//!   is left, with few dependencies.
//!
//! # Disclaimer
//!
//! Talk is an independent, unofficial client. TalkJS is a trademark of its owner. This project is
//! not affiliated with, endorsed or sponsored by it.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "shell"),
    allow(dead_code, unused_imports, reason = "the shell uses them")
)]

#[cfg(feature = "shell")]
mod builder;
#[cfg(feature = "shell")]
mod emulator;
pub mod server;
// The crate's clippy.toml keeps the server pure. Only the shell does I/O.
#[cfg(feature = "shell")]
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
mod shell;

#[cfg(feature = "shell")]
pub use builder::{EmulatorBuilder, StartError};
#[cfg(feature = "shell")]
pub use emulator::{Emulator, LoadError, RestoreError};
pub use server::{
    ReceivedRequest, Seed, SeedError, Snapshot, StoredConversation, StoredParticipant,
    WebhookDelivery, WebhookKind, WebhookSettings, WebhookState,
};
#[cfg(feature = "shell")]
pub use shell::{DataError, Stopped, WebhookAddressError};
