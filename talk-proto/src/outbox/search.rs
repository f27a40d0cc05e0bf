//! The search for a message whose outcome is unknown.

use super::entry::HeldReason;
use super::machine::{Outbox, OutboxOutput};
use super::step::{Search, Step};
use crate::error::RequestError;
use crate::model::MessageSnapshot;
use crate::timestamp::Timestamp;
use crate::wire::{Page, StatusClass};

/// The largest number of pages to search.
const MAX_PAGES: u32 = 20;

impl Outbox {
    /// Searches the message of an entry that was tried before.
    pub(super) fn start_search(&mut self, seq: u64) {
        if let Some(item) = self.items.get_mut(&seq) {
            item.progress_mut().step = Step::Searching(Search::default());
            self.mark_changed(seq);
            self.fetch_page(seq);
        }
    }

    /// Requests the next page of a search if the connection is ready.
    pub(super) fn fetch_page(&mut self, seq: u64) {
        let Some(item) = self.items.get_mut(&seq).filter(|_| self.is_ready) else {
            return;
        };
        let conversation = item.entry.conversation.clone();
        if let Step::Searching(search) = &mut item.progress_mut().step
            && !search.is_waiting
        {
            search.is_waiting = true;
            self.outputs.push_back(OutboxOutput::FetchPage {
                seq,
                conversation,
                cursor: search.cursor.clone(),
            });
        }
    }

    /// Starts all searches again, after the requests for their pages were dropped.
    pub(crate) fn restart_searches(&mut self) {
        for item in self.items.values_mut() {
            if let Step::Searching(_) = item.progress().step {
                item.progress_mut().step = Step::Searching(Search::default());
                self.lanes.mark_dirty(&item.entry.conversation);
            }
        }
    }

    /// Handles a page of a search.
    pub(crate) fn handle_page(
        &mut self,
        now: Timestamp,
        seq: u64,
        page: Result<Page<MessageSnapshot>, RequestError>,
    ) {
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        let candidate = item.candidate();
        let Step::Searching(search) = &mut item.progress_mut().step else {
            return;
        };
        search.is_waiting = false;
        search.pages += 1;
        let page = match page {
            Ok(page) => page,
            Err(RequestError::Server(refused))
                if StatusClass::of(refused.status) != StatusClass::Failed
                    && search.cursor.is_none() =>
            {
                return self.hold(seq, HeldReason::Uncertain);
            }
            Err(_) => {
                // The cursor may not exist any more.
                *search = Search::default();
                return self.handle_failure(now, seq, HeldReason::Uncertain);
            }
        };
        let Some(candidate) = candidate else {
            return self.hold(seq, HeldReason::Uncertain);
        };
        let is_last = search.pages >= MAX_PAGES
            || page
                .data
                .iter()
                .any(|message| message.created_at < candidate.floor);
        search.cursor = page.cursor.filter(|_| !is_last);
        let has_more = search.cursor.is_some();
        let is_found = |message: &&MessageSnapshot| {
            candidate.is_equal(message, &self.me) && !self.is_claimed(message)
        };
        if let Some(found) = page.data.iter().find(is_found) {
            let message = found.id.clone();
            self.settle(now, seq, message);
        } else if has_more {
            self.fetch_page(seq);
        } else {
            self.hold(seq, HeldReason::Uncertain);
        }
    }

    /// Returns `true` if the message belongs to an entry.
    fn is_claimed(&self, message: &MessageSnapshot) -> bool {
        let mut items = self.items.values();
        self.receipts.has_message(&message.id)
            || items.any(|item| item.entry.message() == Some(&message.id))
    }
}
