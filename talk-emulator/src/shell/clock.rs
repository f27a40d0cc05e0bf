use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::server::Timestamp;

/// Unix time that never goes back: the wall clock at the start plus what a monotonic clock says
/// has passed since. It follows tokio's clock, so a test that pauses that one pauses the emulator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Timestamp,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            started_at: SystemTime::now().into(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.started_at + self.started.elapsed()
    }

    /// Returns the instant of a time.
    pub(crate) fn instant(&self, time: Timestamp) -> Instant {
        let after = time.as_millis().saturating_sub(self.started_at.as_millis());
        self.started + Duration::from_millis(after.min(A_CENTURY))
    }
}

/// A larger duration might overflow an [`Instant`].
const A_CENTURY: u64 = 100 * 365 * 24 * 3600 * 1000;

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
