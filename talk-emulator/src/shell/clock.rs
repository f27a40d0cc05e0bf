use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::server::Time;

/// Unix time that never goes back: the wall clock at the start plus what a monotonic clock says
/// has passed since. It follows tokio's clock, so a test that pauses that one pauses the emulator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Time,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            started: Instant::now(),
            started_at: Time::from_millis(millis(since_epoch)),
        }
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_millis(self.started_at.as_millis() + millis(self.started.elapsed()))
    }

    /// When that moment comes, or came.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        let after = time.as_millis().saturating_sub(self.started_at.as_millis());
        self.started + Duration::from_millis(after.min(A_CENTURY))
    }
}

/// Beyond it an [`Instant`] might overflow.
const A_CENTURY: u64 = 100 * 365 * 24 * 3600 * 1000;

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
