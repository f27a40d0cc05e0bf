//! The driver of the processes, in the manner of talk-client and talk-postgres.

use std::time::Duration;

use talk_proto::storage::{BatchId, Change};
use talk_proto::{Input, Timestamp};

use super::INBOX;
use super::database::{Answer, Statement};
use super::lease::Lease;
use super::positions::Positions;
use super::process::{Applying, Process, Stage};
use crate::broken::broken;
use crate::world::World;

/// The delay between two attempts of a standby to open its store.
const STANDBY_RETRY: Duration = Duration::from_secs(1);

impl World {
    pub(super) fn process(&mut self, who: usize) -> Option<&mut Process> {
        self.bots.as_mut()?.processes.get_mut(who)
    }

    /// Returns the time of the next action of a driver.
    pub(crate) fn bots_next_at(&self) -> Option<Timestamp> {
        let processes = self.bots.as_ref()?.processes.iter().zip(&self.nets);
        let at = processes.filter_map(|(process, net)| {
            let at = process.next_at(self.now)?;
            Some(at.max(net.asleep_until))
        });
        at.min()
    }

    /// Performs the next action of a driver.
    pub(crate) fn advance_bots(&mut self) {
        for who in 0..self.nets.len() {
            let (now, asleep_until) = (self.now, self.nets[who].asleep_until);
            let next = self.process(who).and_then(|process| process.next_at(now));
            if asleep_until <= now && next.is_some_and(|at| at <= now) {
                return self.advance_process(who);
            }
        }
    }

    fn advance_process(&mut self, who: usize) {
        let now = self.now;
        let Some(process) = self.process(who) else {
            return;
        };
        let monotonic = process.monotonic(now);
        if process.loss_noticed_at.is_none()
            && let Some(lease) = &mut process.lease
        {
            if !lease.is_valid(monotonic) {
                return self.lose_lease(who);
            }
            if lease.is_renewal_due(monotonic) {
                let renewal = Statement::Renew(lease.holder);
                let statement = self.execute_later(who, renewal);
                if let Some(lease) = self.process(who).and_then(|it| it.lease.as_mut()) {
                    lease.note_renewing(statement, monotonic);
                }
                return;
            }
        }
        if let Some(process) = self.process(who)
            && let Some(task) = process.handlers.take_done(now)
        {
            return self.finish_task(who, task);
        }
        self.advance_store(who);
    }

    fn advance_store(&mut self, who: usize) {
        let now = self.now;
        let Some(process) = self.process(who) else {
            return;
        };
        if process.loss_noticed_at.is_some_and(|at| at <= now) && process.stage == Stage::Open {
            return self.leave_store(who);
        }
        if let Some(by) = process.ends_by
            && (by <= now || process.is_store_idle())
        {
            return self.exit(who);
        }
        if process.applying.is_none()
            && let Some((batch, changes)) = process.batches.pop_front()
            && let Some(lease) = &process.lease
        {
            let holder = lease.holder;
            process.applying = Some(Applying {
                batch,
                changes,
                holder,
                attempt: Err(now),
                is_orphan: false,
            });
        }
        if process.applying.is_some() {
            return self.apply(who);
        }
        if let Stage::Waiting(at) = process.stage
            && at <= now
        {
            let monotonic = process.monotonic(now);
            let statement = self.execute_later(who, Statement::Lock);
            if let Some(process) = self.process(who) {
                process.stage = Stage::Locking(statement, monotonic);
            }
        }
    }

    /// Attempts to apply the current batch, as long as its lease is valid.
    fn apply(&mut self, who: usize) {
        let now = self.now;
        let Some(process) = self.process(who) else {
            return;
        };
        let monotonic = process.monotonic(now);
        let Some(applying) = process.applying.as_ref().filter(|it| it.attempt.is_err()) else {
            return;
        };
        let lease = process.lease.as_ref();
        let is_valid = lease.is_some_and(|lease| {
            lease.holder == applying.holder && lease.is_valid(monotonic) && !applying.is_orphan
        });
        if !is_valid {
            return self.finish_batch(who, false);
        }
        let statement = Statement::Apply(applying.holder, applying.changes.clone());
        let statement = self.execute_later(who, statement);
        if let Some(applying) = self.process(who).and_then(|it| it.applying.as_mut()) {
            applying.attempt = Ok(statement);
        }
    }

    pub(super) fn finish_batch(&mut self, who: usize, is_stored: bool) {
        let Some(applying) = self.process(who).and_then(|it| it.applying.take()) else {
            return;
        };
        if applying.is_orphan {
            return;
        }
        let batch = applying.batch;
        let input = match is_stored {
            true => Input::Stored { batch },
            false => Input::StoreFailed {
                batch,
                reason: "the lease is lost".to_owned(),
            },
        };
        self.input(who, input);
    }

    pub(super) fn finish_lock(&mut self, who: usize, answer: Option<Answer>, sent: Timestamp) {
        let now = self.now;
        let Some(bots) = &mut self.bots else {
            return;
        };
        let (process, ttl) = (&mut bots.processes[who], bots.options.ttl);
        let Some(Answer::Locked(Some(holder))) = answer else {
            process.stage = Stage::Waiting(now + STANDBY_RETRY);
            return;
        };
        process.lease = Some(Lease::new(holder, ttl, sent));
        let statement = self.execute_later(who, Statement::Load);
        if let Some(process) = self.process(who) {
            process.stage = Stage::Loading(statement);
        }
    }

    pub(super) fn finish_load(&mut self, who: usize, answer: Option<Answer>) {
        let now = self.now;
        let Some(Answer::Loaded(records)) = answer else {
            if let Some(process) = self.process(who) {
                process.stage = Stage::Waiting(now + STANDBY_RETRY);
            }
            return self.release_lease(who);
        };
        self.trace(who, || "! the process is active".to_owned());
        self.execute(who, |session, now| session.open_store(now, &records));
        if let Some(process) = self.process(who) {
            process.stage = Stage::Open;
            process.loaded = Positions::of_records(&records);
            process.acknowledged.clear();
        }
        self.open_inbox(who);
        self.drain(who);
    }

    fn open_inbox(&mut self, who: usize) {
        let now = self.now;
        let Some(bots) = &mut self.bots else {
            return;
        };
        let options = bots.options.inbox.clone();
        let process = &mut bots.processes[who];
        process.is_inbox_open = false;
        process.inbox = self.clients[who].open_inbox(now, INBOX, options);
    }

    /// Closes the inbox, and opens it again at once.
    pub(super) fn reopen_inbox(&mut self, who: usize) {
        let are_dropped = self.rng.bool();
        let Some(process) = self.process(who) else {
            return;
        };
        let Some(inbox) = process.inbox.filter(|_| process.ends_by.is_none()) else {
            return;
        };
        process.handlers.end(are_dropped);
        self.execute(who, |session, now| {
            if session.close_inbox(now, inbox) != Ok(true) {
                broken("an open inbox is closed", format!("{inbox:?}"));
            }
        });
        self.open_inbox(who);
        self.drain(who);
    }

    /// Handles the loss of a lease, which the session notices a moment later.
    fn lose_lease(&mut self, who: usize) {
        let noticed = self.now + Duration::from_millis(self.rng.u64(0..100));
        self.trace(who, || "! the lease is lost".to_owned());
        let Some(process) = self.process(who) else {
            return;
        };
        process.loss_noticed_at = Some(noticed);
        // The last renewal may have arrived.
        let holder = process.lease.as_ref().map(|lease| lease.holder);
        if let Some(holder) = holder {
            self.execute_later(who, Statement::Unlock(holder));
        }
    }

    /// Makes the session a standby.
    fn leave_store(&mut self, who: usize) {
        let now = self.now;
        self.trace(who, || "! the process stands by".to_owned());
        let Some(process) = self.process(who) else {
            return;
        };
        process.stage = Stage::Waiting(now);
        process.lease = None;
        process.loss_noticed_at = None;
        process.batches.clear();
        if let Some(applying) = &mut process.applying {
            applying.is_orphan = true;
        }
        self.clients[who].close_store(now);
        self.drain(who);
    }

    fn release_lease(&mut self, who: usize) {
        let Some(process) = self.process(who) else {
            return;
        };
        let was_lost = process.loss_noticed_at.take().is_some();
        if let Some(lease) = process.lease.take().filter(|_| !was_lost) {
            self.execute_later(who, Statement::Unlock(lease.holder));
        }
    }

    /// Ends a process whose session has ended.
    fn exit(&mut self, who: usize) {
        self.trace(who, || "! the process exits".to_owned());
        self.release_lease(who);
        self.restart_process(who);
    }

    /// Passes a batch to the store of a process.
    pub(crate) fn store_batch(&mut self, who: usize, batch: BatchId, changes: Vec<Change>) {
        if let Some(process) = self.process(who)
            && process.stage == Stage::Open
        {
            process.batches.push_back((batch, changes));
        }
    }

    /// Replaces the driver of a process that has ended.
    pub(crate) fn restart_driver(&mut self, who: usize) {
        if self.bots.is_none() {
            return;
        }
        let starts = self.now + Duration::from_millis(self.rng.u64(50..3_000));
        self.nets[who].asleep_until = self.now;
        if let Some(process) = self.process(who) {
            let path = process.path;
            *process = Process {
                path,
                ..Process::new(starts)
            };
        }
    }
}
