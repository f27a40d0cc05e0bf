//! The store of a process: records that outlive a crash, and batches on their way to them.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;
use serde_json::Value;
use talk_proto::Timestamp;
use talk_proto::model::EntryId;
use talk_proto::storage::{BatchId, Change, Record};

/// The prefix of the keys of entries.
const ENTRY: &str = "outbox/entry/";

/// A store, which applies batches one after the other.
pub(super) struct Disk {
    records: BTreeMap<String, String>,
    /// The number of times that the token of a file was stored, by entry and place.
    stored_tokens: BTreeMap<(EntryId, usize), u64>,
    /// The batches that are not written, oldest first.
    unwritten: VecDeque<(BatchId, Vec<Change>)>,
    /// The batches that are not answered, although they may be written.
    withheld: Vec<BatchId>,
    /// The answered batches, the latest last.
    answered: Vec<BatchId>,
    pub(super) full_until: Timestamp,
    pub(super) slow_until: Timestamp,
    pub(super) silent_until: Timestamp,
    /// The number of batches that were not stored.
    pub(super) failures: u64,
}

/// The answer to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreAnswer {
    Stored,
    Full,
}

impl Disk {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            records: BTreeMap::new(),
            stored_tokens: BTreeMap::new(),
            unwritten: VecDeque::new(),
            withheld: Vec::new(),
            answered: Vec::new(),
            full_until: now,
            slow_until: now,
            silent_until: now,
            failures: 0,
        }
    }

    /// Accepts a batch, which [`write`](Self::write) stores.
    pub(super) fn accept(&mut self, batch: BatchId, changes: Vec<Change>) {
        self.unwritten.push_back((batch, changes));
    }

    /// Writes the oldest batch. Returns its answer, or `None` if it stays unanswered.
    pub(super) fn write(
        &mut self,
        now: Timestamp,
        rng: &mut Rng,
    ) -> Option<(BatchId, StoreAnswer)> {
        if now < self.silent_until {
            // The batch of an unanswered write may be stored.
            let batch = if rng.bool() {
                self.apply_next()
            } else {
                self.unwritten.front().map(|(batch, _)| *batch)
            };
            self.withheld.extend(batch);
            return None;
        }
        if now < self.full_until {
            let (batch, _) = self.unwritten.pop_front()?;
            self.failures += 1;
            return Some((batch, StoreAnswer::Full));
        }
        let batch = self.apply_next()?;
        self.answered.push(batch);
        Some((batch, StoreAnswer::Stored))
    }

    fn apply_next(&mut self) -> Option<BatchId> {
        let (batch, changes) = self.unwritten.pop_front()?;
        for change in changes {
            match change {
                Change::Put(record) => {
                    self.count_tokens(&record);
                    self.records.insert(record.key, record.value);
                }
                Change::Delete { key } => {
                    self.records.remove(&key);
                }
            }
        }
        Some(batch)
    }

    /// Counts the files of an entry that get a token with a record.
    fn count_tokens(&mut self, record: &Record) {
        let Some(Ok(entry)) = record.key.strip_prefix(ENTRY).map(EntryId::new) else {
            return;
        };
        let before = self.records.get(&record.key);
        let before = before.map(|value| tokens(value)).unwrap_or_default();
        for (place, token) in tokens(&record.value).into_iter().enumerate() {
            if token.is_some() && before.get(place) != Some(&token) {
                *self
                    .stored_tokens
                    .entry((entry.clone(), place))
                    .or_default() += 1;
            }
        }
    }

    /// Returns the number of times that the token of a file was stored.
    pub(super) fn stored_tokens(&self, entry: &EntryId, place: usize) -> u64 {
        let stored = self.stored_tokens.get(&(entry.clone(), place));
        stored.copied().unwrap_or(0)
    }

    /// Ends all faults. Returns the batches that are still to be answered.
    pub(super) fn heal(&mut self, now: Timestamp) -> Vec<BatchId> {
        self.full_until = now;
        self.slow_until = now;
        self.silent_until = now;
        let withheld = std::mem::take(&mut self.withheld);
        if !withheld.is_empty() {
            while self.apply_next().is_some() {}
        }
        self.answered.extend(&withheld);
        withheld
    }

    /// Ends the process. The oldest unwritten batches may be stored, the others are lost.
    pub(super) fn crash(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(..=self.unwritten.len()) {
            self.apply_next();
        }
        self.forget_process();
    }

    /// Writes all batches at the orderly end of a process.
    pub(super) fn flush(&mut self, now: Timestamp) {
        if now >= self.full_until {
            while self.apply_next().is_some() {}
        }
        self.forget_process();
    }

    fn forget_process(&mut self) {
        self.unwritten.clear();
        self.withheld.clear();
        self.answered.clear();
    }

    /// Returns `true` if every batch is answered.
    pub(super) fn is_idle(&self) -> bool {
        self.unwritten.is_empty() && self.withheld.is_empty()
    }

    /// Returns a batch of the process that was answered before.
    pub(super) fn old_batch(&self) -> Option<BatchId> {
        self.answered.last().copied()
    }

    pub(super) fn records(&self) -> Vec<Record> {
        let records = self.records.iter();
        records
            .map(|(key, value)| Record::new(key, value))
            .collect()
    }

    /// Returns `true` if the store has a record of the entry.
    pub(super) fn has_entry(&self, entry: &EntryId) -> bool {
        self.records.contains_key(&format!("{ENTRY}{entry}"))
    }

    /// Returns `true` if the store has a record of an attempt with this idempotency key.
    pub(super) fn has_try(&self, key: &str) -> bool {
        let own = self.records.get(&format!("{ENTRY}{key}"));
        let others = || {
            let entries = self.records.range(ENTRY.to_owned()..);
            let entries = entries.take_while(|(name, _)| name.starts_with(ENTRY));
            entries.map(|(_, record)| record)
        };
        let mut candidates = own.into_iter().chain(others());
        candidates.any(|record| {
            let record: Value = serde_json::from_str(record).unwrap_or_default();
            let of_record = if record["key"].is_null() {
                &record["id"]
            } else {
                &record["key"]
            };
            of_record == key && !record["firstTry"].is_null()
        })
    }
}

/// Returns the entry and the idempotency key of a change that saves an entry.
pub(super) fn saved_key(change: &Change) -> Option<(EntryId, String)> {
    let Change::Put(record) = change else {
        return None;
    };
    let id = record.key.strip_prefix(ENTRY)?;
    let saved: Value = serde_json::from_str(&record.value).ok()?;
    let key = saved["key"].as_str().unwrap_or(id).to_owned();
    Some((EntryId::new(id).ok()?, key))
}

/// Returns the tokens of the files in the record of an entry.
fn tokens(record: &str) -> Vec<Option<String>> {
    if !record.contains("\"files\"") {
        return Vec::new();
    }
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    let files = record["files"].as_array().into_iter().flatten();
    files
        .map(|file| file["token"].as_str().map(str::to_owned))
        .collect()
}
