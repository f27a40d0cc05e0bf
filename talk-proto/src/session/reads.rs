//! Calls that read.
//!
//! The live half answers them, from what it holds or from the server. But they take their turn
//! among the other calls: a read comes after everything that was written before it, also when
//! both go again after a loss.

use std::collections::BTreeMap;

use super::{OpenCall, Session};
use crate::command::{Reply, RequestId};
use crate::connection::Place;
use crate::live::Get;

/// The reads that the live half is working on, with their places in the queue.
pub(super) type Reads = BTreeMap<RequestId, (Place, Get)>;

impl Session {
    /// A read waits for its turn.
    pub(super) fn queue_read(&mut self, request: RequestId, get: Get) {
        let place = self.queue.push_read(request, get);
        self.await_turn(request, place);
    }

    fn await_turn(&mut self, request: RequestId, place: Place) {
        let call = OpenCall {
            places: vec![place],
            remaining: 1,
            result: Ok(Reply::Done),
        };
        self.calls.insert(request, call);
    }

    /// It is the turn of a read.
    pub(super) fn read(&mut self, place: Place, request: RequestId, get: Get) {
        self.calls.remove(&request);
        self.reads.insert(request, (place, get.clone()));
        self.live.get(self.now, request, get);
    }

    /// What is being read is read again in its turn: the answers that were awaited do not come.
    pub(super) fn requeue_reads(&mut self) {
        for (request, (place, get)) in std::mem::take(&mut self.reads) {
            self.live.cancel(self.now, request);
            self.queue.put_read(place, request, get);
            self.await_turn(request, place);
        }
    }
}
