//! Statements on their way between the processes and the database.

use std::time::Duration;

use super::database::{Answer, Statement, StatementId};
use super::process::Stage;
use crate::mail::{Address, Mail};
use crate::world::World;

/// The delay between two attempts to apply a batch.
const APPLY_RETRY: Duration = Duration::from_millis(500);
/// The time after which a statement without an answer has failed.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest delay of a statement in worlds with late ones.
const LATEST: Duration = Duration::from_secs(20);

impl World {
    /// Sends a statement to the database.
    pub(super) fn execute_later(&mut self, who: usize, statement: Statement) -> StatementId {
        let (now, address) = (self.now, self.address(who));
        let bots = self.bots.as_ref();
        let is_late = bots.is_some_and(|bots| bots.options.has_late_statements);
        let longest = if is_late { LATEST } else { STATEMENT_TIMEOUT };
        let mut asks_at = now + Duration::from_millis(self.rng.u64(0..10));
        let slow = self.rng.u64(0..longest.as_secs() * 1_000 - 100);
        let is_executed = self.rng.bool();
        let answered_after = Duration::from_millis(self.rng.u64(0..10));
        let Some(bots) = &mut self.bots else {
            return StatementId(0);
        };
        bots.next_statement += 1;
        let id = StatementId(bots.next_statement);
        let path = bots.processes[who].path;
        let is_spared = path.spares_leases && statement.is_of_lease();
        let is_silent = now < path.silent_until && !is_spared;
        if now < path.down_until {
            self.mailbox.put(asks_at, Mail::Answer(address, id, None));
            return id;
        }
        if now < path.slow_until && !is_spared {
            asks_at = asks_at + Duration::from_millis(slow);
        }
        let fails_at = now + STATEMENT_TIMEOUT;
        let is_answered = !is_silent && asks_at + answered_after < fails_at;
        if is_executed || !is_silent {
            let answered_after = is_answered.then_some(answered_after);
            let mail = Mail::Execute(address, id, statement, answered_after);
            self.mailbox.put(asks_at, mail);
        }
        if !is_answered {
            self.mailbox.put(fails_at, Mail::Answer(address, id, None));
        }
        id
    }

    /// Executes a statement, even if its process has ended.
    pub(crate) fn execute_statement(
        &mut self,
        process: Address,
        id: StatementId,
        statement: Statement,
        answered_after: Option<Duration>,
    ) {
        let now = self.now;
        self.trace(process.who, || format!("# {id:?} {statement:?}"));
        let Some(bots) = &mut self.bots else {
            return;
        };
        let answer = bots.database.execute(now, bots.options.ttl, statement);
        if let Some(delay) = answered_after {
            self.mailbox
                .put(now + delay, Mail::Answer(process, id, Some(answer)));
        }
    }

    /// Passes the answer of the database to a process: `None` if the statement has failed.
    pub(crate) fn deliver_answer(
        &mut self,
        process: Address,
        id: StatementId,
        answer: Option<Answer>,
    ) {
        if self.at(process).is_none() {
            return;
        }
        let (now, who) = (self.now, process.who);
        let asleep_until = self.nets[who].asleep_until;
        if asleep_until > now {
            let at = asleep_until + Duration::from_millis(self.rng.u64(0..20));
            return self.mailbox.put(at, Mail::Answer(process, id, answer));
        }
        self.trace(who, || format!("# {id:?} is answered: {answer:?}"));
        let Some(process) = self.process(who) else {
            return;
        };
        let monotonic = process.monotonic(now);
        let is_done = match answer {
            Some(Answer::Done(is_done)) => Some(is_done),
            _ => None,
        };
        let lease = process.lease.as_mut();
        if lease.is_some_and(|lease| lease.handle_answer(id, is_done, monotonic)) {
            return;
        }
        if let Some(applying) = &mut process.applying
            && applying.attempt == Ok(id)
        {
            match is_done {
                Some(is_stored) => self.finish_batch(who, is_stored),
                None => applying.attempt = Err(now + APPLY_RETRY),
            }
            return;
        }
        match process.stage {
            Stage::Locking(statement, sent) if statement == id => {
                self.finish_lock(who, answer, sent);
            }
            Stage::Loading(statement) if statement == id => self.finish_load(who, answer),
            _ => {}
        }
    }
}
