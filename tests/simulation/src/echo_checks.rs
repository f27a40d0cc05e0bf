//! The checks of outbox events, and of echoes in windows.

use std::collections::BTreeSet;
use std::time::Duration;

use talk_proto::model::{EntryId, MessageSnapshot};
use talk_proto::outbox::Settled;
use talk_proto::{Snapshot, Timestamp, Window};

use super::broken::broken;
use super::entries::{End, Entries};
use super::observed::Observed;
use super::posts::Posts;
use super::world::World;

/// The time after which a message is shown although its echo may be, and an echo leaves although
/// its message is not shown.
const RELEASED_AFTER: Duration = Duration::from_secs(10);

impl World {
    /// Checks the events of a session's outbox since the last call.
    pub(super) fn note_observed(&mut self, who: usize) {
        let now = self.now;
        let Some(stores) = &mut self.stores else {
            return;
        };
        let observed = self.clients[who].observed.as_mut();
        let observed = observed.map(std::mem::take).unwrap_or_default();
        let (entries, disk) = (&mut stores.entries[who], &stores.disks[who]);
        for event in observed {
            match event {
                Observed::Changed(entry) => {
                    entries.changed(now, &entry, disk.has_entry(&entry.id));
                }
                Observed::Removed { entry, message } => {
                    entries.removed(&entry, message.as_ref().map(|id| id.as_str()));
                }
                Observed::Window {
                    before,
                    after,
                    settled,
                } => {
                    let before: Vec<_> = before.iter().map(|entry| entry.id.clone()).collect();
                    let check = EchoCheck {
                        now,
                        jumped_at: self.clients[who].jumped_at,
                        entries,
                        posts: &stores.posts,
                        after: &after,
                        items: after.iter().map(|item| item.id.as_str()).collect(),
                    };
                    check.run(&before, &settled);
                }
            }
        }
    }

    /// Checks the echoes of all windows of messages at a quiescent point.
    pub(super) fn check_echoes(&self) {
        if self.stores.is_none() {
            return;
        }
        for client in &self.clients {
            for shown in client.shown.values().filter(|s| s.ended.is_none()) {
                let talk_proto::Topic::Messages { conversation } = &shown.topic else {
                    continue;
                };
                let Some(Snapshot::Messages(Some(window))) = &shown.snapshot else {
                    continue;
                };
                let echoes: Vec<_> = window.pending().iter().map(|entry| &entry.id).collect();
                let entries = client.session.outbox_entries();
                let entries = entries.filter(|entry| entry.conversation == *conversation);
                let is_item = |entry: &&std::sync::Arc<talk_proto::outbox::Entry>| {
                    let message = entry.message();
                    message.is_some_and(|id| window.iter().any(|item| item.id == *id))
                };
                let entries = entries.filter(|entry| !is_item(entry));
                let expected: Vec<_> = entries.map(|entry| &entry.id).collect();
                if echoes != expected {
                    let detail = format!("{conversation}: {echoes:?}, not {expected:?}");
                    broken("a window shows the waiting entries", detail);
                }
            }
        }
    }
}

/// The check of one update of a window.
struct EchoCheck<'a> {
    now: Timestamp,
    /// The last forward jump of the session's clock.
    jumped_at: Option<Timestamp>,
    entries: &'a Entries,
    posts: &'a Posts,
    after: &'a Window<MessageSnapshot>,
    items: BTreeSet<&'a str>,
}

impl EchoCheck<'_> {
    fn run(&self, before: &[EntryId], settled: &[Settled]) {
        for entry in self.after.pending() {
            let answered = entry.message().map(|id| id.as_str());
            if answered.is_some_and(|id| self.items.contains(id)) {
                broken(
                    "an update shows an entry or its message",
                    format!("{entry:?}"),
                );
            }
            // With lost keys, an earlier attempt can have created another message. A held entry
            // waits for no answer, so it hides no message of its user, and a shown message stays
            // visible after a retry.
            let mut messages = self.entries.messages(&entry.id, self.posts);
            let both = messages.find(|message| {
                answered.is_none()
                    && entry.held().is_none()
                    && self.items.contains(message.as_str())
                    && self.is_held_back(&entry.id, message)
            });
            if let Some(message) = both {
                let detail = format!("{message}, which has no answer yet: {entry:?}");
                broken("an update shows an entry or its message", detail);
            }
        }
        for (entry, message) in settled {
            let is_moved = before.contains(entry) && self.items.contains(message.as_str());
            if !is_moved {
                let detail = format!("{entry}: {message}");
                broken("a settled entry becomes a message", detail);
            }
        }
        for entry in before {
            let is_pending = self.after.pending().iter().any(|echo| echo.id == *entry);
            if !is_pending && !settled.iter().any(|(settled, _)| settled == entry) {
                self.check_gone(entry);
            }
        }
    }

    /// Returns `true` if a message of an entry without an answer must not be visible.
    fn is_held_back(&self, entry: &EntryId, message: &str) -> bool {
        let post = self.posts.message(message);
        post.is_some_and(|post| {
            !self.is_released(post.at) && !self.entries.was_held_after(entry, post.at)
        })
    }

    /// Returns `true` if the session may have released a message or an entry since `at`.
    fn is_released(&self, at: Timestamp) -> bool {
        self.now >= at + RELEASED_AFTER || self.jumped_at >= Some(at)
    }

    /// Checks an entry that left the window without a message.
    fn check_gone(&self, id: &EntryId) {
        let Some(tracked) = self.entries.get(id) else {
            return;
        };
        let Some(End::Sent(message)) = &tracked.end else {
            // The message can be deleted before the entry has ended, as by a follow-up.
            let mut messages = self.entries.messages(id, self.posts);
            let is_deleted = messages.any(|message| {
                let post = self.posts.message(message);
                post.is_some_and(|post| post.is_gone)
            });
            if tracked.end.is_none() && !is_deleted {
                broken(
                    "an update shows an entry or its message",
                    format!("{tracked:?}"),
                );
            }
            return;
        };
        let is_late = tracked.sent_at.is_none_or(|at| self.is_released(at));
        let post = self.posts.message(message);
        let is_gone = post.is_none_or(|post| post.is_gone);
        let last = self.after.last().map(|item| item.created_at);
        let is_behind = !self.after.loaded_all()
            && post.is_some_and(|post| last.is_some_and(|last| post.at <= last));
        if !is_late && !is_gone && !is_behind && !self.items.contains(message.as_str()) {
            let detail = format!("neither {message} nor {id}: {tracked:?}");
            broken("an update shows an entry or its message", detail);
        }
    }
}
