//! A whole world in one thread and in virtual time: sessions and a server, with connections
//! between them that are slow, that break, and that lose what is on them, and a server that
//! crashes, forgets and refuses.
//!
//! Client core and server core are both pure, so a world is a loop over whatever happens next
//! (`World`), and everything in it follows from its seed: what people do and what goes wrong is a
//! list of [`Act`]s that a `Plan` draws, and that can be written down, shortened and lived again.

mod act;
mod broken;
mod client;
mod commands;
mod fault;
#[path = "../../../talk-proto/tests/kit/laws.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "a law that is broken is a panic"
)]
mod laws;
mod life;
mod lives;
mod mail;
mod matrix;
mod nested;
mod net;
mod network;
mod outbox;
mod over_http;
mod phase;
mod plan;
mod probe;
mod quiet;
mod quiet_panics;
mod shown;
mod shrink;
mod tokens;
mod transcript;
mod trouble;
mod truth;
mod wire;
mod world;

pub use act::{Act, COMMANDS, Command, What};
pub use fault::FaultKind;
pub use life::{Failure, Outcome, live, replay};
pub use lives::{Lived, Lives};
pub use matrix::Matrix;
pub use phase::Phase;
pub use shrink::shrink;
pub use transcript::Life;
