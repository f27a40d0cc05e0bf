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
//! This crate has no features.
//!
//! # Disclaimer
//!
//! Talk is an independent, unofficial client. TalkJS is a trademark of its owner. This project is
//! not affiliated with, endorsed or sponsored by it.

mod builder;
mod emulator;
pub mod server;
// The crate's clippy.toml keeps the server pure. Only the shell does I/O.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
mod shell;

pub use builder::{EmulatorBuilder, StartError};
pub use emulator::{Emulator, LoadError, RestoreError};
pub use server::{
    ReceivedRequest, Seed, SeedError, Snapshot, StoredConversation, StoredParticipant,
    WebhookDelivery, WebhookKind, WebhookSettings, WebhookState,
};
pub use shell::{DataError, Stopped, WebhookAddressError};
