//! Worlds of bots: one to three processes of one bot, which share a store in a database.
//!
//! People ask questions, and the bot answers them from its inbox. Each process is a session with an
//! outbox and an inbox. The process with the lease of the store is active, and the others stand by.
//! Processes crash, are suspended beyond their lease, and lose the database or the server.

mod checks;
mod database;
mod deliveries;
mod driver;
mod faults;
mod handlers;
mod lease;
mod ledger;
mod people;
mod plan;
mod positions;
mod process;
mod statements;

use std::time::Duration;

use fastrand::Rng;
use talk_proto::Timestamp;
use talk_proto::inbox::{InboxOptions, InboxStart};

use self::database::Database;
pub(crate) use self::database::{Answer, Statement, StatementId};
pub use self::lease::ignore_leases;
use self::ledger::Ledger;
pub use self::people::PeopleCommand;
pub(crate) use self::plan::BotPlan;
use self::process::Process;
use super::probe::conversation_path;

/// The user of all processes.
pub(crate) const BOT: &str = "bot";
/// The name of the inbox.
const INBOX: &str = "support";

/// The state of a world of bots.
pub(crate) struct Bots {
    options: BotOptions,
    database: Database,
    processes: Vec<Process>,
    ledger: Ledger,
    next_statement: u64,
    /// Set while the world waits until everything is settled.
    is_settling: bool,
}

/// The options of all processes of a world.
struct BotOptions {
    /// The duration of a lease.
    ttl: Duration,
    inbox: InboxOptions,
    /// The largest number of conversations.
    conversations: usize,
    /// Set if the database may execute a statement after the process has given it up. A position can
    /// then move back, and the keys of the replies prevent repeated answers.
    has_late_statements: bool,
    /// Set if the handlers of a conversation run one after the other.
    is_sequential: bool,
}

impl Bots {
    /// Returns the number of processes in the world of a seed.
    pub(crate) fn processes(seed: u64) -> usize {
        1 + usize::try_from(seed % 3).unwrap_or(0)
    }

    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        let mut dice = Rng::with_seed(seed ^ 0xb07);
        let mut inbox = InboxOptions::default();
        if dice.bool() {
            inbox.start = InboxStart::Beginning;
        }
        inbox.max_unacked = [1, 3, 16, 256][dice.usize(..4)];
        inbox.max_subscribed = [1, 3, 100][dice.usize(..3)];
        inbox.history_on_join = dice.u8(..4) == 0;
        let has_late_statements = dice.bool();
        Self {
            options: BotOptions {
                ttl: Duration::from_secs([3, 15, 30][dice.usize(..3)]),
                inbox,
                // The list has pages of 30 conversations.
                conversations: if seed % 8 == 5 { 70 } else { 8 },
                is_sequential: dice.u8(..4) > 0,
                has_late_statements,
            },
            database: Database::new(!has_late_statements),
            processes: (0..Self::processes(seed))
                .map(|_| Process::new(now))
                .collect(),
            ledger: Ledger::default(),
            next_statement: 0,
            is_settling: false,
        }
    }

    /// Returns the path of a conversation.
    fn conversation_path(&self, at: usize) -> String {
        conversation_path(&self.ledger.conversations[at].id)
    }
}
