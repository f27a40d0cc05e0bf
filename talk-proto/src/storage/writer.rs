//! The writes of a session: one batch at a time.

use std::time::Duration;

use super::journal::Changes;
use super::record::{BatchId, Change, Record, StorageEvent};
use crate::timestamp::Timestamp;

/// The time after which an unanswered batch is reported.
const STALLED_AFTER: Duration = Duration::from_secs(30);
/// The longest delay before retained changes are stored again. The first is 1 s, and each further
/// one is twice as long.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);

/// The longest delay of a batch that waits for further changes.
const GATHERS_FOR: Duration = Duration::from_millis(5);

/// Collects changes into batches. At most one batch is unanswered. Later changes join the next one.
///
/// A durable write takes about as long for many changes as for one. While messages of the outbox
/// are in flight, a batch therefore waits up to 5 ms for the changes that their answers cause. A
/// batch with an urgent change, which a caller waits for, does not.
#[derive(Default)]
pub(crate) struct StoreWriter {
    waiting: Changes,
    /// Set if a waiting change is urgent.
    is_urgent: bool,
    /// The time at which the first of the waiting changes was added.
    waiting_since: Option<Timestamp>,
    unanswered: Option<Unanswered>,
    /// The number of batches so far.
    batches: u64,
    /// The number of failures since the last success.
    failures: u32,
    /// The time of the next attempt, if only retained changes wait.
    retry_at: Option<Timestamp>,
}

struct Unanswered {
    changes: Changes,
    since: Timestamp,
    is_reported: bool,
}

impl StoreWriter {
    /// Adds changes to the next batch. Later changes of a record replace earlier ones.
    pub(crate) fn extend(&mut self, now: Timestamp, changes: Changes, is_urgent: bool) {
        if !changes.is_empty() {
            self.waiting.extend(changes);
            self.waiting_since.get_or_insert(now);
            self.is_urgent |= is_urgent;
            self.retry_at = None;
        }
    }

    /// Returns `true` if a batch is unanswered, so that changes join the next one.
    pub(crate) fn has_unanswered(&self) -> bool {
        self.unanswered.is_some()
    }

    /// Returns the next batch that [`poll_batch`](Self::poll_batch) will return.
    pub(crate) fn next_batch(&self) -> BatchId {
        BatchId(self.batches + 1)
    }

    /// Returns the next batch if no other is unanswered. If `expects_more`, changes that are not
    /// urgent wait for further ones.
    pub(crate) fn poll_batch(
        &mut self,
        now: Timestamp,
        expects_more: bool,
    ) -> Option<(BatchId, Vec<Change>)> {
        let is_early = self.retry_at.is_some_and(|at| at > now);
        if self.unanswered.is_some() || is_early {
            return None;
        }
        let until = self.gathers_until(expects_more);
        if until.is_some_and(|until| now < until) {
            return None;
        }
        self.take_batch(now)
    }

    /// Returns the time until which the waiting changes are delayed for further ones.
    fn gathers_until(&self, expects_more: bool) -> Option<Timestamp> {
        let since = self.waiting_since?;
        (expects_more && !self.is_urgent).then(|| since + GATHERS_FOR)
    }

    /// Returns all waiting changes as a last batch, even if another one is unanswered.
    pub(crate) fn take_batch(&mut self, now: Timestamp) -> Option<(BatchId, Vec<Change>)> {
        let changes = std::mem::take(&mut self.waiting);
        if changes.is_empty() {
            return None;
        }
        let list = changes.iter().map(|(key, value)| match value {
            Some(value) => Change::Put(Record::new(key, value)),
            None => Change::Delete { key: key.clone() },
        });
        let list = list.collect();
        self.batches += 1;
        self.is_urgent = false;
        self.waiting_since = None;
        self.retry_at = None;
        self.unanswered = Some(Unanswered {
            changes,
            since: now,
            is_reported: false,
        });
        Some((BatchId(self.batches), list))
    }

    /// Handles a stored batch. Returns `false` if the batch is not the unanswered one.
    pub(crate) fn handle_stored(&mut self, batch: BatchId) -> bool {
        let is_known = batch.0 == self.batches && self.unanswered.take().is_some();
        if is_known {
            self.failures = 0;
        }
        is_known
    }

    /// Handles a failed batch. The changes for which `is_retained` returns `true` are stored again
    /// after a delay. Returns `false` if the batch is not the unanswered one.
    pub(crate) fn handle_failed(
        &mut self,
        now: Timestamp,
        batch: BatchId,
        is_retained: impl Fn(&str, Option<&str>) -> bool,
    ) -> bool {
        if batch.0 != self.batches {
            return false;
        }
        let Some(failed) = self.unanswered.take() else {
            return false;
        };
        let delay = Duration::from_secs(1 << self.failures.min(5)).min(MAX_RETRY_DELAY);
        self.failures += 1;
        let has_others = !self.waiting.is_empty();
        for (key, value) in failed.changes {
            if is_retained(&key, value.as_deref()) {
                self.waiting.entry(key).or_insert(value);
            }
        }
        // Callers may wait for the retained changes.
        self.is_urgent |= !self.waiting.is_empty();
        if !has_others && !self.waiting.is_empty() {
            self.retry_at = Some(now + delay);
        }
        true
    }

    /// Drops all changes, for a store that belongs to another session. Answers to earlier batches
    /// have no effect.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            batches: self.batches,
            ..Self::default()
        };
    }

    /// Reports an unanswered batch once.
    pub(crate) fn handle_timeout(&mut self, now: Timestamp) -> Option<StorageEvent> {
        let unanswered = self.unanswered.as_mut()?;
        let is_stalled = now >= unanswered.since + STALLED_AFTER && !unanswered.is_reported;
        unanswered.is_reported |= is_stalled;
        is_stalled.then_some(StorageEvent::Stalled)
    }

    /// Returns the time at which the writer has something to do, with the same `expects_more` as in
    /// [`poll_batch`](Self::poll_batch).
    pub(crate) fn poll_timeout(&self, expects_more: bool) -> Option<Timestamp> {
        match &self.unanswered {
            Some(batch) => (!batch.is_reported).then(|| batch.since + STALLED_AFTER),
            None => self
                .retry_at
                .or_else(|| self.gathers_until(expects_more))
                .filter(|_| !self.waiting.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000);

    fn put(writer: &mut StoreWriter, key: &str) -> BatchId {
        let changes = [(key.to_owned(), Some("{}".to_owned()))];
        writer.extend(START, changes.into(), false);
        writer.next_batch()
    }

    fn delete(writer: &mut StoreWriter, key: &str) {
        writer.extend(START, [(key.to_owned(), None)].into(), false);
    }

    fn keys(batch: Option<(BatchId, Vec<Change>)>) -> Vec<String> {
        let changes = batch.map(|(_, changes)| changes).unwrap_or_default();
        let key = |change| match change {
            Change::Put(record) => record.key,
            Change::Delete { key } => format!("-{key}"),
        };
        changes.into_iter().map(key).collect()
    }

    #[test]
    fn batch_unanswered_later_changes_join_the_next() {
        let mut writer = StoreWriter::default();
        let first = put(&mut writer, "a");
        assert_eq!(keys(writer.poll_batch(START, false)), ["a"]);
        let next = put(&mut writer, "b");
        put(&mut writer, "c");
        delete(&mut writer, "b");
        let poll = writer.poll_batch(START, false);
        assert_eq!(poll, None, "one batch is unanswered");
        assert!(!writer.handle_stored(next));
        assert!(writer.handle_stored(first));
        assert!(!writer.handle_stored(first), "it is answered already");
        assert_eq!(keys(writer.poll_batch(START, false)), ["-b", "c"]);
    }

    #[test]
    fn batch_that_expects_more_waits_5_ms_once() {
        let mut writer = StoreWriter::default();
        put(&mut writer, "a");
        assert_eq!(writer.poll_batch(START, true), None);
        let until = START + GATHERS_FOR;
        assert_eq!(writer.poll_timeout(true), Some(until));
        let late = until - Duration::from_millis(1);
        writer.extend(late, [("b".to_owned(), None)].into(), false);
        assert_eq!(writer.poll_batch(late, true), None);
        assert_eq!(
            writer.poll_timeout(true),
            Some(until),
            "counted from the first"
        );
        assert_eq!(keys(writer.poll_batch(until, true)), ["a", "-b"]);
        assert_eq!(writer.poll_timeout(true), Some(until + STALLED_AFTER));
    }

    #[test]
    fn batch_that_expects_nothing_more_is_not_delayed() {
        let mut writer = StoreWriter::default();
        put(&mut writer, "a");
        assert_eq!(writer.poll_batch(START, true), None);
        assert_eq!(keys(writer.poll_batch(START, false)), ["a"]);
    }

    #[test]
    fn batch_with_urgent_change_is_not_delayed() {
        let mut writer = StoreWriter::default();
        put(&mut writer, "a");
        writer.extend(START, [("b".to_owned(), None)].into(), true);
        put(&mut writer, "c");
        let batch = writer.next_batch();
        assert_eq!(keys(writer.poll_batch(START, true)), ["a", "-b", "c"]);
        writer.handle_stored(batch);
        put(&mut writer, "d");
        let poll = writer.poll_batch(START, true);
        assert_eq!(poll, None, "the next is not urgent");
    }

    #[test]
    fn batch_unanswered_for_30_s_is_reported_once() {
        let mut writer = StoreWriter::default();
        put(&mut writer, "a");
        assert_eq!(writer.poll_timeout(false), None);
        writer.poll_batch(START, false);
        let at = START + STALLED_AFTER;
        assert_eq!(writer.poll_timeout(false), Some(at));
        assert_eq!(writer.handle_timeout(START), None);
        assert_eq!(writer.handle_timeout(at), Some(StorageEvent::Stalled));
        assert_eq!(writer.handle_timeout(at), None);
        assert_eq!(writer.poll_timeout(false), None);
    }

    #[test]
    fn batch_failed_retained_changes_are_stored_again() {
        let mut writer = StoreWriter::default();
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            let batch = put(&mut writer, "kept");
            put(&mut writer, "dropped");
            writer.poll_batch(START, false);
            assert!(writer.handle_failed(START, batch, |key, _| key == "kept"));
            let at = START + Duration::from_secs(seconds);
            assert_eq!(writer.poll_timeout(false), Some(at));
            assert_eq!(writer.poll_batch(START, false), None);
        }
        let at = START + Duration::from_secs(30);
        assert_eq!(keys(writer.poll_batch(at, false)), ["kept"]);
    }

    #[test]
    fn batch_failed_newer_change_wins() {
        let mut writer = StoreWriter::default();
        let batch = put(&mut writer, "a");
        writer.poll_batch(START, false);
        delete(&mut writer, "a");
        assert!(writer.handle_failed(START, batch, |_, _| true));
        assert_eq!(keys(writer.poll_batch(START, false)), ["-a"], "at once");
    }
}
