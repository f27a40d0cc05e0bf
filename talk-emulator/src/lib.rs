//! A local TalkJS for tests and development: a pure [`server`] and a shell of HTTP, WebSocket and
//! files around it.
//!
//! An [`Emulator`] listens on one port of this machine, and a client finds everything there that
//! the real service has at its three addresses: give the client's `host` option what
//! [`Emulator::host`] says.
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
//! Everything goes with the emulator unless it is given a [folder](EmulatorBuilder::data), from
//! which the next one goes on, however this one ends.

mod builder;
mod emulator;
pub mod server;
// The crate's clippy.toml keeps the server pure; the shell is where the world comes in.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
mod shell;

pub use builder::{EmulatorBuilder, StartError};
pub use emulator::Emulator;
pub use shell::{DataError, Stopped};
