//! A whole world in one thread and in virtual time: sessions and a server, with connections
//! between them that are slow, that break, and that lose what is on them, and a server that
//! crashes, forgets and refuses.
//!
//! Client core and server core are both pure, so a world is a loop over whatever happens next
//! (`World`), and everything in it follows from its seed: what people do and what goes wrong is a
//! list of [`Op`]s that a `Plan` draws, and that can be written down, shortened and lived again.

mod broken;
mod caught_panics;
mod client;
mod commands;
mod fault_kind;
mod faults;
#[path = "../../../talk-proto/tests/support/invariants.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "a invariant that is broken is a panic"
)]
mod invariants;
mod mail;
mod matrix;
mod nested;
mod net;
mod network;
mod op;
mod oracle;
mod outbox;
mod over_http;
mod phase;
mod plan;
mod probe;
mod quiescence;
mod run;
mod runs;
mod shown;
mod shrink;
mod tokens;
mod transcript;
mod wire;
mod world;

pub use fault_kind::FaultKind;
pub use matrix::Matrix;
pub use op::{COMMANDS, Command, Op, OpKind};
pub use phase::Phase;
pub use run::{Failure, Outcome, live, replay};
pub use runs::{Runs, RunsOutcome};
pub use shrink::shrink;
pub use transcript::Transcript;
