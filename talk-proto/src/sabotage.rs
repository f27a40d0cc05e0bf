//! A core that is broken on purpose, so that tests can be seen to notice.

#[cfg(feature = "sabotage")]
use std::cell::Cell;

/// A way in which the core is broken.
#[allow(unreachable_pub, reason = "it is public with the feature `sabotage`")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Some publishes are not acknowledged.
    LostAck,
    /// Subscriptions are not sent again on a new connection.
    SkippedResubscribe,
    /// All messages are sent with the same idempotency key.
    ReusedKey,
    /// What is heard on an old socket counts.
    StaleGeneration,
    /// Lists lack their last item.
    OffByOneWindow,
    /// Some changes are not applied.
    DroppedDiff,
    /// Nobody is told when the connection is to be tried again.
    MissedTimer,
    /// Some calls are never resolved.
    LeakedRequest,
}

impl Sabotage {
    /// All of them.
    #[cfg(feature = "sabotage")]
    pub const ALL: [Self; 8] = [
        Self::LostAck,
        Self::SkippedResubscribe,
        Self::ReusedKey,
        Self::StaleGeneration,
        Self::OffByOneWindow,
        Self::DroppedDiff,
        Self::MissedTimer,
        Self::LeakedRequest,
    ];

    /// Breaks every core of this thread in this way from now on, or none.
    #[cfg(feature = "sabotage")]
    pub fn set(which: Option<Self>) {
        CURRENT.set(which);
    }

    /// Whether the cores of this thread are broken in this way.
    pub(crate) fn is_on(self) -> bool {
        #[cfg(feature = "sabotage")]
        let is_on = CURRENT.get() == Some(self);
        #[cfg(not(feature = "sabotage"))]
        let is_on = false;
        is_on
    }

    /// The same for one in eight of what has numbers.
    pub(crate) fn is_on_for(self, number: u64) -> bool {
        number % 8 == 7 && self.is_on()
    }
}

#[cfg(feature = "sabotage")]
thread_local! {
    static CURRENT: Cell<Option<Sabotage>> = const { Cell::new(None) };
}
