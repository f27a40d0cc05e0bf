use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::server::Timestamp;

/// Unix time that never goes back: the wall clock at the start plus the elapsed monotonic time.
/// It follows tokio's clock, so a test that pauses that clock pauses the emulator.
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
        self.started + time.saturating_since(self.started_at).min(A_CENTURY)
    }
}

/// A larger duration might overflow an [`Instant`].
const A_CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
