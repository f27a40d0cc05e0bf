//! The list of conversations, which names those with new messages.
//!
//! Events name all conversations with news, so the list is read only after a connection was made,
//! and every 10 minutes in case an event was lost.

use std::time::Duration;

use super::consumer::{Consumer, Purpose, Stage};
use super::context::{InboxCx, is_transient};
use super::conversation::Source;
use super::options::InboxStart;
use super::position::Position;
use super::record::Start;
use super::scan_state::{BEGINNING, RunningScan, ScanKind};
use crate::error::RequestError;
use crate::filter::{ConversationFilter, NumberFilter, SimpleFilter};
use crate::live::ListFilter;
use crate::live::interface::InboxRead;
use crate::live::is_absence;
use crate::model::ConversationSnapshot;
use crate::timestamp::Timestamp;
use crate::wire::Page;

/// The interval of the scans on one connection.
const INTERVAL: Duration = Duration::from_secs(10 * 60);
/// The delay after a scan without a usable answer.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// The delay after a refused cursor.
const RESTART_AFTER: Duration = Duration::from_secs(1);
/// The difference of server times that a scan tolerates.
const MARGIN: Duration = Duration::from_secs(60);

impl Consumer {
    /// Starts a scan that is due.
    pub(super) fn advance_scan(&mut self, cx: &mut InboxCx) {
        if self.scan.running.is_some() || self.scan.due > cx.now {
            return;
        }
        match (self.start, self.stage) {
            (None, _) => self.run(ScanKind::Start, None, cx),
            (Some(start), Stage::Open) => {
                self.scan.latest_before = self.latest;
                let mark = start.mark;
                let since = NumberFilter::from((mark - MARGIN)..);
                let active = SimpleFilter::new().last_activity_at(since);
                let joined = SimpleFilter::new().joined_at(since);
                let filter = (mark > BEGINNING).then(|| [active, joined].into_iter().collect());
                self.run(ScanKind::News, filter, cx);
            }
            // The start is being stored.
            (Some(_), Stage::Opening(_) | Stage::Closing) => {
                self.scan.due = cx.now + RETRY_AFTER;
            }
        }
    }

    fn run(&mut self, kind: ScanKind, filter: Option<ConversationFilter>, cx: &mut InboxCx) {
        let filter = ListFilter::new(filter);
        self.scan.is_mark_held = false;
        self.scan.running = Some(RunningScan {
            kind,
            filter: filter.clone(),
            has_cursor: false,
            newest: BEGINNING,
        });
        let read = match &self.options.conversation {
            Some(conversation) => InboxRead::Conversation(conversation.clone()),
            None => InboxRead::Conversations {
                filter,
                cursor: None,
            },
        };
        let token = cx.read(self.id, read);
        self.reads.insert(token, Purpose::Scan);
    }

    /// Handles a page of the list.
    pub(super) fn handle_scan_page(
        &mut self,
        page: Result<Page<ConversationSnapshot>, RequestError>,
        cx: &mut InboxCx,
    ) {
        let Some(running) = &mut self.scan.running else {
            return;
        };
        let page = match page {
            Ok(page) => page,
            Err(error) if is_transient(&error) => return self.fail_scan(RETRY_AFTER, cx),
            Err(RequestError::Server(_)) if running.has_cursor => {
                return self.fail_scan(RESTART_AFTER, cx);
            }
            // The user or the conversation does not exist yet.
            Err(error) if is_absence(&error) => Page {
                data: Vec::new(),
                cursor: None,
            },
            Err(error) => {
                self.failure = Some(error);
                return;
            }
        };
        let active = page.data.iter().map(|side| side.last_message_at).max();
        let joined = page.data.iter().map(|side| side.joined_at).max();
        let newest = active.max(joined).unwrap_or(BEGINNING);
        let newest = running.newest.max(newest);
        running.newest = newest;
        let kind = running.kind;
        if kind == ScanKind::Start {
            return self.begin(active, newest, cx);
        }
        if let Some(cursor) = page.cursor {
            running.has_cursor = true;
            let read = InboxRead::Conversations {
                filter: running.filter.clone(),
                cursor: Some(cursor),
            };
            let token = cx.read(self.id, read);
            self.reads.insert(token, Purpose::Scan);
        } else {
            self.scan.running = None;
        }
        let is_over = self.scan.running.is_none();
        match kind {
            ScanKind::Start => {}
            ScanKind::Joins(start) if is_over => {
                let began = start.began.max(newest);
                self.set_start(Start { began, ..start }, cx);
            }
            ScanKind::Joins(_) => {}
            ScanKind::News => {
                let source = Source::Scan {
                    is_regular: self.scan.is_regular,
                };
                for side in page.data {
                    self.handle_side(side, source);
                }
                if is_over {
                    self.finish_scan(newest, cx);
                }
            }
        }
    }

    /// Determines the start from the first page. `active` is the newest time of a message, and
    /// `newest` also considers joins.
    fn begin(&mut self, active: Option<Timestamp>, newest: Timestamp, cx: &mut InboxCx) {
        let from = match self.options.start {
            InboxStart::Now => active.map_or(BEGINNING, |time| Position::after(time).from),
            InboxStart::Beginning => BEGINNING,
            InboxStart::At(time) => time,
        };
        let start = Start {
            from,
            began: newest,
            mark: from,
        };
        // The list is in the order of messages, so the last join may be on another page. A join
        // before `from` has no effect, unless it decides about older messages.
        let needs_joins = self.options.start != InboxStart::Now || self.options.history_on_join;
        if needs_joins && self.options.conversation.is_none() && newest > BEGINNING {
            let later = NumberFilter::Above(newest.as_millis() as f64);
            let filter = SimpleFilter::new().joined_at(later);
            self.run(ScanKind::Joins(start), Some(filter.into()), cx);
        } else {
            self.set_start(start, cx);
        }
    }

    fn set_start(&mut self, start: Start, cx: &mut InboxCx) {
        self.scan.running = None;
        self.start = Some(start);
        // Events report all later messages.
        let is_current = self.options.start == InboxStart::Now;
        self.scan.due = cx.now + if is_current { INTERVAL } else { Duration::ZERO };
        self.scan.is_regular = is_current;
        for conversation in self.conversations.values_mut() {
            conversation.frontier = Position::before(start.from);
            conversation.position = conversation.frontier.clone();
        }
        match self.save_start(cx) {
            Some(batch) => self.stage = Stage::Opening(Some(batch)),
            None => self.finish_opening(cx),
        }
    }

    /// Reports that the inbox is open.
    pub(super) fn finish_opening(&mut self, cx: &mut InboxCx) {
        self.set_open(cx);
        if !self.scan.is_regular {
            self.scan.due = cx.now;
        }
        self.enqueue_behind();
    }

    /// Ends a scan without a usable answer. The conversations that waited for it are read alone.
    fn fail_scan(&mut self, delay: Duration, cx: &InboxCx) {
        self.scan.fail(cx.now, delay);
        self.enqueue_behind();
    }

    fn finish_scan(&mut self, newest: Timestamp, cx: &mut InboxCx) {
        self.scan.finish(cx.now, INTERVAL);
        self.enqueue_behind();
        let conversations = self.conversations.iter();
        let unsaved = conversations.filter(|(_, it)| it.is_unfinished() && !it.is_saved_behind);
        let has_unplaced = unsaved.clone().any(|(_, it)| !it.is_placed);
        let unsaved: Vec<_> = unsaved.map(|(id, _)| id.clone()).collect();
        let Some(start) = &mut self.start else {
            return;
        };
        // The position of an unplaced conversation is not known yet, so the mark must not pass it.
        if newest <= start.mark || has_unplaced || self.scan.is_mark_held {
            return;
        }
        start.mark = newest;
        self.save_start(cx);
        for id in unsaved {
            self.save(&id, cx);
        }
    }

    /// Returns `true` if an unnoticed message may have the same time as the last known one.
    pub(super) fn may_miss_tie(&self, time: Timestamp) -> bool {
        !self.scan.is_regular && time + MARGIN >= self.scan.latest_before
    }
}
