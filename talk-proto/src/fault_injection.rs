//! Faults injected into the core, to verify that the tests detect them.
//!
//! They are compiled in with `--cfg talk_fault_injection` only, which no published build sets.

#[cfg(talk_fault_injection)]
use std::cell::Cell;

/// A fault of the core.
#[allow(unreachable_pub, reason = "public with `--cfg talk_fault_injection`")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultInjection {
    /// Some publishes are not acknowledged.
    LostAck,
    /// Subscriptions are not sent again on a new connection.
    SkippedResubscribe,
    /// All messages are sent with the same idempotency key.
    ReusedKey,
    /// Frames of an old socket are handled.
    StaleGeneration,
    /// Lists lack their last item.
    OffByOneWindow,
    /// Some changes are not applied.
    DroppedDiff,
    /// The deadline of the next connection attempt is not reported.
    MissedTimer,
    /// Some calls are never resolved.
    LeakedRequest,
    /// A request without an answer is kept until its connection is lost.
    KeptUnanswered,
    /// An unreadable item makes the whole page or map unreadable.
    DroppedPage,
    /// Unreadable events cause no refetch.
    SkippedRefetch,
    /// Conversations that move between two pages while a list is loaded are lost.
    LostMove,
    /// After a reconnect, long lists lose all items behind the first ones.
    DroppedRest,
    /// Sent entries leave before their message is visible.
    ForgottenUnseen,
    /// Entries are sent before their attempt is stored.
    SentUnstored,
    /// Restored entries are sent with new idempotency keys.
    NewKeyAtRestart,
    /// Echoes stay visible together with their messages.
    KeptEcho,
    /// Entries are sent before an earlier one whose send was answered with 429.
    OrderLostAfter429,
    /// Entries are sent before an earlier one that is held.
    SkippedHeldHead,
    /// Restored entries upload their files again.
    UploadedTwice,
    /// Windows from the cache are marked as live.
    CacheShownLive,
    /// The position behind an answered message is stored before the answer.
    PositionBeforeReply,
    /// An acknowledgement moves the position over all delivered messages.
    AckedTogether,
    /// Positions do not say that later messages are undelivered.
    ForgottenBacklog,
    /// Inboxes do not search for new messages after a connection loss.
    SkippedScan,
    /// The keys of replies are drawn instead of derived from their messages.
    RandomReplyKey,
}

impl FaultInjection {
    /// All faults.
    #[cfg(talk_fault_injection)]
    pub const ALL: [Self; 26] = [
        Self::LostAck,
        Self::SkippedResubscribe,
        Self::ReusedKey,
        Self::StaleGeneration,
        Self::OffByOneWindow,
        Self::DroppedDiff,
        Self::MissedTimer,
        Self::LeakedRequest,
        Self::KeptUnanswered,
        Self::DroppedPage,
        Self::SkippedRefetch,
        Self::LostMove,
        Self::DroppedRest,
        Self::ForgottenUnseen,
        Self::SentUnstored,
        Self::NewKeyAtRestart,
        Self::KeptEcho,
        Self::OrderLostAfter429,
        Self::SkippedHeldHead,
        Self::UploadedTwice,
        Self::CacheShownLive,
        Self::PositionBeforeReply,
        Self::AckedTogether,
        Self::ForgottenBacklog,
        Self::SkippedScan,
        Self::RandomReplyKey,
    ];

    /// Injects `fault` into every session of this thread, or none.
    #[cfg(talk_fault_injection)]
    pub fn set(fault: Option<Self>) {
        CURRENT.set(fault);
    }

    /// Returns `true` if this fault is injected into the sessions of this thread.
    pub(crate) fn is_on(self) -> bool {
        #[cfg(talk_fault_injection)]
        let is_on = CURRENT.get() == Some(self);
        #[cfg(not(talk_fault_injection))]
        let is_on = false;
        is_on
    }

    /// Returns `true` if this fault is injected and `number` is one of the eighth that it affects.
    pub(crate) fn is_on_for(self, number: u64) -> bool {
        number % 8 == 7 && self.is_on()
    }
}

#[cfg(talk_fault_injection)]
thread_local! {
    static CURRENT: Cell<Option<FaultInjection>> = const { Cell::new(None) };
}
