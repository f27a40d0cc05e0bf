//! The lease of a process, as a store on a database keeps it.

use std::cell::Cell;
use std::time::Duration;

use talk_proto::Timestamp;

use super::database::{Holder, StatementId};

/// The longest delay between two attempts to renew a lease.
const RETRY: Duration = Duration::from_millis(500);

thread_local! {
    static ARE_LEASES_IGNORED: Cell<bool> = const { Cell::new(false) };
}

/// Breaks the stores of this thread, to verify that the simulation detects it: processes continue
/// after the loss of their lease, and the database accepts their changes.
pub fn ignore_leases(are_ignored: bool) {
    ARE_LEASES_IGNORED.set(are_ignored);
}

pub(super) fn are_leases_ignored() -> bool {
    ARE_LEASES_IGNORED.get()
}

/// A lease that was granted. All times are those of the monotonic clock of the process.
pub(super) struct Lease {
    pub(super) holder: Holder,
    ttl: Duration,
    /// The time of the request that took or renewed the lease.
    renewed: Timestamp,
    /// The time of the next attempt to renew it.
    renew_at: Timestamp,
    /// The attempt that is not answered, and its time.
    renewing: Option<(StatementId, Timestamp)>,
    is_taken: bool,
}

impl Lease {
    pub(super) fn new(holder: Holder, ttl: Duration, granted: Timestamp) -> Self {
        Self {
            holder,
            ttl,
            renewed: granted,
            renew_at: granted + ttl / 3,
            renewing: None,
            is_taken: false,
        }
    }

    /// Returns the time at which the lease is given up. It expires later, because the database
    /// received the renewal later.
    fn valid_until(&self) -> Timestamp {
        if self.is_taken {
            self.renewed
        } else {
            self.renewed + self.ttl * 2 / 3
        }
    }

    /// Returns `true` if the process may use the store.
    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        now < self.valid_until() || are_leases_ignored()
    }

    /// Returns `true` if the lease is to be renewed now.
    pub(super) fn is_renewal_due(&self, now: Timestamp) -> bool {
        self.renewing.is_none() && self.renew_at <= now
    }

    /// Returns the time of the next renewal, or of the loss.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        let renew_at = self.renewing.is_none().then_some(self.renew_at);
        let valid_until = (!are_leases_ignored()).then(|| self.valid_until());
        renew_at.into_iter().chain(valid_until).min()
    }

    pub(super) fn note_renewing(&mut self, statement: StatementId, now: Timestamp) {
        self.renewing = Some((statement, now));
    }

    /// Handles the answer to a statement: `None` if the database did not answer. Returns `false`
    /// if the statement is not the renewal of this lease.
    pub(super) fn handle_answer(
        &mut self,
        statement: StatementId,
        is_renewed: Option<bool>,
        now: Timestamp,
    ) -> bool {
        let of_lease = |(id, _): &mut (StatementId, Timestamp)| *id == statement;
        let Some((_, sent)) = self.renewing.take_if(of_lease) else {
            return false;
        };
        match is_renewed {
            Some(true) => {
                self.renewed = sent;
                self.renew_at = sent + self.ttl / 3;
            }
            Some(false) => {
                self.is_taken = true;
                self.renew_at = now + self.ttl / 3;
            }
            None => self.renew_at = now + RETRY.min(self.ttl / 10),
        }
        true
    }
}
