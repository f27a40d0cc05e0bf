//! The entries of all outboxes, and the check of their outcomes.

use std::collections::{BTreeMap, BTreeSet};

use talk_proto::Timestamp;
use talk_proto::model::EntryId;
use talk_proto::outbox::{Entry, HeldReason};

use super::broken::broken;
use super::entry_files::EntryFiles;
use super::posts::Posts;

/// The time for which an entry waits for its first attempt, at least.
const STALE_AFTER_MS: u64 = 24 * 60 * 60 * 1000;

/// The end of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Sent as this message.
    Sent(String),
    Discarded,
    /// Lost with a crash, before it was reported as stored.
    Lost,
}

/// An entry that a user has enqueued.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) conversation: String,
    /// The place in the order of enqueueing.
    number: u64,
    is_durable: bool,
    pub(super) end: Option<End>,
    /// The idempotency keys: one, and another after each edit of a refused entry.
    keys: BTreeSet<String>,
    /// Set if the user has asked to remove it, which a crash can undo.
    is_discarded: bool,
    /// Set if the user has sent it again although it may have been sent.
    may_repeat: bool,
    /// Set if later entries may overtake it.
    may_be_late: bool,
    has_follow_up: bool,
    /// The last time at which the user has retried it while it was held.
    unheld_at: Option<Timestamp>,
    /// The time at which the server's answer was reported.
    pub(super) sent_at: Option<Timestamp>,
}

/// The entries of one outbox, across all of its processes.
#[derive(Default)]
pub(super) struct Entries {
    entries: BTreeMap<EntryId, Tracked>,
    next: u64,
}

impl Entries {
    pub(super) fn enqueued(&mut self, id: &EntryId, conversation: &str, skips: bool) {
        let tracked = Tracked {
            conversation: conversation.to_owned(),
            number: self.next,
            is_durable: false,
            end: None,
            keys: [id.to_string()].into(),
            is_discarded: false,
            may_repeat: false,
            may_be_late: skips,
            has_follow_up: false,
            unheld_at: None,
            sent_at: None,
        };
        self.next += 1;
        if let Some(before) = self.entries.insert(id.clone(), tracked) {
            broken("an entry has its own ID", format!("{id}: {before:?}"));
        }
    }

    pub(super) fn get(&self, id: &EntryId) -> Option<&Tracked> {
        self.entries.get(id)
    }

    /// Returns the messages of an entry that the server has created.
    pub(super) fn messages<'a>(
        &'a self,
        id: &EntryId,
        posts: &'a Posts,
    ) -> impl Iterator<Item = &'a String> {
        let keys = self.entries.get(id).into_iter();
        let keys = keys.flat_map(|tracked| &tracked.keys);
        keys.flat_map(|key| posts.of_key(key))
    }

    /// Returns the number of times that the server has refused the message of an entry.
    pub(super) fn refusals(&self, id: &EntryId, posts: &Posts) -> u64 {
        let keys = self.entries.get(id).into_iter();
        let keys = keys.flat_map(|tracked| &tracked.keys);
        keys.map(|key| posts.refusals(key)).sum()
    }

    /// Returns `true` if an entry was held after `time`. A message from before may have been shown
    /// then.
    pub(super) fn was_held_after(&self, id: &EntryId, time: Timestamp) -> bool {
        let tracked = self.entries.get(id);
        tracked.is_some_and(|tracked| tracked.unheld_at > Some(time))
    }

    /// Records the key that is stored with an entry.
    pub(super) fn saved(&mut self, id: &EntryId, key: String) {
        if let Some(tracked) = self.entries.get_mut(id) {
            tracked.keys.insert(key);
        }
    }

    pub(super) fn note_discard(&mut self, id: &EntryId) {
        if let Some(tracked) = self.entries.get_mut(id) {
            tracked.is_discarded = true;
        }
    }

    pub(super) fn note_retry(&mut self, now: Timestamp, entry: &Entry) {
        if let Some(tracked) = self.entries.get_mut(&entry.id) {
            if entry.held().is_some() {
                tracked.unheld_at = Some(now);
            }
            tracked.may_repeat |= entry.held() == Some(&HeldReason::Uncertain);
        }
    }

    pub(super) fn note_follow_up(&mut self, id: &EntryId) {
        if let Some(tracked) = self.entries.get_mut(id) {
            tracked.has_follow_up = true;
        }
    }

    /// Records a reported state. `is_stored` is set if the store has a record of the entry.
    pub(super) fn changed(&mut self, now: Timestamp, entry: &Entry, is_stored: bool) {
        let Some(tracked) = self.entries.get_mut(&entry.id) else {
            broken("an entry was enqueued", format!("{entry:?}"));
        };
        if let Some(end) = &tracked.end {
            broken("an entry ends once", format!("{entry:?} after {end:?}"));
        }
        if entry.durable && !tracked.is_durable && !is_stored {
            broken("a durable entry is stored", format!("{entry:?}"));
        }
        tracked.is_durable |= entry.durable;
        match entry.message() {
            Some(_) => {
                tracked.sent_at.get_or_insert(now);
            }
            None => tracked.sent_at = None,
        }
    }

    pub(super) fn removed(&mut self, id: &EntryId, message: Option<&str>) {
        let Some(tracked) = self.entries.get_mut(id) else {
            broken("an entry was enqueued", id.to_string());
        };
        let end = message.map_or(End::Discarded, |id| End::Sent(id.to_owned()));
        if end == End::Discarded && !tracked.is_discarded {
            broken("only the user discards an entry", format!("{tracked:?}"));
        }
        if let Some(before) = tracked.end.replace(end) {
            broken("an entry ends once", format!("{id}: {before:?}"));
        }
    }

    /// Compares the entries of a new process with those of the process that crashed. `sent` returns
    /// the message of an entry if the new process knows that it was sent.
    pub(super) fn restarted(
        &mut self,
        restored: &BTreeSet<EntryId>,
        sent: impl Fn(&EntryId) -> Option<String>,
    ) {
        for (id, tracked) in &mut self.entries {
            let is_there = restored.contains(id);
            match &tracked.end {
                Some(End::Discarded | End::Lost) if is_there => tracked.end = None,
                Some(End::Sent(_)) if is_there => {
                    broken("a sent entry stays away", format!("{tracked:?}"));
                }
                None if !is_there => {
                    tracked.end = Some(match sent(id) {
                        Some(message) => End::Sent(message),
                        None if tracked.is_discarded => End::Discarded,
                        None if tracked.is_durable => {
                            broken("a durable entry survives a crash", format!("{tracked:?}"));
                        }
                        None => End::Lost,
                    });
                }
                _ => {}
            }
            tracked.sent_at = None;
        }
    }

    /// Checks the entries that a process has at a quiescent point. `now` is the latest time of the
    /// process's clock, and `store_failures` the number of failed writes.
    pub(super) fn check(
        &self,
        now: Timestamp,
        present: &BTreeMap<EntryId, Entry>,
        posts: &Posts,
        files: &EntryFiles,
        store_failures: u64,
    ) {
        for (id, tracked) in &self.entries {
            match (&tracked.end, present.get(id)) {
                (None, None) => {
                    broken(
                        "an entry is sent, held or discarded",
                        format!("{tracked:?}"),
                    );
                }
                (None, Some(entry)) if entry.held().is_none() => {
                    check_blocked(tracked, entry, present);
                }
                (None, Some(entry)) => {
                    check_reason(now, tracked, entry, posts, files, store_failures);
                }
                _ => {}
            }
            self.check_messages(id, tracked, posts);
        }
        self.check_claims();
        self.check_order(posts);
    }

    /// An entry is posted once, unless the server has lost its key or the user has insisted.
    fn check_messages(&self, id: &EntryId, tracked: &Tracked, posts: &Posts) {
        let was_forgotten = tracked.keys.iter().any(|key| posts.was_forgotten(key));
        let count = self.messages(id, posts).count();
        if count > 1 && !was_forgotten && !tracked.may_repeat {
            broken("a message is there once", format!("{count}: {tracked:?}"));
        }
        if let Some(End::Sent(message)) = &tracked.end
            && posts.message(message).is_none()
        {
            broken(
                "a sent entry is a message",
                format!("{message}: {tracked:?}"),
            );
        }
    }

    /// Each message belongs to one entry.
    fn check_claims(&self) {
        let mut claims = BTreeMap::new();
        for (id, tracked) in &self.entries {
            if let Some(End::Sent(message)) = &tracked.end
                && let Some(other) = claims.insert(message, id)
            {
                broken(
                    "a message is of one entry",
                    format!("{message}: {id}, {other}"),
                );
            }
        }
    }

    /// The first messages of the entries of a conversation are in the order of the entries.
    fn check_order(&self, posts: &Posts) {
        let mut in_order: Vec<_> = self.entries.iter().collect();
        in_order.sort_by_key(|(_, tracked)| tracked.number);
        let mut last: BTreeMap<&str, (u64, &Tracked)> = BTreeMap::new();
        for (id, tracked) in in_order {
            if tracked.is_discarded || tracked.may_be_late {
                continue;
            }
            // A search can find an equal message of another session, which may be older than the
            // messages of earlier entries.
            let is_own = |message| self.messages(id, posts).any(|own| own == message);
            if let Some(End::Sent(message)) = &tracked.end
                && !is_own(message)
            {
                continue;
            }
            let numbers = self.messages(id, posts);
            let numbers = numbers.filter_map(|id| Some(posts.message(id)?.number));
            let Some(number) = numbers.min() else {
                continue;
            };
            let before = last.insert(&tracked.conversation, (number, tracked));
            if let Some((before, other)) = before.filter(|(before, _)| *before > number) {
                let detail = format!("{number}: {tracked:?} after {before}: {other:?}");
                broken("entries are sent in their order", detail);
            }
        }
    }

    /// Discards the entries that have ended, except their claims of messages.
    pub(super) fn clear(&mut self) {
        self.entries.retain(|_, tracked| tracked.end.is_none());
    }
}

/// Checks that an entry that waits is blocked.
fn check_blocked(tracked: &Tracked, entry: &Entry, present: &BTreeMap<EntryId, Entry>) {
    let blocker = entry.blocked_by.as_ref().and_then(|id| present.get(id));
    if blocker.is_none_or(|blocker| blocker.held().is_none()) {
        let detail = format!("{entry:?}: {tracked:?}");
        broken("an entry that waits is blocked by a held one", detail);
    }
}

/// Checks the reason of a held entry.
fn check_reason(
    now: Timestamp,
    tracked: &Tracked,
    entry: &Entry,
    posts: &Posts,
    files: &EntryFiles,
    store_failures: u64,
) {
    let had_status = |status| {
        let mut keys = tracked.keys.iter();
        keys.any(|key| posts.had_status(key, status)) || files.had_status(&entry.id, status)
    };
    let is_true = match entry.held() {
        Some(HeldReason::Refused(error)) => tracked.has_follow_up || had_status(error.status),
        Some(HeldReason::Uncertain) => entry.tries > 0 || files.was_attempted(&entry.id),
        Some(HeldReason::SourceGone(_)) => files.was_unreadable(&entry.id),
        Some(HeldReason::Stale) => {
            let age = now.saturating_since(entry.created_at).as_millis();
            entry.tries == 0 && age >= u128::from(STALE_AFTER_MS)
        }
        Some(HeldReason::StoreFailed(_)) => store_failures > 0,
        _ => false,
    };
    if !is_true {
        let detail = format!("{entry:?}: {tracked:?}");
        broken("an entry is held for a true reason", detail);
    }
}
