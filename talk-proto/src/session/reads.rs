//! Calls that read.
//!
//! The live half answers them, from what it holds or from the server. But they take their turn
//! among the other calls: a read comes after everything that was written before it, also when
//! both go again after a loss.

use super::{CallPurpose, OpenCall, Session};
use crate::command::{Reply, RequestId};
use crate::connection::Place;
use crate::live::interface::Get;
use crate::search::results::SearchId;

/// A read that the live half is working on.
pub(super) struct Read {
    pub(super) purpose: CallPurpose,
    /// Its place in the queue, unless it started at once.
    queued: Option<(Place, Get)>,
}

impl Session {
    /// A read waits for its turn.
    pub(super) fn queue_read(&mut self, request: RequestId, get: Get) {
        let place = self.queue.push_read(request, get);
        self.await_turn(request, place);
    }

    fn await_turn(&mut self, request: RequestId, place: Place) {
        let call = OpenCall {
            purpose: CallPurpose::User,
            places: vec![place],
            remaining: 1,
            result: Ok(Reply::Done),
        };
        self.calls.insert(request, call);
    }

    /// It is the turn of a read.
    pub(super) fn read(&mut self, place: Place, request: RequestId, get: Get) {
        self.calls.remove(&request);
        let read = Read {
            purpose: CallPurpose::User,
            queued: Some((place, get.clone())),
        };
        self.reads.insert(request, read);
        self.live.get(self.now, request, get);
    }

    /// Reads an item of a search's page, ahead of the queue.
    pub(super) fn look_up_for_search(&mut self, search: SearchId, slot: u64, get: Get) {
        let request = RequestId(self.take_id());
        let read = Read {
            purpose: CallPurpose::SearchLookup { search, slot },
            queued: None,
        };
        self.reads.insert(request, read);
        self.live.get(self.now, request, get);
    }

    /// Returns the number of unfinished reads that a search made.
    pub(super) fn lookups(&self) -> usize {
        let is_lookup = |read: &&Read| matches!(read.purpose, CallPurpose::SearchLookup { .. });
        self.reads.values().filter(is_lookup).count()
    }

    /// Cancels the reads of a search's page.
    pub(super) fn cancel_lookups(&mut self, id: SearchId) {
        let (live, now) = (&mut self.live, self.now);
        self.reads.retain(|request, read| match read.purpose {
            CallPurpose::SearchLookup { search, .. } if search == id => {
                read.purpose = CallPurpose::Abandoned;
                // A read that cannot be cancelled has a result on its way.
                live.cancel(now, *request).is_none()
            }
            _ => true,
        });
    }

    /// What is being read is read again in its turn: the answers that were awaited do not come.
    pub(super) fn requeue_reads(&mut self) {
        for (request, read) in std::mem::take(&mut self.reads) {
            let Some((place, get)) = read.queued else {
                // The live half repeats it.
                self.reads.insert(request, read);
                continue;
            };
            self.live.cancel(self.now, request);
            self.queue.put_read(place, request, get);
            self.await_turn(request, place);
        }
    }
}
