//! Work that is due at the start of each drain.

use super::{Dirty, Session};
use crate::collections::ReleaseMemory;
use crate::io::Event;
use crate::timestamp::Timestamp;

/// The largest number of rounds in one drain. The work of a part can make another part due at once,
/// such as a reconnect without delay, but no such chain needs this many rounds.
const MAX_ROUNDS: usize = 16;

impl Session {
    /// Performs all work that is due.
    pub(super) fn settle(&mut self) {
        if self.dirty == Dirty::Live && self.settle_live() {
            self.dirty = Dirty::Clean;
            return;
        }
        self.queue.close_batch();
        for _ in 0..MAX_ROUNDS {
            self.settle_once();
            self.deadline = self.next_deadline();
            let is_due = self.deadline.is_some_and(|at| at <= self.now);
            if self.ended.is_some() || !is_due {
                break;
            }
        }
        self.report_connection();
        self.dirty = Dirty::Clean;
        // The answer of a pending call fills the collections again.
        self.needs_release = self.queue.is_empty();
    }

    /// Performs the work that follows a change of live snapshots. Returns `true` if no other work
    /// is due, as after most publishes.
    fn settle_live(&mut self) -> bool {
        if self.deadline.is_some_and(|at| at <= self.now) || self.connection.needs_probe() {
            return false;
        }
        self.drain_live();
        self.update_need();
        self.deadline = self.next_deadline();
        let is_due = self.deadline.is_some_and(|at| at <= self.now);
        let is_alone = self.searches.pending() == 0 && self.uploads.pending() == 0;
        !self.queue.has_live_request() && is_alone && !is_due
    }

    fn settle_once(&mut self) {
        self.live.handle_timeout(self.now);
        // Before the snapshots of windows, which show the entries.
        self.advance_outbox();
        // The outputs of the live half decide if a connection is needed.
        self.drain_live();
        self.leave_outbox();
        self.expire_http();
        self.advance_inboxes();
        self.store_changes();
        self.update_need();
        self.connection.handle_timeout(self.now);
        self.drain_connection();
        if self.ended.is_some() {
            return;
        }
        self.send_http_requests();
        self.send_requests();
    }

    fn update_need(&mut self) {
        let is_needed = self.needs_connection();
        let is_token_needed = self.http.waits_for_token();
        self.connection
            .set_needed(self.now, is_needed, is_token_needed);
    }

    /// Returns the earliest time at which something is due.
    fn next_deadline(&self) -> Option<Timestamp> {
        if self.ended.is_some() {
            return None;
        }
        let is_ready = self.connection.is_ready();
        let queue = is_ready.then(|| self.queue.poll_timeout()).flatten();
        let expects_more = self.queue.has_entries();
        Timestamp::earliest(&[
            self.connection.poll_timeout(),
            self.live.poll_timeout(),
            queue,
            self.http.next_deadline(),
            self.durable.poll_timeout(self.now, expects_more),
        ])
    }

    fn report_connection(&mut self) {
        if self.ended.is_none()
            && let Some(state) = self.connection.changed_state(&self.last_reported_state)
        {
            self.last_reported_state = state.clone();
            self.emit(Event::Connection(state));
        }
    }

    /// Releases the memory of empty collections, because most sessions are idle most of the time.
    pub(super) fn release_memory(&mut self) {
        self.outputs.release_memory();
        self.connection.release_memory();
        self.queue.release_memory();
        self.live.release_memory();
        self.http.release_memory();
        self.searches.release_memory();
        self.uploads.release_memory();
    }
}
