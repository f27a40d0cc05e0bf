//! A simulation of sessions and a server in one thread and in virtual time. Connections are slow,
//! break and lose frames; the server crashes, loses its data and refuses requests.
//!
//! Client core and server core are both pure, so a world is a loop over the next due event
//! (`World`). Everything follows from the world's seed: a `Plan` draws a list of operations and
//! faults ([`Op`]), which can be written to a file, shortened and replayed. The command `simulate`
//! runs many of them.

#![allow(
    clippy::exhaustive_enums,
    unnameable_types,
    reason = "nothing outside the workspace uses this crate"
)]

mod armed;
mod bots;
mod broken;
mod caught_panics;
mod client;
mod commands;
mod disk;
mod echo_checks;
mod entries;
mod entry_files;
mod fault_kind;
mod faults;
mod file_checks;
#[path = "../../../talk-proto/tests/support/inboxes.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken invariant panics"
)]
mod inboxes;
#[path = "../../../talk-proto/tests/support/invariants.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken invariant panics"
)]
mod invariants;
mod mail;
mod matrix;
mod nested;
mod net;
mod network;
mod observed;
mod op;
mod oracle;
mod outbox_ops;
mod over_http;
mod phase;
mod plan;
mod posts;
mod probe;
mod quiescence;
mod range;
mod received;
mod run;
mod runs;
mod sends;
mod serving;
mod shown;
mod shrink;
mod stores;
mod tokens;
mod transcript;
mod unreadable;
mod wire;
mod world;

pub use bots::lease::ignore_leases;
pub use bots::people::PeopleCommand;
pub use fault_kind::FaultKind;
pub use matrix::Matrix;
pub use op::{COMMANDS, Command, OUTBOX_COMMANDS, Op, OpKind};
pub use phase::Phase;
pub use plan::store_seed;
pub use run::{Failure, Outcome, WorldKind, live, replay};
pub use runs::{Runs, RunsOutcome, Selection};
pub use shrink::shrink;
pub use transcript::Transcript;
