//! The state of a world of bots.

use std::time::Duration;

use fastrand::Rng;
use talk_proto::Timestamp;
use talk_proto::inbox::{InboxOptions, InboxStart};

use super::database::Database;
use super::ledger::Ledger;
use super::process::Process;

/// The state of a world of bots.
pub(crate) struct Bots {
    pub(super) options: BotOptions,
    pub(super) database: Database,
    pub(super) processes: Vec<Process>,
    pub(super) ledger: Ledger,
    pub(super) next_statement: u64,
    /// Set while the world waits until everything is settled.
    pub(super) is_settling: bool,
}

/// The options of all processes of a world.
pub(super) struct BotOptions {
    /// The duration of a lease.
    pub(super) ttl: Duration,
    pub(super) inbox: InboxOptions,
    /// The largest number of conversations.
    pub(super) conversations: usize,
    /// Set if the database may execute a statement after the process has given it up. A position
    /// can then move back, and the keys of the replies prevent repeated answers.
    pub(super) has_late_statements: bool,
    /// Set if the handlers of a conversation run one after the other.
    pub(super) is_sequential: bool,
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
        inbox.max_subscribed = [1, 3, 20, 100][dice.usize(..4)];
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
}
