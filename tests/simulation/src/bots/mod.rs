//! Worlds of bots: one to three processes of one bot, which share a store in a database.
//!
//! People ask questions, and the bot answers them from its inbox. Each process is a session with an
//! outbox and an inbox. The process with the lease of the store is active, and the others stand by.
//! Processes crash, are suspended beyond their lease, and lose the database or the server.

mod checks;
pub(crate) mod database;
mod deliveries;
mod driver;
mod faults;
mod handlers;
pub(crate) mod lease;
mod ledger;
pub(crate) mod people;
pub(crate) mod plan;
mod positions;
mod process;
pub(crate) mod state;
mod statements;

/// The user of all processes.
pub(crate) const BOT: &str = "bot";
/// The name of the inbox.
const INBOX: &str = "support";
