//! A walk back through the unread messages of a conversation.

use std::sync::Arc;

use super::position::Position;
use crate::model::{MessageId, MessageSnapshot};

/// The number of messages in a page.
const PAGE: usize = 100;
/// The number of messages in a page that only has to contain a message before the unread ones, or
/// that probably has only one new message.
const SHORT_PAGE: usize = 10;
/// The number of pages whose messages are kept, instead of being read again.
const KEPT_PAGES: usize = 3;
/// The largest number of cursors. Above it every second one is dropped.
const MAX_STEPS: usize = 10_000;

/// A page on the way.
struct Step {
    /// The start of the page; `None` for the newest messages.
    cursor: Option<String>,
    /// The start of the next older page, once this page is read.
    next: Option<String>,
    /// The messages, newest first, if they are kept.
    page: Option<Vec<Arc<MessageSnapshot>>>,
}

impl Step {
    fn at(cursor: Option<String>) -> Self {
        Self {
            cursor,
            next: None,
            page: None,
        }
    }
}

/// The next action of a walk.
pub(super) enum WalkStep {
    /// Read a page.
    Read {
        cursor: Option<String>,
        limit: usize,
    },
    /// Deliver these messages, oldest first.
    Deliver(Vec<Arc<MessageSnapshot>>),
    /// All messages up to the newest ones were delivered.
    Finished,
}

/// A walk over pages: back from the newest message to the position, then forward again.
///
/// The server lists messages newest first, but they are delivered oldest first. So the walk
/// remembers the cursors of the pages that it has passed on its way back.
pub(super) struct Walk {
    /// The pages that are not delivered, the oldest one last.
    steps: Vec<Step>,
    /// The start of the page that was delivered last.
    delivered: Option<String>,
    first_limit: usize,
}

impl Walk {
    /// Starts a walk. `is_short` is set if one message is expected.
    pub(super) fn new(is_short: bool) -> Self {
        Self {
            steps: vec![Step::at(None)],
            delivered: None,
            first_limit: if is_short { SHORT_PAGE } else { PAGE },
        }
    }

    /// Returns a walk whose messages were all delivered.
    pub(super) fn finished() -> Self {
        Self {
            steps: Vec::new(),
            delivered: None,
            first_limit: SHORT_PAGE,
        }
    }

    /// Returns `true` if no page is left.
    pub(super) fn is_finished(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns `true` if the message is in a page that is kept.
    pub(super) fn holds(&self, message: &MessageId) -> bool {
        let kept = self.steps.iter().rev().take(KEPT_PAGES + 2);
        let mut kept = kept.filter_map(|step| step.page.as_ref()).flatten();
        kept.any(|other| other.id == *message)
    }

    /// Returns the next action. `position` is the one after the last delivered message.
    pub(super) fn advance(&mut self, position: &Position) -> WalkStep {
        loop {
            let depth = self.steps.len();
            let Some(step) = self.steps.last_mut() else {
                return WalkStep::Finished;
            };
            let Some(page) = &step.page else {
                let limit = match depth {
                    1 => self.first_limit,
                    2 if self.first_limit == PAGE => SHORT_PAGE,
                    _ => PAGE,
                };
                let cursor = step.cursor.clone();
                return WalkStep::Read { cursor, limit };
            };
            let is_last = step.next.is_none() || step.next == self.delivered;
            if is_last || page.last().is_some_and(|message| position.covers(message)) {
                let messages = step.page.take().unwrap_or_default();
                self.delivered = step.cursor.take();
                self.steps.pop();
                let new = messages.into_iter().rev();
                let mut new: Vec<_> = new.filter(|it| !position.covers(it)).collect();
                // Pages should be in this order already. Messages of equal time keep theirs.
                new.sort_by_key(|message| message.created_at);
                return WalkStep::Deliver(new);
            }
            let next = step.next.clone();
            self.steps.push(Step::at(next));
            self.limit_memory();
        }
    }

    /// Handles the page requested by [`WalkStep::Read`].
    pub(super) fn handle_page(&mut self, page: Vec<MessageSnapshot>, next: Option<String>) {
        if let Some(step) = self.steps.last_mut() {
            step.page = Some(page.into_iter().map(Arc::new).collect());
            step.next = next;
        }
    }

    /// Drops all kept messages. `is_partial` is set if the page that was delivered last must be
    /// read again.
    pub(super) fn forget_pages(&mut self, is_partial: bool) {
        for step in self.steps.iter_mut().rev().take(KEPT_PAGES + 1) {
            step.page = None;
        }
        if is_partial {
            let cursor = self.delivered.take();
            self.steps.push(Step::at(cursor));
        }
    }

    /// Returns `true` if the newest messages are to be read next.
    pub(super) fn is_at_newest(&self) -> bool {
        self.steps.len() == 1
    }

    fn limit_memory(&mut self) {
        // The last step has no page yet, and the pages before it are the oldest ones.
        let newest = self.steps.len().checked_sub(KEPT_PAGES + 2);
        if let Some(step) = newest.and_then(|newest| self.steps.get_mut(newest)) {
            step.page = None;
        }
        if self.steps.len() > MAX_STEPS {
            // A page that does not reach the next older step is continued to it.
            let last = self.steps.len() - 1;
            let mut index = 0;
            self.steps.retain(|_| {
                index += 1;
                (index - 1) % 2 == 0 || index - 1 == last
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    fn message(number: usize) -> MessageSnapshot {
        let id = format!("m{number}").try_into().unwrap();
        let time = Timestamp::from_millis(i64::try_from(number).unwrap());
        MessageSnapshot::new(id, None, time, Vec::new())
    }

    /// Walks over `count` messages in pages of one message. Returns the number of pages.
    fn walk(count: usize) -> usize {
        let mut walk = Walk::new(false);
        let mut position = Position::before(Timestamp::default());
        let (mut delivered, mut pages) = (0, 0);
        loop {
            match walk.advance(&position) {
                WalkStep::Read { cursor, .. } => {
                    let end = cursor.map_or(count, |cursor| cursor.parse().unwrap());
                    let next = (end > 1).then(|| (end - 1).to_string());
                    walk.handle_page(vec![message(end - 1)], next);
                    pages += 1;
                    assert!(walk.steps.len() <= MAX_STEPS);
                    if pages % 1_000 == 0 {
                        let kept = walk.steps.iter().filter(|step| step.page.is_some());
                        assert!(kept.count() <= KEPT_PAGES + 1);
                    }
                }
                WalkStep::Deliver(messages) => {
                    for message in messages {
                        assert_eq!(message.id, format!("m{delivered}"), "in order");
                        position.pass(message.created_at, &message.id);
                        delivered += 1;
                    }
                }
                WalkStep::Finished => break,
            }
        }
        assert_eq!(delivered, count);
        pages
    }

    #[test]
    fn walk_reads_each_page_at_most_twice() {
        assert_eq!(walk(3), 3, "the pages are kept");
        assert!(walk(1_000) < 2_000);
    }

    #[test]
    fn walk_beyond_the_limit_of_cursors_delivers_all() {
        let count = MAX_STEPS * 5 / 2;
        assert!(walk(count) < count * 4);
    }
}
