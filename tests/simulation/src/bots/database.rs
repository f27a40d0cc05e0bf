//! The database: records, and the lease of the process that may change them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use talk_proto::Timestamp;
use talk_proto::storage::{Change, Record};

use super::lease::are_leases_ignored;
use super::positions::{self, Positions};
use crate::disk::saved_key;

/// The number of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatementId(pub(super) u64);

/// The holder of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder(u64);

/// A statement of a process.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    /// Takes the lease, if it is free or has expired.
    Lock,
    /// Reads all records.
    Load,
    /// Extends a lease.
    Renew(Holder),
    /// Ends a lease.
    Unlock(Holder),
    /// Changes records in one transaction, if the holder has the lease.
    Apply(Holder, Vec<Change>),
}

impl Statement {
    /// Returns `true` if the statement concerns the lease, and not the records.
    pub(super) fn is_of_lease(&self) -> bool {
        matches!(self, Self::Lock | Self::Renew(_) | Self::Unlock(_))
    }
}

/// The answer to a statement.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The holder of a new lease, or `None` if another process has it.
    Locked(Option<Holder>),
    /// All records.
    Loaded(Vec<Record>),
    /// `false` if the holder does not have the lease.
    Done(bool),
}

pub(super) struct Database {
    records: BTreeMap<String, String>,
    /// The furthest position of each conversation.
    positions: Positions,
    /// Set if positions must not move back.
    is_in_order: bool,
    lease: Option<(Holder, Timestamp)>,
    holders: u64,
    /// The idempotency keys whose attempt was stored at any time.
    tried: BTreeSet<String>,
}

impl Database {
    pub(super) fn new(is_in_order: bool) -> Self {
        Self {
            records: BTreeMap::new(),
            positions: Positions::default(),
            is_in_order,
            lease: None,
            holders: 0,
            tried: BTreeSet::new(),
        }
    }

    /// Executes a statement at `now` by the clock of the database.
    pub(super) fn execute(
        &mut self,
        now: Timestamp,
        ttl: Duration,
        statement: Statement,
    ) -> Answer {
        match statement {
            Statement::Lock => {
                let is_held = self.lease.is_some_and(|(_, expires)| expires >= now);
                if is_held {
                    return Answer::Locked(None);
                }
                let holder = self.next_holder();
                self.lease = Some((holder, now + ttl));
                Answer::Locked(Some(holder))
            }
            Statement::Load => {
                let records = self.records.iter();
                let records = records.map(|(key, value)| Record::new(key, value));
                Answer::Loaded(records.collect())
            }
            Statement::Renew(holder) => {
                let is_held = self.is_held_by(holder);
                if is_held {
                    self.lease = Some((holder, now + ttl));
                }
                Answer::Done(is_held)
            }
            Statement::Unlock(holder) => {
                let is_held = self.is_held_by(holder);
                if is_held {
                    self.lease = None;
                }
                Answer::Done(is_held)
            }
            Statement::Apply(holder, changes) => {
                let is_allowed = self.is_held_by(holder) || are_leases_ignored();
                if is_allowed {
                    self.apply(changes);
                }
                Answer::Done(is_allowed)
            }
        }
    }

    fn next_holder(&mut self) -> Holder {
        self.holders += 1;
        Holder(self.holders)
    }

    fn is_held_by(&self, holder: Holder) -> bool {
        self.lease.is_some_and(|(current, _)| current == holder)
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            if let Some((_, key)) = saved_key(&change)
                && has_attempt(&change)
            {
                self.tried.insert(key);
            }
            match change {
                Change::Put(Record { key, value, .. }) => {
                    if self.is_in_order {
                        positions::check_put(&key, self.records.get(&key), &value);
                    }
                    self.positions.put(&key, &value);
                    self.records.insert(key, value);
                }
                Change::Delete { key } => {
                    positions::check_delete(&key);
                    self.records.remove(&key);
                }
            }
        }
    }

    pub(super) fn positions(&self) -> &Positions {
        &self.positions
    }

    /// Returns `true` if an attempt with this idempotency key was stored.
    pub(super) fn was_tried(&self, key: &str) -> bool {
        self.tried.contains(key)
    }
}

/// Returns `true` if a change saves an entry that was tried.
fn has_attempt(change: &Change) -> bool {
    let Change::Put(record) = change else {
        return false;
    };
    let saved: Value = serde_json::from_str(&record.value).unwrap_or_default();
    !saved["firstTry"].is_null()
}
