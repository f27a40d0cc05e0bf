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

    /// When that moment comes, or came.
    pub(crate) fn instant(&self, time: Timestamp) -> Instant {
        self.started + time.saturating_since(self.started_at).min(A_CENTURY)
    }
}

/// Beyond it an [`Instant`] might overflow.
const A_CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
