//! The calls that are not resolved, and their results.

use std::collections::{BTreeMap, VecDeque};

use super::entry::QueueSlot;
use crate::collections::ReleaseMemory;
use crate::command::{Reply, RequestId};
use crate::error::RequestError;
use crate::fault_injection::FaultInjection;
use crate::search::results::SearchId;

/// The part of the session that receives the result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallPurpose {
    /// The caller of a command.
    User,
    /// The upload with this [`RequestId`], which waits for the server's validation.
    UploadCheck,
    /// The upload of a file of an entry, which waits for the server's validation.
    EntryUploadCheck,
    /// An item of a search's page.
    SearchLookup { search: SearchId, slot: u64 },
    /// The entry of the outbox with this sequence number.
    Outbox { seq: u64 },
    /// The delivery of an inbox with this number, whose sender and quote are read.
    Inbox { lookup: u64 },
}

impl CallPurpose {
    /// Returns `true` if the call is part of another operation, and not a pending call itself.
    fn is_internal(self) -> bool {
        match self {
            Self::SearchLookup { .. }
            | Self::EntryUploadCheck
            | Self::Outbox { .. }
            | Self::Inbox { .. } => true,
            Self::User | Self::UploadCheck => false,
        }
    }

    fn is_entry(self) -> bool {
        matches!(self, Self::Outbox { .. })
    }
}

/// The result of a call, and the part that receives it.
pub(crate) struct CallResult {
    pub(crate) request: RequestId,
    pub(crate) purpose: CallPurpose,
    pub(crate) result: Result<Reply, RequestError>,
}

/// A call that is not resolved.
pub(super) struct PendingCall {
    pub(super) purpose: CallPurpose,
    /// The requests of the call. Empty if the live half resolves the call without an entry in the
    /// queue.
    pub(super) slots: Vec<QueueSlot>,
    pub(super) remaining: usize,
    /// The first error, or the last reply, of the answered requests.
    pub(super) result: Result<Reply, RequestError>,
}

/// The calls that are not resolved, and results that are not taken yet.
#[derive(Default)]
pub(super) struct PendingCalls {
    calls: BTreeMap<RequestId, PendingCall>,
    /// The number of internal calls.
    internal: usize,
    /// The number of calls of the outbox.
    entries: usize,
    results: VecDeque<CallResult>,
}

impl PendingCalls {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns the number of calls, without internal ones.
    pub(super) fn count(&self) -> usize {
        self.calls.len() - self.internal
    }

    /// Returns the number of calls of the outbox.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    pub(super) fn get(&self, request: RequestId) -> Option<&PendingCall> {
        self.calls.get(&request)
    }

    pub(super) fn requests(&self) -> Vec<RequestId> {
        self.calls.keys().copied().collect()
    }

    pub(super) fn insert(
        &mut self,
        request: RequestId,
        purpose: CallPurpose,
        slots: Vec<QueueSlot>,
    ) {
        self.internal += usize::from(purpose.is_internal());
        self.entries += usize::from(purpose.is_entry());
        let call = PendingCall {
            purpose,
            remaining: slots.len(),
            slots,
            result: Ok(Reply::Done),
        };
        self.calls.insert(request, call);
    }

    pub(super) fn remove(&mut self, request: RequestId) -> Option<PendingCall> {
        let call = self.calls.remove(&request)?;
        self.internal -= usize::from(call.purpose.is_internal());
        self.entries -= usize::from(call.purpose.is_entry());
        Some(call)
    }

    /// Records the result of one request of a call, and resolves the call with the last one.
    pub(super) fn finish(&mut self, request: RequestId, result: Result<Reply, RequestError>) {
        let Some(call) = self.calls.get_mut(&request) else {
            return;
        };
        call.remaining = call.remaining.saturating_sub(1);
        if call.result.is_ok() {
            call.result = result;
        }
        if call.remaining == 0
            && let Some(call) = self.remove(request)
            && !FaultInjection::LeakedRequest.is_on_for(request.0)
        {
            self.results.push_back(CallResult {
                request,
                purpose: call.purpose,
                result: call.result,
            });
        }
    }

    /// Returns the next result of a call.
    pub(super) fn poll_result(&mut self) -> Option<CallResult> {
        self.results.pop_front()
    }

    /// Returns the look-ups of a search's page.
    pub(super) fn lookups_of(&self, id: SearchId) -> Vec<RequestId> {
        let is_of =
            |purpose| matches!(purpose, CallPurpose::SearchLookup { search, .. } if search == id);
        let calls = self.calls.iter().filter(|(_, call)| is_of(call.purpose));
        calls.map(|(request, _)| *request).collect()
    }

    /// Returns the lookup with this number of an inbox.
    pub(super) fn inbox_lookup(&self, lookup: u64) -> Option<RequestId> {
        let purpose = CallPurpose::Inbox { lookup };
        let mut calls = self.calls.iter();
        let (request, _) = calls.find(|(_, call)| call.purpose == purpose)?;
        Some(*request)
    }

    pub(super) fn release_memory(&mut self) {
        self.calls.release_memory();
        self.results.release_memory();
    }
}
