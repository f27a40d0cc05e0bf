//! Receipts of sent entries.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::collections::{HashMap, HashSet};
use crate::model::{ConversationId, EntryId, MessageId};
use crate::timestamp::Timestamp;

/// The time for which a receipt is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The largest number of receipts. Above it the oldest ones are evicted.
const MAX_RECEIPTS: usize = 10_000;
/// The largest number of receipts if a search may need older ones.
const MAX_NEEDED: usize = 2 * MAX_RECEIPTS;
/// The delay until receipts that a search may need are checked again.
const RECHECK_AFTER: Duration = Duration::from_secs(60);

/// The proof that an entry was sent, kept for 24 h. At most 10,000 are kept. The records of
/// a conversation with an entry whose outcome is unknown are kept longer, up to 20,000 in total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The entry.
    pub entry: EntryId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The message.
    pub message: MessageId,
    /// The time at which the server had accepted the message.
    pub at: Timestamp,
}

#[derive(Default)]
pub(super) struct Receipts {
    by_entry: HashMap<EntryId, Receipt>,
    by_time: BTreeSet<(Timestamp, EntryId)>,
    messages: HashSet<MessageId>,
    /// The time at which an eviction has retained needed receipts.
    retained_at: Option<Timestamp>,
}

impl Receipts {
    pub(super) fn get(&self, now: Timestamp, id: &EntryId) -> Option<&Receipt> {
        let receipt = self.by_entry.get(id);
        receipt.filter(|receipt| !is_expired(now, receipt.at))
    }

    /// Returns a receipt that may have expired.
    pub(super) fn find(&self, id: &EntryId) -> Option<&Receipt> {
        self.by_entry.get(id)
    }

    pub(super) fn contains(&self, id: &EntryId) -> bool {
        self.by_entry.contains_key(id)
    }

    /// Returns `true` if a receipt names the message.
    pub(super) fn has_message(&self, message: &MessageId) -> bool {
        self.messages.contains(message)
    }

    pub(super) fn insert(&mut self, receipt: Receipt) {
        // A derived ID may be used again once its receipt has expired.
        if let Some(expired) = self.by_entry.get(&receipt.entry) {
            self.by_time.remove(&(expired.at, expired.entry.clone()));
            self.messages.remove(&expired.message);
        }
        self.by_time.insert((receipt.at, receipt.entry.clone()));
        self.messages.insert(receipt.message.clone());
        self.by_entry.insert(receipt.entry.clone(), receipt);
    }

    /// Returns `true` if a receipt is expired or in excess. Returns `false` for a minute after an
    /// eviction that had to retain such receipts.
    pub(super) fn is_eviction_due(&self, now: Timestamp) -> bool {
        let is_delayed = |at| (at..at + RECHECK_AFTER).contains(&now);
        let is_bounded = self.by_time.len() <= MAX_NEEDED;
        if is_bounded && self.retained_at.is_some_and(is_delayed) {
            return false;
        }
        self.has_excess(now)
    }

    fn has_excess(&self, now: Timestamp) -> bool {
        let first = self.by_time.first();
        self.by_time.len() > MAX_RECEIPTS || first.is_some_and(|(at, _)| is_expired(now, *at))
    }

    /// Removes and returns the expired and excess receipts. Those of the `needed` conversations are
    /// removed only above 20,000.
    pub(super) fn evict(
        &mut self,
        now: Timestamp,
        needed: &BTreeSet<ConversationId>,
    ) -> Vec<EntryId> {
        let mut left = self.by_time.len();
        let mut evicted = Vec::new();
        for (at, id) in &self.by_time {
            if !is_expired(now, *at) && left <= MAX_RECEIPTS {
                break;
            }
            let receipt = self.by_entry.get(id);
            let is_needed = receipt.is_some_and(|it| needed.contains(&it.conversation));
            if !is_needed || left > MAX_NEEDED {
                evicted.push((*at, id.clone()));
                left -= 1;
            }
        }
        for key in &evicted {
            self.by_time.remove(key);
            if let Some(receipt) = self.by_entry.remove(&key.1) {
                self.messages.remove(&receipt.message);
            }
        }
        self.retained_at = self.has_excess(now).then_some(now);
        evicted.into_iter().map(|(_, id)| id).collect()
    }
}

fn is_expired(now: Timestamp, at: Timestamp) -> bool {
    now.saturating_since(at) >= KEPT_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const NONE: [EntryId; 0] = [];

    fn receipt(number: usize, at: Timestamp) -> Receipt {
        Receipt {
            entry: format!("e{number}").try_into().unwrap(),
            conversation: "c".try_into().unwrap(),
            message: format!("m{number}").try_into().unwrap(),
            at,
        }
    }

    #[test]
    fn receipts_are_kept_for_24_hours() {
        let mut receipts = Receipts::default();
        receipts.insert(receipt(1, START));
        let id = receipt(1, START).entry;
        let last = START + KEPT_FOR - Duration::from_millis(1);
        assert!(receipts.get(last, &id).is_some());
        assert_eq!(receipts.evict(last, &BTreeSet::new()), NONE);
        assert_eq!(receipts.get(START + KEPT_FOR, &id), None);
        assert_eq!(receipts.evict(START + KEPT_FOR, &BTreeSet::new()), [id]);
        assert!(!receipts.has_message(&receipt(1, START).message));
    }

    #[test]
    fn receipts_above_10_000_evict_the_oldest() {
        let mut receipts = Receipts::default();
        for number in 0..=MAX_RECEIPTS {
            let millis = i64::try_from(number).unwrap();
            let at = START + Duration::from_millis(millis.unsigned_abs());
            receipts.insert(receipt(number, at));
        }
        assert_eq!(
            receipts.evict(START, &BTreeSet::new()),
            [receipt(0, START).entry]
        );
        assert_eq!(receipts.evict(START, &BTreeSet::new()), NONE);
    }

    #[test]
    fn receipts_of_needed_conversations_are_kept() {
        let needed = BTreeSet::from(["c".try_into().unwrap()]);
        let mut receipts = Receipts::default();
        for number in 0..MAX_NEEDED {
            receipts.insert(receipt(number, START));
        }
        let mut other = receipt(MAX_NEEDED, START + Duration::from_millis(1));
        other.conversation = "other".try_into().unwrap();
        receipts.insert(other.clone());
        let end = other.at + KEPT_FOR;
        assert!(receipts.is_eviction_due(end));
        let evicted = receipts.evict(end, &needed);
        assert_eq!(evicted.len(), 2, "the oldest one and the other one");
        assert_eq!(evicted[1], other.entry);
        assert_eq!(receipts.evict(end, &needed), NONE);
    }

    #[test]
    fn receipts_retained_are_checked_once_a_minute() {
        let needed = BTreeSet::from(["c".try_into().unwrap()]);
        let mut receipts = Receipts::default();
        receipts.insert(receipt(1, START));
        let end = START + KEPT_FOR;
        assert!(receipts.is_eviction_due(end));
        assert_eq!(receipts.evict(end, &needed), NONE);
        assert!(!receipts.is_eviction_due(end));
        let later = end + RECHECK_AFTER;
        assert!(receipts.is_eviction_due(later));
        assert_eq!(receipts.evict(later, &BTreeSet::new()).len(), 1);
        assert!(!receipts.is_eviction_due(later + RECHECK_AFTER));
    }

    #[test]
    fn receipt_of_a_reused_id_replaces_the_message() {
        let mut receipts = Receipts::default();
        receipts.insert(receipt(1, START));
        let mut reused = receipt(2, START + KEPT_FOR);
        reused.entry = receipt(1, START).entry;
        receipts.insert(reused.clone());
        assert!(!receipts.has_message(&receipt(1, START).message));
        assert!(receipts.has_message(&reused.message));
    }

    #[test]
    fn receipts_clock_set_back_ages_nothing() {
        let mut receipts = Receipts::default();
        receipts.insert(receipt(1, START));
        let earlier = START - KEPT_FOR;
        assert!(receipts.get(earlier, &receipt(1, START).entry).is_some());
        assert_eq!(receipts.evict(earlier, &BTreeSet::new()), NONE);
    }
}
