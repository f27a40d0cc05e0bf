//! The lines of `talk messages`.

use std::sync::Arc;

use serde::Serialize;
use talk_tokio::{Changes, ConversationId, MessageId, MessageSnapshot, RemovalReason, Window};

use super::app::App;
use super::list_diff::{Difference, Item, Listing, Removed, differences, reason_text};
use crate::exit::CliError;
use crate::terminal::{Paint, long_message, quote, reactions, sanitize};

/// Converts the snapshots of a conversation's messages to lines, so that each new message is
/// printed once.
pub(super) struct MessageLog {
    conversation: ConversationId,
    /// The number of messages to print first.
    first: usize,
    /// The last loaded messages, kept while the user is not in the conversation.
    loaded: Option<Listing<MessageSnapshot>>,
    newest: Option<Arc<MessageSnapshot>>,
    is_absent: bool,
    /// Set if the last update made no lines.
    was_skipped: bool,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    New(Arc<MessageSnapshot>),
    Edited(Arc<MessageSnapshot>),
    Reacted(Arc<MessageSnapshot>),
    /// Another change, such as a new name of the sender.
    Other(Arc<MessageSnapshot>),
    Removed(Arc<MessageSnapshot>, RemovalReason),
    /// Messages between two messages may be missing.
    Gap(Gap),
    /// The user left the conversation.
    Left(ConversationId),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Gap {
    conversation: ConversationId,
    after: MessageId,
    before: MessageId,
}

impl MessageLog {
    pub(super) fn new(conversation: ConversationId, first: usize) -> Self {
        Self {
            conversation,
            first,
            loaded: None,
            newest: None,
            is_absent: false,
            was_skipped: false,
        }
    }

    /// Returns the lines for a snapshot: removals first, then from the oldest message to the
    /// newest. `changes` lead to it from the previous snapshot.
    pub(super) fn update(
        &mut self,
        window: Option<&Window<MessageSnapshot>>,
        changes: &Changes,
    ) -> Vec<Entry> {
        // Older messages may follow, which must be printed first.
        let is_skipped = window.is_some_and(Window::has_outdated);
        let was_skipped = std::mem::replace(&mut self.was_skipped, is_skipped);
        match (is_skipped, was_skipped) {
            (true, _) => Vec::new(),
            // The changes do not begin at the last listing.
            (false, true) => self.apply(window.map(Listing::from), &Changes::Reset),
            (false, false) => self.apply(window.map(Listing::from), changes),
        }
    }

    fn apply(
        &mut self,
        listing: Option<Listing<MessageSnapshot>>,
        changes: &Changes,
    ) -> Vec<Entry> {
        let Some(after) = listing else {
            let was_absent = std::mem::replace(&mut self.is_absent, true);
            let has_left = self.loaded.is_some() && !was_absent;
            let left = has_left.then(|| Entry::Left(self.conversation.clone()));
            return left.into_iter().collect();
        };
        self.is_absent = false;
        let entries = match &self.loaded {
            Some(before) => self.entries(before, &after, changes),
            None => {
                let newest = after.items.iter().take(self.first);
                newest.rev().cloned().map(Entry::New).collect()
            }
        };
        self.newest = after.items.first().cloned().or(self.newest.take());
        self.loaded = Some(after);
        entries
    }

    fn entries(
        &self,
        before: &Listing<MessageSnapshot>,
        after: &Listing<MessageSnapshot>,
        changes: &Changes,
    ) -> Vec<Entry> {
        let mut gap = self.gap(after).map(Entry::Gap);
        let mut entries = Vec::new();
        for difference in differences(before, after, changes) {
            match difference {
                Difference::Removed(message, reason) => {
                    let reason = reason.unwrap_or(RemovalReason::Deleted);
                    entries.push(Entry::Removed(message, reason));
                }
                Difference::Changed(before, after) => entries.push(Entry::change(&before, after)),
                Difference::New(message) if self.is_new(&message, before) => {
                    entries.extend(gap.take());
                    entries.push(Entry::New(message));
                }
                // The deletion of a message made an older one visible.
                Difference::New(_) => {}
            }
        }
        entries
    }

    /// Returns `true` if the message is new: it was not loaded, and it is not older than the loaded
    /// ones.
    fn is_new(&self, message: &MessageSnapshot, before: &Listing<MessageSnapshot>) -> bool {
        let newest = self.newest.as_ref().map(|newest| newest.time());
        before.covers(message.time())
            || before.items.is_empty() && newest.is_none_or(|newest| message.time() > newest)
    }

    /// Returns the gap between the newest message before the update and the loaded ones.
    fn gap(&self, after: &Listing<MessageSnapshot>) -> Option<Gap> {
        let (newest, oldest) = (self.newest.as_ref()?, after.items.last()?);
        let is_reached = after.covers(newest.time()) || after.contains(&newest.id);
        (!is_reached).then(|| Gap {
            conversation: self.conversation.clone(),
            after: newest.id.clone(),
            before: oldest.id.clone(),
        })
    }
}

impl Entry {
    fn change(before: &MessageSnapshot, after: Arc<MessageSnapshot>) -> Self {
        if before.edited_at != after.edited_at {
            Self::Edited(after)
        } else if before.reactions.summaries() != after.reactions.summaries() {
            Self::Reacted(after)
        } else {
            Self::Other(after)
        }
    }

    /// Prints the line, with the time and the ID of a message if `long` is set.
    pub(super) fn print(&self, app: &App, long: bool) -> Result<(), CliError> {
        #[derive(Serialize)]
        struct GapLine<'a> {
            gap: &'a Gap,
        }
        let style = app.printer.style();
        let note = |text: String| style.paint(Paint::Dim, &text);
        match self {
            Self::New(message) | Self::Edited(message) if long => {
                app.printer
                    .print_as(message, || long_message(message, style))?;
            }
            Self::New(message) | Self::Edited(message) => app.printer.print(message)?,
            Self::Reacted(message) => app.printer.print_as(message, || {
                let reactions = match reactions(message).as_str() {
                    "" => "no reactions".to_owned(),
                    reactions => reactions.to_owned(),
                };
                note(format!("{reactions} for “{}”", quote(message)))
            })?,
            // A terminal shows the change with the next version of the message.
            Self::Other(message) => app.printer.print_json(message)?,
            Self::Removed(message, reason) => {
                let (removed, reason) = (&message.id, *reason);
                let text = || note(format!("{}: “{}”", reason_text(reason), quote(message)));
                app.printer.print_as(&Removed { removed, reason }, text)?;
            }
            Self::Gap(gap) => {
                let text = || note("-- messages missing here --".to_owned());
                app.printer.print_as(&GapLine { gap }, text)?;
            }
            Self::Left(removed) => {
                let reason = RemovalReason::Left;
                let id = sanitize::line(removed.as_str());
                let text = || note(format!("{}: “{id}”", reason_text(reason)));
                app.printer.print_as(&Removed { removed, reason }, text)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use talk_tokio::{ContentBlock, ListChanges, Removal, Timestamp};

    use super::*;

    fn message(n: i64) -> Arc<MessageSnapshot> {
        let id = format!("m{n}").try_into().unwrap();
        let time = Timestamp::from_millis(n);
        Arc::new(MessageSnapshot::new(
            id,
            None,
            time,
            Vec::<ContentBlock>::new(),
        ))
    }

    /// Returns messages from `newest` down to `oldest`.
    fn messages(newest: i64, oldest: i64, loaded_all: bool) -> Option<Listing<MessageSnapshot>> {
        Some(Listing {
            items: (oldest..=newest).rev().map(message).collect(),
            loaded_all,
        })
    }

    fn new(oldest: i64, newest: i64) -> Vec<Entry> {
        (oldest..=newest).map(|n| Entry::New(message(n))).collect()
    }

    fn gap(after: i64, before: i64) -> Entry {
        let id = |n| message(n).id.clone();
        Entry::Gap(Gap {
            conversation: "c1".try_into().unwrap(),
            after: id(after),
            before: id(before),
        })
    }

    /// Returns a log with the messages 11 to 40 of a longer conversation.
    fn log() -> MessageLog {
        let mut log = MessageLog::new("c1".try_into().unwrap(), 5);
        let entries = log.apply(messages(40, 11, false), &Changes::Reset);
        assert_eq!(entries, new(36, 40));
        log
    }

    fn list(removed: Vec<Removal>, inserted: usize) -> Changes {
        let mut steps = ListChanges::default();
        steps.removed = removed;
        steps.inserted = (0..inserted).collect();
        Changes::List(steps)
    }

    #[test]
    fn log_messages_of_a_loss_are_new_once_in_order() {
        let mut log = log();
        let changes = list(Vec::new(), 80);
        let entries = log.apply(messages(120, 11, false), &changes);
        assert_eq!(entries, new(41, 120));
        assert_eq!(log.apply(messages(120, 11, false), &Changes::Reset), []);
    }

    #[test]
    fn log_evicted_messages_make_no_entry() {
        let evicted = |index| Removal::new(index, RemovalReason::Evicted);
        let changes = list((20..30).map(evicted).collect(), 10);
        for changes in [changes, Changes::Reset, Changes::Gap] {
            let entries = log().apply(messages(50, 21, false), &changes);
            assert_eq!(entries, new(41, 50));
        }
    }

    #[test]
    fn log_deleted_messages_are_removed_first() {
        let mut log = log();
        let Some(mut after) = messages(41, 10, false) else {
            unreachable!()
        };
        after
            .items
            .retain(|item| item.created_at != Timestamp::from_millis(30));
        let removal = Removal::new(10, RemovalReason::Deleted);
        let entries = log.apply(Some(after), &list(vec![removal], 1));
        let removed = Entry::Removed(message(30), RemovalReason::Deleted);
        assert_eq!(entries, [vec![removed], new(41, 41)].concat());
    }

    #[test]
    fn log_late_message_within_the_range_is_new() {
        let mut log = log();
        let Some(mut after) = messages(42, 11, false) else {
            unreachable!()
        };
        let late = after.items.remove(1);
        let Some(all) = messages(42, 11, false) else {
            unreachable!()
        };
        let first = log.apply(Some(after), &list(Vec::new(), 1));
        assert_eq!(first, new(42, 42));
        assert_eq!(log.apply(Some(all), &Changes::Reset), [Entry::New(late)]);
    }

    #[test]
    fn log_gap_is_reported_before_the_next_message() {
        let entries = log().apply(messages(120, 91, false), &Changes::Gap);
        assert_eq!(entries, [vec![gap(40, 91)], new(91, 120)].concat());
        // Without missing messages there is no gap.
        let entries = log().apply(messages(70, 40, false), &Changes::Gap);
        assert_eq!(entries, new(41, 70));
        let entries = log().apply(messages(70, 41, true), &Changes::Reset);
        assert!(!entries.contains(&gap(40, 41)));
    }

    #[test]
    fn log_return_to_the_conversation_repeats_nothing() {
        let mut log = log();
        let left = [Entry::Left("c1".try_into().unwrap())];
        assert_eq!(log.apply(None, &Changes::Reset), left);
        assert_eq!(log.apply(None, &Changes::Reset), []);
        let entries = log.apply(messages(45, 16, false), &Changes::Reset);
        assert_eq!(entries, new(41, 45));

        log.apply(None, &Changes::Reset);
        let entries = log.apply(messages(100, 71, false), &Changes::Reset);
        assert_eq!(entries, [vec![gap(45, 71)], new(71, 100)].concat());
    }

    #[test]
    fn log_refilled_messages_make_no_entry() {
        let mut log = log();
        let deleted = |index| Removal::new(index, RemovalReason::Deleted);
        let changes = list((0..30).map(deleted).collect(), 0);
        let entries = log.apply(messages(0, 1, false), &changes);
        assert_eq!(entries.len(), 30);
        assert_eq!(log.apply(messages(10, 1, true), &list(Vec::new(), 10)), []);
    }
}
